"""What a study will cost in time and disk, before one pixel.

Costs a unit of work in core-seconds of a 2-core Xeon server with both cores busy (two busy threads
share one physical core, so each is slower than alone); `benchmarks/stages.py` sets the estimate
beside the last run's record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.params import Params
from pipeline.records import ClipPlan, Planned, PortraitPlan, Record, TransferPlan
from pipeline.stage import STAGES
from pipeline.study import Study

# Cycles at 128 px: a fixed part with denoising, and a part for every sample (core-seconds a frame).
# Their ratio from runs of 4 to 32 samples; their size from 25 workers of 5 clips of 16 frames and 8
# samples, 41.9 core-seconds each. The corpus of record, with 6, took 14 % more than they say.
FRAME, SAMPLE = 0.174, 0.0336
WORKER = 4.0  # core-seconds until a fresh Blender process renders its first frame
ENCODE = 0.5  # core-seconds a clip to build its person, write, log and copy
# From the corpus of record, 176 clips on two cores without bf16 units: 88, 103 and 258 s. With such
# units they need less (transfer 50 s was seen), as does training that stops early.
TRANSFER = 0.20  # a transferred 128 px frame
CROP = 0.070  # to decode, track, crop and encode a frame; a third is the one look of the FAN
EPOCH = 0.0080  # a training window of 8 frames of 64 px and epoch, at HIDDEN state channels
TAUGHT = 0.85  # the share of all windows that taught where EPOCH was measured
START = 5.0  # seconds a heavy stage takes to import, find its server and be hashed by DVC
REST = 60.0  # seconds of plan, split, oversample, evaluate, report, server and DVC between them
HIDDEN = 24  # state channels that EPOCH is for
# Of other networks' steps, at their usual width on windows of 8 frames of 64 px, over the
# ConvLSTM's: one thread of an EPYC, 32 windows of two channels. Those of STILL see one frame.
STEPS = {
    "convlstm": 1.0, "cnn3d": 1.2, "cnnlstm": 0.8, "cnnbilstm": 0.8, "framecnn": 0.1,
    "resnet34": 0.33, "vgg16": 1.15, "inception1": 0.48, "tutorial": 2.54,
}  # fmt: skip
WIDTHS = {"cnn3d": 12}  # usual ones that are not USUAL
USUAL = 16
STILL = ("framecnn", "resnet34", "vgg16", "inception1")
# The folds are counted in the same units. The main study's 26 jobs are 2,770 core-seconds so; they
# took 1,470 CPU seconds of an EPYC with bf16 units, and 37 minutes of two cores without, which had
# other work too (docs/tutorials/first-figure.md).
BESIDE = 2  # seeds of a fold's other networks, as pipeline.evaluation.folds has it
CHANGING = 0.15  # of the ConvLSTM's step: to cut, move and light its window, whoever sees it
# Bytes a pixel and frame, from the demo's folders: lossless video and, of avatars, truth beside it.
AVATAR_BYTES, TRANSFER_BYTES, CROP_BYTES = 0.93, 0.63, 1.21
# Of every pass together: a 128 px frame's geometry (107 CPU ms of 16 frames), bytes of a pixel.
MEASURED, MEASURED_BYTES = 0.11, 16.3
COPIES = 3  # work store, DVC cache, workspace
REFERENCE = 128 * 128  # pixels that the costs above are for


@dataclass(frozen=True)
class Cost:
    """Core-seconds of the heavy stages, seconds of all else, and bytes on disk."""

    seconds: dict[str, float]
    disk: float
    rest: float = 0.0
    networks: int = 1  # trained, each on one core
    folds: int = 1  # jobs of the folds, each on one core

    def wall(self, cores: int) -> dict[str, float]:
        """Seconds a stage on that many cores; networks and folds keep no more than one each."""
        busy = {"train": min(cores, self.networks), "folds": min(cores, self.folds)}
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


def estimate(rows: Sequence[Record], study: Study, params: Params) -> Cost:
    """What the planned rows of a study cost when nothing of them is at hand."""
    clips = [row for row in rows if isinstance(row, ClipPlan)]
    stills = [row.clip for row in rows if isinstance(row, PortraitPlan) and row.clip]
    transfers = [row for row in rows if isinstance(row, TransferPlan)]
    made: list[Planned] = [*clips, *transfers]
    frames, pixels = params.plan.frames, params.plan.frames * params.plan.size**2  # of a clip
    crops = CROP_BYTES * frames * study.input.size**2 * len(made)
    return Cost(
        seconds={
            "render": _rendering(clips, STAGES["render"].chunk_size(params)) + _measuring(clips),
            "portraits": _rendering(stills, STAGES["portraits"].chunk_size(params)),
            "transfer": TRANSFER * len(transfers) * pixels / REFERENCE,
            "faces": CROP * frames * len(made),
            "train": sum(_training(made, study, params, *trial) for trial in study.trials()),
            "folds": _folding(made, study, params),
        },
        disk=COPIES
        * (
            pixels * (AVATAR_BYTES * len(clips) + TRANSFER_BYTES * len(transfers))
            + pixels * MEASURED_BYTES * sum(bool(clip.passes) for clip in clips)
            + crops
        ),
        rest=REST,
        networks=sum(len(_draws(study, protocol)) for _, _, protocol in study.trials()),
        folds=study.folds.folds * study.folds.seeds + study.folds.whole if study.folds else 1,
    )


def _draws(study: Study, protocol: str) -> list[str]:
    return study.protocols[protocol].draws(protocol)


def _training(
    made: Sequence[Planned], study: Study, params: Params, task: str, model: str, protocol: str
) -> float:
    """Core-seconds of a task's network in every draw of a protocol."""
    network = study.models[model]
    epochs = params.train.with_changes(network.train).epochs
    windows = _windows(made, study, params, task)
    one = _size(study) * step(study.network(model), network.parameters, study.input.frames)
    return EPOCH * windows * one * epochs * len(_draws(study, protocol))


def _folding(made: Sequence[Planned], study: Study, params: Params) -> float:
    """Core-seconds of every fold with every seed, and of those by the line's whole recipe."""
    ask = study.folds
    if ask is None:
        return 0.0
    task, name, _ = study.trials()[0]
    model = study.models[name]
    frames = study.input.frames
    own = step(study.network(name), model.parameters, frames)
    others = sum(step(network, {}, frames) for network in ask.networks)
    epochs = params.train.with_changes(model.train).with_changes(ask.train).epochs
    cheap = epochs * _windows(made, study, params, task, ask.stride) * ask.folds
    whole = params.train.epochs * _windows(made, study, params, task) * min(ask.whole, ask.folds)
    taught = 1 - 1 / ask.folds  # the share of a fold's clips that teach
    steps = own * ask.seeds + others * min(ask.seeds, BESIDE)
    return EPOCH * _size(study) * taught / TAUGHT * (cheap * steps + whole * own)


def _windows(
    made: Sequence[Planned], study: Study, params: Params, task: str, every: int = 1
) -> int:
    """Windows of the clips that a task asks about, of those that start at every so many frames."""
    asked, view = study.tasks[task], study.input
    clips = sum(asked.class_of(row.label or "", row.targets) is not None for row in made)
    starts = range(0, params.plan.frames - view.frames + 1, view.stride)
    return clips * max(1, sum(start % every == 0 for start in starts))


def _size(study: Study) -> float:
    """A window's pixels over those of a window of EPOCH."""
    return study.input.frames / 8 * (study.input.size / 64) ** 2


def step(network: str, parameters: Mapping[str, Any], frames: int) -> float:
    """A step of a network over the ConvLSTM's, both on windows of as many frames."""
    if network == "convlstm":
        return float(parameters.get("hidden", HIDDEN)) / HIDDEN
    usual = WIDTHS.get(network, USUAL)
    wider = float(parameters.get("width", usual)) / usual
    alone = 8 / frames if network in STILL else 1.0
    return CHANGING + STEPS.get(network, 1.0) * wider**2 * alone


def _rendering(clips: Sequence[ClipPlan], chunk: int) -> float:
    processes = -(-len(clips) // chunk)
    return WORKER * processes + sum(
        ENCODE + clip.frames * clip.size**2 / REFERENCE * (FRAME + SAMPLE * clip.samples)
        for clip in clips
    )


def _measuring(clips: Sequence[ClipPlan]) -> float:
    """Core-seconds of passes; no frame is rendered for them."""
    asked = [clip for clip in clips if clip.passes]
    return sum(MEASURED * clip.frames * clip.size**2 / REFERENCE for clip in asked)


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
