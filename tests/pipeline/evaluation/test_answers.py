"""Answers about samples, joined by unit and averaged over draws."""

import numpy as np
import pytest
import torch

from models import Classifier, build, load
from pipeline.errors import StageError
from pipeline.evaluation.answers import Answers, Looks, answer, changed, pooled, read_looks
from pipeline.files import read_jsonl
from pipeline.records import FaceTrack, Person, Sample
from pipeline.splits.tables import read_samples
from pipeline.splits.windows import cut_windows

LABELS = ("calm", "weak")


def sample(number, label="calm", clip=0):
    return Sample(
        sample_id=f"sample-{number}", clip_id=f"clip-{clip}", start=number, length=4, label=label,
        group="g", side="test",
    )  # fmt: skip


def answers(*rows, labels=LABELS):
    """Of (number, label, clip, share of the second class)."""
    samples = [sample(number, label, clip) for number, label, clip, _ in rows]
    shares = np.array([[1 - share, share] for *_, share in rows])
    return Answers(samples, shares, labels, 1.0)


def track(clip, trained):
    person = Person(identity_id="a", age=None, sex=None, ethnicity=None)
    return FaceTrack(
        clip_id=clip, kind="avatar", label="calm", cohort="cast", trained=trained, identity_id="a",
        portrait_id=None, driving_clip_id=clip, person=person, detector="haar", boxes=[],
    )  # fmt: skip


def test_windows_of_a_clip_answer_together():
    given = answers((0, "calm", 0, 0.2), (1, "calm", 0, 0.6), (2, "weak", 1, 0.9))
    names, classes, shares = given.joined([s.clip_id for s in given.samples])
    assert (names, classes.tolist()) == (["clip-0", "clip-1"], [0, 1])
    np.testing.assert_allclose(shares, [[0.6, 0.4], [0.1, 0.9]])


def test_repeats_of_a_sample_stand_apart_so_that_no_ensemble_is_judged():
    first = answers((0, "calm", 0, 0.2), (1, "weak", 1, 0.9))
    second = answers((0, "calm", 0, 0.6), (1, "weak", 1, 0.3))
    whole = pooled([first, second], repeats=2)
    assert whole.repeat == (0, 0, 1, 1)
    assert whole.probabilities[:, 1].tolist() == pytest.approx([0.2, 0.9, 0.6, 0.3])
    assert whole.apart(["a", "b", "a", "b"]) == ["a #0", "b #0", "a #1", "b #1"]
    assert whole.truth.tolist() == [0, 1, 0, 1]


def test_folds_of_one_repeat_are_one_table():
    first, second = answers((0, "calm", 0, 0.2)), answers((1, "weak", 1, 0.9))
    whole = pooled([first, second])
    assert whole.repeat == ()
    assert whole.apart(["a", "b"]) == ["a", "b"]


def test_draws_that_know_other_classes_cannot_be_pooled():
    made = [answers((0, "calm", 0, 0.2)), answers((0, "calm", 0, 0.2), labels=("calm", "odd"))]
    with pytest.raises(StageError, match="the folds know different classes"):
        pooled(made)


def test_a_class_that_was_never_trained_on_is_named():
    given = answers((0, "smiling", 0, 0.2))
    with pytest.raises(StageError, match="smiling, which the training side never showed"):
        _ = given.truth


def test_what_is_only_asked_about_is_told_apart():
    given = answers((0, "calm", 0, 0.2), (1, "odd", 1, 0.7))
    looks = Looks({"clip-0": track("clip-0", True), "clip-1": track("clip-1", False)}, {}, {})
    learnt, asked = (given.trained(looks, yes) for yes in (True, False))
    assert [s.clip_id for s in learnt.samples] == ["clip-0"]
    assert [s.clip_id for s in asked.samples] == ["clip-1"]
    np.testing.assert_allclose(asked.probabilities, [[0.3, 0.7]])


def test_rows_name_the_likeliest_class():
    [row] = answers((3, "calm", 0, 0.7)).rows()
    assert (row["predicted"], row["label"], row["start"]) == ("weak", "calm", 3)
    assert row["probabilities"] == pytest.approx({"calm": 0.3, "weak": 0.7})


def test_shares_are_rounded_as_they_are_written():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(
            "convlstm", classes=2, channels=1, size=16, frames=4,
            parameters={"hidden": 4, "stem": 4},
        )  # fmt: skip
    crops = {"clip-0": np.random.default_rng(0).integers(0, 256, (8, 16, 16), dtype=np.uint8)}
    said = answer(Classifier("convlstm", network, LABELS, 4), [sample(0), sample(1)], crops)
    assert np.array_equal(said.probabilities, said.probabilities.round(6))
    with pytest.raises(StageError, match="the test side is empty"):
        answer(Classifier("convlstm", network, LABELS, 4), [], crops)


def test_every_kept_clip_is_looked_at_once(line):
    looks = read_looks(line.workspace.faces, 1)
    assert looks.tracks.keys() == looks.crops.keys() == looks.tones.keys()
    assert {crops.shape for crops in looks.crops.values()} == {(8, 48, 48)}


@pytest.mark.parametrize("shape", [(3, 4, 16, 16), (3, 4, 16, 16, 3)])
def test_a_tested_copy_is_changed_once_and_its_original_never(shape):
    windows = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    samples = [sample(0), sample(0).copied(0), sample(1)]
    seen = changed(samples, windows)
    assert (seen.shape, seen.dtype) == (windows.shape, np.uint8)
    np.testing.assert_array_equal(seen[[0, 2]], windows[[0, 2]])
    assert (seen[1] != windows[1]).mean() > 0.5
    np.testing.assert_array_equal(seen[1], changed(samples[1:], windows[1:])[0])
    assert changed(samples[::2], windows[::2]).tolist() == windows[::2].tolist()


def test_an_evaluation_asks_about_copies_as_they_were_changed(faceless):
    place = faceless.workspace
    table = read_samples(place.samples("copied"))
    tested = [sample for sample in table if sample.side == "test"]
    copies = [sample for sample in tested if sample.origin]
    assert 0 < len(copies) < len(tested)
    said = {row["sample_id"]: row["probabilities"]
            for row in read_jsonl(place.answers("strength", "framecnn", "copied"))}  # fmt: skip
    assert said.keys() == {sample.sample_id for sample in tested}
    network = load(place.model("strength", "framecnn", "copied"))
    crops = read_looks(place.faces, 1).crops
    plain = network.probabilities(cut_windows(tested, crops)).round(6)
    for sample, row in zip(tested, plain, strict=True):
        same = [said[sample.sample_id][label] for label in network.labels] == row.tolist()
        assert same == (sample.origin is None)
