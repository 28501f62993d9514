from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.files import read_json
from pipeline.media.video import write_clip
from pipeline.params import OversampleParams
from pipeline.records import Reference, Sample
from pipeline.splits.oversample import class_counts, classed, crop_features, oversample
from pipeline.task import Task


def sample(number, label, side):
    return Sample(
        sample_id=f"sample-{number:04}", clip_id=f"clip-{number:04}", start=0, length=8,
        label=label, group=f"id-{number:04}", side=side,
    )  # fmt: skip


tables = st.lists(
    st.tuples(st.sampled_from(["FD1", "FD2-L", "FD3-R"]), st.sampled_from(["train", "test"])),
    max_size=60,
).map(lambda rows: [sample(0, "FD1", "train"), sample(1, "FD2-L", "train")]
      + [sample(n, *row) for n, row in enumerate(rows, start=2)])  # fmt: skip


METHODS = st.sampled_from([
    OversampleParams(), OversampleParams(method="smote", neighbours=1),
])  # fmt: skip
# Two of each class at least: a blend needs a neighbour.
pairs = tables.map(lambda rows: rows + [
    sample(900 + n, label, "train") for n, label in enumerate(("FD1", "FD2-L", "FD3-R", "FD3-R"))
])  # fmt: skip


def features(samples):
    """Windows along a line, in the order of their numbers."""
    return np.array([[float(s.sample_id.split("-")[1]), 1.0] for s in samples])


@given(pairs, METHODS, st.integers(0, 2**62))
def test_rows_of_the_split_come_first_untouched(rows, params, seed):
    after = oversample(rows, params, seed, features)
    assert [s.model_dump_json() for s in after[: len(rows)]] == [s.model_dump_json() for s in rows]
    assert all(s.side == "train" for s in after[len(rows) :])


@given(pairs, METHODS, st.integers(0, 2**62))
def test_training_classes_are_even(rows, params, seed):
    counts = class_counts(rows, oversample(rows, params, seed, features))
    assert len(set(counts["train_after"].values())) == 1
    assert max(counts["train_before"].values()) == max(counts["train_after"].values())


@given(pairs, METHODS, st.integers(0, 2**62))
def test_every_copy_names_a_training_original_and_has_its_own_id(rows, params, seed):
    after = oversample(rows, params, seed, features)
    originals = {s.sample_id: s for s in rows if s.side == "train"}
    for copy in after[len(rows) :]:
        source = originals[copy.origin]
        assert copy == source.model_copy(
            update={
                "sample_id": copy.sample_id, "origin": source.sample_id, "partner": copy.partner
            }
        )  # fmt: skip
        if copy.partner:
            partner = originals[copy.partner.sample_id]
            assert partner.label == copy.label
            assert partner != source
            assert 0 < copy.partner.share <= 0.5
    assert max(Counter(s.sample_id for s in after).values()) == 1


@given(pairs, METHODS, st.integers(0, 2**62))
def test_same_seed_same_copies(rows, params, seed):
    assert oversample(rows, params, seed, features) == oversample(rows, params, seed, features)


def test_none_copies_nothing():
    rows = [sample(0, "FD1", "train"), sample(1, "FD2-L", "train"), sample(2, "FD1", "train")]
    assert oversample(rows, OversampleParams(method="none"), 0, features) == rows


def test_one_class_is_refused():
    with pytest.raises(StageError, match="fewer than two classes"):
        oversample(
            [sample(0, "FD1", "train"), sample(1, "FD2-L", "test")],
            OversampleParams(), 0, features,
        )  # fmt: skip


def test_stage_keeps_the_split_file_as_its_first_bytes(line):
    workspace = line.workspace
    for _, draw in line.study.draws():
        before = workspace.samples(draw).read_bytes()
        assert workspace.training_samples("display", draw).read_bytes().startswith(before)
        balance = read_json(workspace.balance)["display"][draw]
        assert len(set(balance["train_after"].values())) == 1
        assert balance["train_after"].keys() == set(line.study.labels)


def test_a_task_has_its_own_classes_and_leaves_out_what_it_does_not_ask():
    rows = [
        sample(n, label, "train").model_copy(update={"targets": targets})
        for n, (label, targets) in enumerate(
            [("calm", {}), ("weak", {"severity": 0.2}), ("weak", {"severity": 0.9})]
        )
    ]
    task = Task.model_validate({"among": "weak", "positive": {"severity": [0.5, 1]}})
    asked = classed(rows, task)
    assert [(s.sample_id[-1], s.label) for s in asked] == [("1", "negative"), ("2", "positive")]
    assert classed(rows, Task()) == rows


def test_samples_with_a_reference_are_near_by_their_own_pictures(tmp_path):
    rng = np.random.default_rng(3)
    for number in range(3):
        frames = rng.integers(0, 120, (8, 16, 16), dtype=np.uint8).repeat(3).reshape(8, 16, 16, 3)
        write_clip(tmp_path / f"clip-{number:04}.mp4", frames, 8)
    alone = [sample(n, "FD1", "train") for n in range(2)]
    other = Reference(clip_id="clip-0002", start=0)
    compared = [s.model_copy(update={"reference": other}) for s in alone]
    features = crop_features(tmp_path)
    assert np.array_equal(features(alone), features(compared))


def test_smote_blends_windows_that_are_near_each_other():
    rows = [sample(n, "FD1", "train") for n in range(9)]
    rows += [sample(n, "FD2-L", "train") for n in (20, 21, 90, 91)]
    made = oversample(rows, OversampleParams(method="smote", neighbours=1), 4, features)[13:]
    blends = {frozenset((m.origin, m.partner.sample_id)) for m in made if m.partner}
    assert len(made) == 5
    assert blends == {
        frozenset(("sample-0020", "sample-0021")), frozenset(("sample-0090", "sample-0091"))
    }  # fmt: skip


def test_a_class_with_too_few_neighbours_is_refused():
    rows = [sample(n, "FD1" if n < 9 else "FD2-L", "train") for n in range(11)]
    with pytest.raises(StageError, match="5 neighbours but FD2-L has 2 training windows; lower"):
        oversample(rows, OversampleParams(method="smote"), 0, features)


def test_crops_alike_but_for_brightness_are_near(tmp_path):
    rng = np.random.default_rng(3)
    dark = rng.integers(0, 120, (8, 16, 16), dtype=np.uint8).repeat(3).reshape(8, 16, 16, 3)
    other = rng.integers(0, 255, (8, 16, 16), dtype=np.uint8).repeat(3).reshape(8, 16, 16, 3)
    for number, frames in enumerate((dark, dark + 100, other)):
        write_clip(tmp_path / f"clip-{number:04}.mp4", frames, 8)
    one, same, far = crop_features(tmp_path)([sample(n, "FD1", "train") for n in range(3)])
    assert one.shape == (8 * 8 * 8,)
    assert np.linalg.norm(one - same) < 0.1 * np.linalg.norm(one - far)
