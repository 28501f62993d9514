"""What the stages after `plan` need of it, asked before one pixel: they rehearse on planned clips.

A plan that the split, oversampling or training cannot use is refused here, where it costs a second,
and not after hours of rendering. The stages' own functions say what does not fit.
"""

from collections.abc import Sequence
from itertools import product

import numpy as np

from pipeline.errors import ParamsError, StageError
from pipeline.faces.detect import choose_detector
from pipeline.files import child_seed
from pipeline.media.video import LARGEST
from pipeline.params import Params
from pipeline.records import (
    ClipPlan,
    FaceTrack,
    Person,
    Planned,
    PortraitPlan,
    Record,
    Sample,
    TransferPlan,
)
from pipeline.splits.oversample import classed, oversample
from pipeline.splits.split import split
from pipeline.splits.validation import hold_out
from pipeline.study import Protocol, Study

MOTION_SIZE = 64  # pixels: the motion model takes frames of its multiples; fomm.config has the same
BOX = [0.0, 0.0, 1.0, 1.0]  # of a planned frame; no stage here looks at it


def rehearse(rows: Sequence[Record], study: Study, params: Params) -> None:
    """Raise ParamsError, or AssetError without a detector's weights, when a later stage would fail.

    As if every planned clip were made and kept; what is given up or quarantined may still leave
    too few.
    """
    _check_frames(params, any(isinstance(row, TransferPlan) for row in rows))
    choose_detector(params.faces.detector)
    try:
        splits = split(_tracks(rows), study, child_seed(params.seed, "split"))
        for (protocol, draw), task in product(study.draws(), study.tasks):
            table = classed(splits[draw], study.tasks[task])
            _check_training(draw, table, study.protocols[protocol], params)
    except StageError as error:
        raise ParamsError(f"this plan cannot be trained on: {error}") from error


def _check_frames(params: Params, transfers: bool) -> None:
    plan = params.plan
    if transfers and plan.size % MOTION_SIZE:
        raise ParamsError(
            f"plan.size is {plan.size}, but the motion model takes multiples of {MOTION_SIZE} px"
        )
    if (most := int(LARGEST // (3 * plan.size**2))) < plan.frames:
        raise ParamsError(
            f"plan.frames is {plan.frames}, but a clip of {plan.size} px may have {most} at most "
            f"({LARGEST / 1e9:.0f} GB); lower plan.frames or plan.size"
        )


def _check_training(draw: str, samples: Sequence[Sample], rules: Protocol, params: Params) -> None:
    seed = child_seed(child_seed(params.seed, "oversample"), draw)
    table = oversample(samples, params.oversample, seed, _alike)
    seed = child_seed(child_seed(child_seed(params.seed_of_training, "train"), draw), "carve")
    try:
        fitted, held = hold_out(table, rules.together, params.train.validation_fraction, seed)
    except StageError as error:
        advice = "raise the study's cohorts or lower train.validation_fraction"
        raise StageError(f"{draw}: {error}; {advice}") from error
    learnt = {sample.label for sample in fitted}
    if len(learnt) < 2:
        raise StageError(f"{draw}: a classifier needs two classes; give its arms another label")
    tested = {sample.label for sample in samples if sample.side == "test"}
    if unseen := sorted(tested - learnt):
        raise StageError(
            f"the test side of {draw} holds {', '.join(unseen)}, which no clip that is trained "
            "on shows; raise the study's cohorts"
        )
    if not any(sample.label in learnt for sample in held):
        raise StageError(f"{draw} has no window to validate on; raise the study's cohorts")


def _alike(samples: Sequence[Sample]) -> np.ndarray:
    return np.zeros((len(samples), 1))  # no pixels yet: every window is as near as any other


def _tracks(rows: Sequence[Record]) -> list[FaceTrack]:
    """The planned clips as if all of them had been kept."""
    clips = {row.clip_id: row for row in rows if isinstance(row, ClipPlan)}
    people = {row.portrait_id: row.person for row in rows if isinstance(row, PortraitPlan)}
    avatars = [_track(clip, clip, clip.person, None) for clip in clips.values()]
    transfers = [row for row in rows if isinstance(row, TransferPlan)]
    return avatars + [
        _track(row, clips[row.driving_clip_id], people[row.portrait_id], row.portrait_id)
        for row in transfers
    ]


def _track(
    row: ClipPlan | TransferPlan, driver: ClipPlan, seen: Person, portrait: str | None
) -> FaceTrack:
    return FaceTrack(
        clip_id=row.clip_id, kind="transfer" if portrait else "avatar",
        **row.model_dump(include=set(Planned.model_fields)),
        identity_id=driver.person.identity_id, portrait_id=portrait,
        driving_clip_id=driver.clip_id, person=seen, detector="planned",
        boxes=[BOX] * driver.frames,
    )  # fmt: skip
