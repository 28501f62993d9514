"""Clips without a face count as errors where everybody is tested, and are counted elsewhere."""

import numpy as np
import pytest

from pipeline.corpus.plan import filmed, plan_clip, population
from pipeline.corpus.planned import Plan
from pipeline.evaluation.answers import Looks
from pipeline.evaluation.missed import asked_of, missed_row, read_missed
from pipeline.evaluation.results import Results
from pipeline.evaluation.units import Units
from pipeline.files import write_jsonl
from pipeline.params import Params
from pipeline.records import FaceTrack, Sample
from pipeline.splits.tables import read_tracks
from pipeline.study import Protocol
from pipeline.task import Task

CHANCE = (100, 0)
FOLDS = Protocol(unit="clip", together="person", folds=2, leaky=False)


@pytest.fixture(scope="module")
def plan():
    """Four people, each seen straight and from the left; of one more arm nobody learns."""
    clips = []
    for number in range(4):
        identity = population(Params(), "corpus", number)
        clip = plan_clip(Params(), identity, f"{number}/anger", "anger", 2)
        for azimuth in (0, 90):
            shown = {"label": "anger", "cohort": "cast" if number else "others"}
            clips.append(filmed(clip, azimuth, 0).model_copy(update=shown))
    odd = plan_clip(Params(), population(Params(), "corpus", 0), "0/fear", "fear", 2)
    clips.append(odd.model_copy(update={"label": "odd", "cohort": "cast", "trained": False}))
    return Plan(clips, [], [])


def quarantined(folder, plan, reasons):
    rows = [{"clip_id": plan.clips[n].clip_id, "reason": why, "detail": "-"} for n, why in reasons]
    write_jsonl(folder / "quarantine.jsonl", rows)
    return read_missed(folder, plan)


def tracks_of(clips):
    return {
        clip.clip_id: FaceTrack(
            clip_id=clip.clip_id, kind="avatar", label="anger", cohort="cast", trained=True,
            identity_id=clip.person.identity_id, portrait_id=None, person=clip.person,
            driving_clip_id=clip.clip_id, detector="haar", boxes=[],
        )
        for clip in clips
    }  # fmt: skip


def answered(clips, right, repeats=1):
    samples = [
        Sample(sample_id=f"s{n}", clip_id=clip.clip_id, start=0, length=1, label="anger",
               group="g", side="test")
        for n, clip in enumerate([*clips] * repeats)
    ]  # fmt: skip
    truth = np.zeros(len(samples), dtype=int)
    table = np.array([[1.0, 0.0] if good else [0.0, 1.0] for good in [*right] * repeats])
    people = [clip.person.identity_id for clip in [*clips] * repeats]
    return Units(samples, truth, table, people)


def test_only_a_face_that_was_not_found_is_missed(plan, tmp_path):
    every = [(0, "no_face"), (1, "face_lost"), (2, "blurred"), (3, "missing"), (8, "no_face")]
    missed = quarantined(tmp_path, plan, every)
    assert {one.row.clip_id for one in missed} == {plan.clips[n].clip_id for n in (0, 1, 8)}
    asked = asked_of(missed, Task(), FOLDS)
    assert {one.row.clip_id for one in asked} == {plan.clips[n].clip_id for n in (0, 1)}
    cast = FOLDS.model_copy(update={"cohorts": ["cast"]})
    assert asked_of(missed, Task(), cast) == []
    assert asked_of(missed, Task(among="other"), FOLDS) == []


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_missed_clip_is_wrong_and_its_angle_tells(plan, tmp_path, repeats):
    missed = quarantined(tmp_path, plan, [(1, "no_face"), (3, "no_face")])
    kept = [plan.clips[n] for n in (0, 2, 4, 5, 6, 7)]
    units = answered(kept, [True, True, True, False, True, True], repeats)
    looks = Looks(tracks_of(kept), {}, {})
    task = Task(errors_by=["angle", "skin"])
    row = missed_row(missed, units, task, (looks, plan), CHANCE)
    assert (row["n_missed"], row["n"], row["found"]) == (2, 8, 0.75)
    assert row["accuracy"] == pytest.approx(5 / 8)
    assert row["accuracy_ci95"][0] <= 5 / 8 <= row["accuracy_ci95"][1]
    assert set(row["errors_by"]) == {"angle"}
    straight, left = (row["errors_by"]["angle"][name] for name in ("straight", "full-left"))
    assert (straight["n_missed"], straight["found"], straight["accuracy"]) == (0, 1.0, 1.0)
    assert (left["n_missed"], left["n"], left["found"], left["accuracy"]) == (2, 4, 0.5, 0.25)


def test_where_not_everybody_is_tested_missed_clips_are_only_counted(plan, tmp_path):
    missed = quarantined(tmp_path, plan, [(1, "no_face")])
    row = missed_row(missed, 7, Task(errors_by=["angle"]), (Looks({}, {}, {}), plan), CHANCE)
    assert row == {"n_missed": 1, "n": 8, "found": 0.875}


def test_nothing_is_said_where_nothing_was_missed(plan, tmp_path):
    missed = quarantined(tmp_path, plan, [(2, "blurred")])
    assert missed_row(missed, 8, Task(), (Looks({}, {}, {}), plan), CHANCE) == {}


def test_an_evaluation_counts_the_clips_without_a_face(faceless):
    rows = {row["protocol"]: row for row in Results.read(faceless.workspace.evaluation).rows}
    found, blurred = len(read_tracks(faceless.workspace.faces)), 1
    every = len(faceless.plan.clips) - blurred
    counts = {"n_missed": 3, "n": every, "found": pytest.approx(found / every, abs=1e-6)}
    assert rows["copied"]["missed"] == counts
    row, answered = rows["folds"]["missed"], rows["folds"]["by_clip"]
    assert {key: row[key] for key in counts} == counts
    assert answered["n_test"] == found
    assert row["accuracy"] == pytest.approx(answered["accuracy"] * found / every, abs=1e-5)
    assert set(row["errors_by"]) == {"angle"}  # skin is told from a crop
    lost = {name: part["n_missed"] for name, part in row["errors_by"]["angle"].items()}
    assert lost == {"straight": 0, "full-left": 3}
