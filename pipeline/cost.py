"""What a plan will cost in time and disk, before one pixel.

Costs a unit of work, measured on one core of a 2-core Xeon server (Cycles CPU, torch fp32); the
README's table of a whole run is their check.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.params import Params
from pipeline.records import ClipPlan, PortraitPlan, Record, TransferPlan

# Cycles at 128 px: a fixed part with denoising, and a part for every sample (core-seconds a frame).
FRAME, SAMPLE = 0.08, 0.0155
WORKER = 4.0  # core-seconds until a fresh Blender process renders its first frame
TRANSFER = 0.06  # core-seconds a transferred 128 px frame
CROP = 0.02  # core-seconds to decode, track, crop and encode a frame
EPOCH = 0.0012  # core-seconds a training window and epoch
CLIP_BYTES = 2.6  # bytes a pixel and frame of a lossless clip with its truth
COPIES = 3  # work store, DVC cache, workspace
REFERENCE = 128 * 128  # pixels that the costs above are for


@dataclass(frozen=True)
class Cost:
    """Core-seconds a stage, and bytes on disk."""

    seconds: dict[str, float]
    disk: float

    def text(self, cores: int) -> str:
        """The estimate as lines for people, on that many cores."""
        lines = [f"{name:<10} ~{_time(s / cores)}" for name, s in self.seconds.items()]
        total = sum(self.seconds.values()) / cores
        return "\n".join(
            [*lines, f"{'in all':<10} ~{_time(total)} on {cores} cores, {self.disk / 1e9:.2f} GB"]
        )


def estimate(rows: Sequence[Record], params: Params) -> Cost:
    """What the planned rows cost when nothing of them is at hand."""
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    stills = [row.clip for row in rows if isinstance(row, PortraitPlan) and row.clip]
    transfers = [row for row in rows if isinstance(row, TransferPlan)]
    pixels = params.plan.frames * params.plan.size**2  # of a clip
    frames = params.plan.frames * (len(clips) + len(transfers))
    windows = (len(clips) + len(transfers)) * max(
        1, (params.plan.frames - params.split.window) // params.split.stride + 1
    )
    return Cost(
        seconds={
            "render": _rendering(clips, params.render.chunk),
            "portraits": _rendering(stills, params.render.chunk),
            "transfer": TRANSFER * len(transfers) * pixels / REFERENCE,
            "faces": CROP * frames,
            "train": 2 * EPOCH * windows * params.train.epochs,  # two protocols
        },
        disk=COPIES * CLIP_BYTES * pixels * (len(clips) + len(transfers)),
    )


def _rendering(clips: Sequence[ClipPlan], chunk: int) -> float:
    processes = -(-len(clips) // chunk)
    return WORKER * processes + sum(
        clip.frames * clip.size**2 / REFERENCE * (FRAME + SAMPLE * clip.samples) for clip in clips
    )


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
