from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.files import read_json, write_jsonl
from pipeline.oversample import class_counts, oversample, oversample_splits
from pipeline.params import OversampleParams
from pipeline.records import Sample


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


@given(tables, st.integers(0, 2**62))
def test_rows_of_the_split_come_first_untouched(rows, seed):
    after = oversample(rows, OversampleParams(), seed)
    assert [s.model_dump_json() for s in after[: len(rows)]] == [s.model_dump_json() for s in rows]
    assert all(s.side == "train" for s in after[len(rows) :])


@given(tables, st.integers(0, 2**62))
def test_training_classes_are_even(rows, seed):
    counts = class_counts(rows, oversample(rows, OversampleParams(), seed))
    assert len(set(counts["train_after"].values())) == 1
    assert max(counts["train_before"].values()) == max(counts["train_after"].values())


@given(tables, st.integers(0, 2**62))
def test_every_copy_names_a_training_original_and_has_its_own_id(rows, seed):
    after = oversample(rows, OversampleParams(), seed)
    originals = {s.sample_id: s for s in rows if s.side == "train"}
    for copy in after[len(rows) :]:
        source = originals[copy.origin]
        assert copy == source.model_copy(
            update={"sample_id": copy.sample_id, "origin": source.sample_id}
        )
    assert max(Counter(s.sample_id for s in after).values()) == 1


@given(tables, st.integers(0, 2**62))
def test_same_seed_same_copies(rows, seed):
    assert oversample(rows, OversampleParams(), seed) == oversample(rows, OversampleParams(), seed)


def test_none_copies_nothing():
    rows = [sample(0, "FD1", "train"), sample(1, "FD2-L", "train"), sample(2, "FD1", "train")]
    assert oversample(rows, OversampleParams(method="none"), 0) == rows


def test_one_class_is_refused():
    with pytest.raises(StageError, match="fewer than two classes"):
        oversample([sample(0, "FD1", "train"), sample(1, "FD2-L", "test")], OversampleParams(), 0)


def test_stage_keeps_the_split_file_as_its_first_bytes(tmp_path):
    rows = [sample(n, "FD1" if n % 3 else "FD2-L", "test" if n > 8 else "train") for n in range(12)]
    for protocol in ("published", "clean"):
        write_jsonl(tmp_path / f"split/{protocol}.jsonl", [s.row() for s in rows])
    oversample_splits(
        tmp_path / "split", tmp_path / "out", tmp_path / "balance.json", OversampleParams(), 3
    )
    before = (tmp_path / "split/clean.jsonl").read_bytes()
    assert (tmp_path / "out/clean.jsonl").read_bytes().startswith(before)
    balance = read_json(tmp_path / "balance.json")
    assert balance["clean"]["train_after"] == {"FD1": 6, "FD2-L": 6}
    assert balance["published"]["test"] == {"FD1": 2, "FD2-L": 1}
