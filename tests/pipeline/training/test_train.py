import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import load
from pipeline.errors import StageError
from pipeline.files import read_json
from pipeline.params import TrainParams
from pipeline.records import Partner, Sample
from pipeline.store.store import Store
from pipeline.training.train import assemble, carve, jobs, read_samples, train, work

BRIEF = TrainParams(hidden=4, epochs=1, batch=32)


def sample(number, group, origin=None, side="train"):
    return Sample(
        sample_id=f"sample-{number}", clip_id=f"clip-{number}", start=0, length=4, label="FD1",
        group=group, side=side, origin=origin,
    )  # fmt: skip


def partner_of(other):
    return Partner(sample_id=other.sample_id, clip_id=other.clip_id, start=0, share=0.5)


@st.composite
def tables(draw):
    groups = draw(st.lists(st.sampled_from("abcdef"), min_size=8, max_size=40))
    originals = [sample(number, group) for number, group in enumerate(groups)]
    copied = draw(st.lists(st.sampled_from(originals), max_size=20))
    copies = [
        sample(1000 + n, original.group, original.sample_id) for n, original in enumerate(copied)
    ]
    return [*originals, sample(5000, "tested", side="test"), *copies]


@given(tables(), st.integers(0, 2**63 - 1))
def test_nothing_validated_on_is_fitted_on(table, seed):
    fitted, held = carve("published", table, 0.2, seed)
    known = {s.origin or s.sample_id for s in fitted}
    assert held
    assert not known & {s.sample_id for s in held}
    assert all(s.side == "train" for s in fitted + held)
    assert all(s.origin is None for s in held)


@given(tables(), st.integers(0, 2**63 - 1))
def test_clean_validation_shares_no_group(table, seed):
    if len({s.group for s in table if s.side == "train"}) < 2:
        return
    fitted, held = carve("clean", table, 0.2, seed)
    assert held
    assert not {s.group for s in fitted} & {s.group for s in held}


@pytest.mark.parametrize("protocol", ["clean", "published"])
def test_a_blend_with_what_is_validated_on_is_not_fitted_on(protocol):
    originals = [sample(number, group) for number, group in enumerate("abcdef")]
    blends = [
        sample(100 + n, one.group, one.sample_id).model_copy(update={"partner": partner_of(other)})
        for n, (one, other) in enumerate(itertools.permutations(originals, 2))
    ]
    fitted, held = carve(protocol, originals + blends, 0.2, 3)
    used = {s.origin for s in fitted} | {s.partner.sample_id for s in fitted if s.partner}
    assert len(held) == 1
    assert not used & {s.sample_id for s in held}
    assert len(fitted) == 5 + 5 * 4


def test_one_group_cannot_be_carved():
    with pytest.raises(StageError, match="clean holds 1 groups of people, too few"):
        carve("clean", [sample(1, "a"), sample(2, "a")], 0.1, 0)


def test_a_model_and_its_record_are_written(line):
    for protocol in ("published", "clean"):
        model = load(line.inputs.models / f"{protocol}.safetensors")
        record = read_json(line.inputs.models / f"{protocol}.json")
        assert model.labels == ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")
        assert model.window == line.params.split.window
        assert len(record["curve"]) == line.params.train.epochs
        assert 1 <= record["best_epoch"] <= line.params.train.epochs


def test_windows_are_counted_in_the_record(line):
    record = read_json(line.inputs.models / "published.json")
    table = read_samples(line.oversampled / "published.jsonl")
    side = [s for s in table if s.side == "train"]
    windows = record["windows"]
    originals = sum(s.origin is None for s in side)
    assert windows["originals"] + windows["validation"] == originals
    assert windows["copies"] <= len(side) - originals


def test_same_arguments_same_bytes(line, tmp_path):
    table = read_samples(line.oversampled / "clean.jsonl")
    for name in ("a", "b"):
        train("clean", table, line.inputs.faces, BRIEF, 9, tmp_path / name)
    for file in ("clean.safetensors", "clean.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_stage_trains_each_protocol_in_its_own_process(line, tmp_path):
    store = Store(tmp_path / "home", "train")
    made = jobs(line.oversampled, line.inputs.faces, BRIEF, 9)
    work(made, store)
    assemble(made, store, tmp_path / "models")
    assert sorted(path.name for path in (tmp_path / "models").iterdir()) == [
        "clean.json", "clean.safetensors", "published.json", "published.safetensors",
    ]  # fmt: skip
    seeded = made[1].item
    table = read_samples(seeded.table)
    train("clean", table, line.inputs.faces, BRIEF, seeded.seed, tmp_path / "here")
    here, there = (tmp_path / folder / "clean.safetensors" for folder in ("here", "models"))
    assert here.read_bytes() == there.read_bytes()


def test_keys_change_with_what_decides_the_weights(line):
    keys = [job.key for job in jobs(line.oversampled, line.inputs.faces, BRIEF, 9)]
    assert keys == [job.key for job in jobs(line.oversampled, line.inputs.faces, BRIEF, 9)]
    other = BRIEF.model_copy(update={"dropout": 0.3})
    assert not set(keys) & {j.key for j in jobs(line.oversampled, line.inputs.faces, other, 9)}
    assert not set(keys) & {j.key for j in jobs(line.oversampled, line.inputs.faces, BRIEF, 10)}


def test_a_failed_training_says_why_and_leaves_nothing(line, tmp_path):
    store = Store(tmp_path / "home", "train")
    folder = tmp_path / "oversampled"
    folder.mkdir()
    for name in ("published", "clean"):
        rows = [sample(1, "a").row()]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "clip-1.mp4").write_bytes(b"")
    made = jobs(folder, tmp_path, BRIEF, 9)
    with pytest.raises(StageError, match=r"training published failed: .*too few to validate"):
        work(made, store)
    assert not store.has(made[0].key)
