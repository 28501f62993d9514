"""A guest model over the clean test side of a study, with our own network's figures beside it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.corpus.planned import read_plan
from pipeline.errors import AssetError
from pipeline.evaluation.answers import Answers, Looks, pooled, read_looks
from pipeline.evaluation.evaluate import Judge
from pipeline.evaluation.guest import Guest
from pipeline.evaluation.metrics import ends_of, resampled
from pipeline.evaluation.units import Units, units_of
from pipeline.files import child_seed
from pipeline.records import Sample
from pipeline.splits.tables import read_tracks
from pipeline.splits.windows import Crops, alone, cut_windows

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace

Row = dict[str, Any]


def classes_of(workspace: "Workspace", study: "Study", task: str, protocol: str) -> list[str]:
    """The classes that the test sides of a protocol show; AssetError where they are not here."""
    judge = _judge(workspace, study, Looks({}, {}, {}), (1, 0))
    learnt = {track.clip_id for track in read_tracks(workspace.faces) if track.trained}
    tested = [s for draw in study.protocols[protocol].draws(protocol)
              for s in judge.tested(task, draw)]  # fmt: skip
    return sorted({sample.label for sample in tested if sample.clip_id in learnt})


def benchmark(
    where: tuple["Workspace", "Study", "Params"], guest: Guest, trial: tuple[str, str, str]
) -> Row:
    """`guest` and `ours` (figures of `by_window` and `by_clip`), `difference` in accuracy by clip.

    `trial` is (task, our model, protocol). Of clips that are never learnt from none is asked about.
    `ours` and `difference` are None where our network is not here. Raises AssetError where the
    crops are not here, or too short for the guest.
    """
    workspace, study, params = where
    task, model, protocol = trial
    looks = read_looks(workspace.faces, 3)
    seed = child_seed(params.seed, "benchmark")
    chance = (params.evaluate.bootstrap, seed)
    judge = _judge(workspace, study, looks, chance)
    rules = study.protocols[protocol]
    asked = [_answers(guest, judge.tested(task, draw), looks) for draw in rules.draws(protocol)]
    theirs = pooled(asked, rules.repeats)
    row: Row = {
        "task": task, "protocol": protocol, "leaky": rules.leaky, "labels": list(guest.labels),
        "takes": guest.form.said(), "guest": _figures(judge, task, theirs, seed), "ours": None,
        "difference": None,
    }  # fmt: skip
    if workspace.model(task, model, rules.draws(protocol)[0]).is_file():
        own = _judge(workspace, study, read_looks(workspace.faces, study.input.channels), chance)
        said = pooled(own.answers(task, model, protocol), rules.repeats).trained(looks, True)
        row["ours"] = _figures(own, task, said, seed)
        units = (units_of(theirs, "clip", looks), units_of(said, "clip", looks))
        row["difference"] = _apart(*units, chance)
    return row


def _judge(workspace: "Workspace", study: "Study", looks: Looks, chance: tuple[int, int]) -> Judge:
    if not workspace.faces.is_dir() or not workspace.split.is_dir():
        raise AssetError(
            f"the test side of {study.name} does not lie here; `dvc pull` or `pallor run` brings it"
        )
    return Judge(workspace, study, (looks, read_plan(workspace.plan)), *chance)


def _answers(guest: Guest, tested: Sequence[Sample], looks: Looks) -> Answers:
    crops, learnt = looks.crops, [s for s in tested if looks.tracks[s.clip_id].trained]
    samples = _fitting(alone(learnt, reference=False), guest.form.frames, crops)
    if not samples:
        longest = max(len(frames) for frames in crops.values())
        raise AssetError(
            f"{guest.path} takes windows of {guest.form.frames} frames; the longest clip has "
            f"{longest}, so export the model for fewer"
        )
    said = guest.probabilities(cut_windows(samples, crops)).round(6)
    return Answers(samples, said, guest.labels, 1.0)


def _fitting(samples: Sequence[Sample], frames: int, crops: Crops) -> list[Sample]:
    """The windows as the guest takes them: from the same frames on, as far as the clip reaches."""
    return [
        sample.model_copy(update={"length": frames})
        for sample in samples
        if sample.start + frames <= len(crops[sample.clip_id])
    ]


def _figures(judge: Judge, task: str, answers: Answers, seed: int) -> Row:
    return {
        f"by_{unit}": judge.figures(task, answers, unit, (0.5, seed)) for unit in ("window", "clip")
    }


def _apart(theirs: Units, ours: Units, chance: tuple[int, int]) -> Row:
    """Accuracy of the guest less ours, over the clips that both were asked about."""
    right = [dict(zip(u.clips, u.right, strict=True)) for u in (theirs, ours)]
    who = dict(zip(ours.clips, ours.people, strict=True))
    both = sorted(right[0].keys() & right[1].keys())
    apart = np.array([float(right[0][clip]) - float(right[1][clip]) for clip in both])
    drawn = resampled([who[clip] for clip in both], *chance)
    return {
        "accuracy": round(float(apart.mean()), 6),
        "accuracy_ci95": ends_of((drawn @ apart) / drawn.sum(1)),
        "n": len(both),
    }
