"""What a plan will cost in time and disk, before one pixel.

Costs a unit of work in core-seconds of a 2-core Xeon server with both cores busy (two busy threads
share one physical core, so each is slower than alone); `benchmarks/stages.py` sets the estimate
beside the last run's record.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.params import Params
from pipeline.records import ClipPlan, PortraitPlan, Record, TransferPlan

# Cycles at 128 px: a fixed part with denoising, and a part for every sample (core-seconds a frame).
# Their ratio from runs of 4 to 32 samples; their size from 25 workers of 5 clips of 16 frames and 8
# samples, 41.9 core-seconds each. The corpus of record, with 6, took 14 % more than they say.
FRAME, SAMPLE = 0.174, 0.0336
WORKER = 4.0  # core-seconds until a fresh Blender process renders its first frame
ENCODE = 0.5  # core-seconds a clip to build its person, write, log and copy
STILLS = 9  # portraits a Blender process, as flows.portraits has it
# From the corpus of record, 176 clips on two cores without bf16 units: 88, 103 and 258 s. With such
# units they need less (transfer 50 s was seen), as does training that stops early.
TRANSFER = 0.20  # a transferred 128 px frame
CROP = 0.070  # to decode, track, crop and encode a frame; a third is the one look of the FAN
EPOCH = 0.0080  # a training window of 8 frames of 64 px and epoch, at 24 state channels
START = 5.0  # seconds a heavy stage takes to import, find its server and be hashed by DVC
REST = 60.0  # seconds of plan, split, oversample, evaluate, report, server and DVC between them
PROTOCOLS = 2  # trained at once, each on one core
# Bytes a pixel and frame, from the demo's folders: lossless video and, of avatars, truth beside it.
AVATAR_BYTES, TRANSFER_BYTES, CROP_BYTES = 0.93, 0.63, 1.21
COPIES = 3  # work store, DVC cache, workspace
REFERENCE = 128 * 128  # pixels that the costs above are for


@dataclass(frozen=True)
class Cost:
    """Core-seconds of the heavy stages, seconds of all else, and bytes on disk."""

    seconds: dict[str, float]
    disk: float
    rest: float = 0.0

    def wall(self, cores: int) -> dict[str, float]:
        """Seconds a stage on that many cores; training uses no more than its protocols."""
        busy = {"train": min(cores, PROTOCOLS)}
        stages = {
            name: START + core_seconds / busy.get(name, cores)
            for name, core_seconds in self.seconds.items()
            if core_seconds
        }
        return stages | ({"the rest": self.rest} if self.rest else {})

    def text(self, cores: int) -> str:
        """The estimate as lines for people, on that many cores."""
        wall = self.wall(cores)
        lines = [f"{name:<10} ~{_time(seconds)}" for name, seconds in wall.items()]
        total = _time(sum(wall.values()))
        return "\n".join(
            [*lines, f"{'in all':<10} ~{total} on {cores} cores, {self.disk / 1e9:.2f} GB"]
        )


def estimate(rows: Sequence[Record], params: Params) -> Cost:
    """What the planned rows cost when nothing of them is at hand."""
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    stills = [row.clip for row in rows if isinstance(row, PortraitPlan) and row.clip]
    transfers = sum(isinstance(row, TransferPlan) for row in rows)
    plan, made = params.plan, len(clips) + transfers
    pixels = plan.frames * plan.size**2  # of a clip
    windows = made * max(1, (plan.frames - params.split.window) // params.split.stride + 1)
    size = params.split.window / 8 * (params.faces.crop / 64) ** 2 * params.train.hidden / 24
    return Cost(
        seconds={
            "render": _rendering(clips, params.render.chunk),
            "portraits": _rendering(stills, STILLS),
            "transfer": TRANSFER * transfers * pixels / REFERENCE,
            "faces": CROP * plan.frames * made,
            "train": PROTOCOLS * EPOCH * windows * size * params.train.epochs,
        },
        disk=COPIES
        * (
            pixels * (AVATAR_BYTES * len(clips) + TRANSFER_BYTES * transfers)
            + CROP_BYTES * plan.frames * params.faces.crop**2 * made
        ),
        rest=REST,
    )


def _rendering(clips: Sequence[ClipPlan], chunk: int) -> float:
    processes = -(-len(clips) // chunk)
    return WORKER * processes + sum(
        ENCODE + clip.frames * clip.size**2 / REFERENCE * (FRAME + SAMPLE * clip.samples)
        for clip in clips
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
