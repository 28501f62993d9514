import shutil

import numpy as np
import pytest

from models import MODELS
from pipeline.evaluation.baselines import NETWORKS, compare, landmarks, majority, shape
from pipeline.params import EvaluateParams, TrainParams
from pipeline.splits.tables import read_samples, read_tracks
from pipeline.workspace import Workspace

RNG = np.random.default_rng(0)


@pytest.fixture
def workspace(line, tmp_path):
    """The puppets' workspace with landmarks whose mouth and turn follow the display."""
    made = Workspace(line.workspace.study, tmp_path)
    shutil.copytree(line.workspace.data, made.data)
    face = RNG.normal(0, 1, (1, 68, 2))
    for clip in line.plan.clips:
        phase = np.linspace(0, 1, 8)[:, None]
        points = face + RNG.normal(0, 0.02, (8, 68, 2)) + RNG.normal(0, 0.1, (1, 68, 2))
        points[:, :, 0] += {"L": 1, "R": -1}.get(clip.expression[-1], 0) * phase
        points[:, 60:68, 1] += 2 * phase * (not clip.expression.startswith("FD2"))
        np.savez(made.clips / f"{clip.clip_id}.npz", landmarks_px=10 * points)
    return made


def test_every_model_answers_for_every_test_clip(line, workspace):
    quick = {"train": TrainParams(epochs=1), "evaluate": EvaluateParams(bootstrap=100)}
    rows = compare(workspace, line.study, line.params.model_copy(update=quick), "clean", print)
    assert set(rows) == {"majority", "landmarks", *NETWORKS}
    assert set(NETWORKS) <= MODELS.keys()
    table = read_samples(workspace.training_samples("display", "clean"))
    tested = {s.clip_id for s in table if s.side == "test"}
    for name, row in rows.items():
        assert row["n_test"] == len(tested) or name == "landmarks"
        assert (row["parameters"] is not None) == (name in MODELS)
        assert row["accuracy_ci95"][0] <= row["accuracy"] <= row["accuracy_ci95"][1]
    assert rows["landmarks"]["accuracy"] >= 0.8
    assert rows["majority"]["accuracy"] < 0.5


def test_the_majority_is_counted_on_the_training_side(line):
    table = read_samples(line.workspace.samples("published"))
    tested = [s for s in table if s.side == "test"]
    train = [s.label for s in table if s.side == "train"]
    most = max(sorted(set(train)), key=train.count)
    label = {s.clip_id: s.label for s in tested}
    assert majority(table, tested).right.sum() == sum(x == most for x in label.values())


def test_shape_forgets_place_and_size():
    points = RNG.normal(0, 5, (3, 68, 2))
    np.testing.assert_allclose(shape(points * 3 + 40), shape(points), atol=1e-9)
    moved = points.copy()
    moved[2, 62] += 1
    assert not np.allclose(shape(moved), shape(points))


def test_landmarks_are_of_avatars_only(workspace):
    table = read_samples(workspace.training_samples("display", "published"))
    tracks = {track.clip_id: track for track in read_tracks(workspace.faces)}
    answer = landmarks(table, workspace.clips, tracks)
    assert {tracks[clip].kind for clip in answer.clips} == {"avatar"}
