"""The pages in docs/formats against the readers: examples that load, tables that miss no field."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from avatars import expression
from pipeline.corpus.planned import read_plan
from pipeline.corpus.register import COLUMNS, read_register
from pipeline.errors import StageError
from pipeline.faces.quality import REASONS
from pipeline.params import load_params
from pipeline.records import (
    ClipPlan,
    FaceTrack,
    Person,
    Planned,
    PortraitPlan,
    Record,
    Sample,
    TransferPlan,
    short_id,
)
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "formats"
RECORDS: dict[str, tuple[type[Record], ...]] = {  # page > whose every field it must name
    "plan": (ClipPlan, PortraitPlan, TransferPlan, Person),
    "faces": (FaceTrack, Person),
    "split": (Sample,),
}


def page(name):
    return (PAGES / f"{name}.md").read_text()


def blocks(name, language):
    return re.findall(rf"```{language}\n(.*?)```", page(name), re.DOTALL)


def example(name, record):
    return record.parse(json.loads(blocks(name, "json")[0]))


@pytest.mark.parametrize("name", RECORDS)
def test_a_page_names_every_field_of_its_records(name):
    fields = {field for record in RECORDS[name] for field in record.model_fields}
    assert {field for field in fields if not re.search(rf'[`"]{field}[`"]', page(name))} == set()


@pytest.mark.parametrize(
    ("name", "record"), [("faces", FaceTrack), ("plan", TransferPlan), ("split", Sample)]
)
def test_an_example_row_is_read_and_written_as_it_stands(name, record):
    text = blocks(name, "json")[0].strip()
    assert json.dumps(example(name, record).row(), sort_keys=True, separators=(",", ":")) == text


@pytest.mark.parametrize(
    ("name", "record"), [("faces", FaceTrack), ("plan", TransferPlan), ("split", Sample)]
)
def test_a_row_that_does_not_fit_its_page_is_refused(name, record):
    row = json.loads(blocks(name, "json")[0])
    for field in set(row) - {
        "origin",
        "partner",
        "kind",
        *Planned.model_fields,
    }:  # these have defaults
        less = {key: value for key, value in row.items() if key != field}
        with pytest.raises(StageError, match=rf"{record.__name__} row does not fit.*"):
            record.parse(less)
    with pytest.raises(StageError, match="does not fit its format"):
        record.parse({**row, "mood": "calm"})


def test_the_id_of_the_splits_example_is_the_digest_that_the_page_says():
    sample = example("split", Sample)
    content = {"clip_id": sample.clip_id, "start": sample.start, "length": sample.length}
    assert sample.sample_id == short_id("sample", content)


def test_the_plans_example_is_a_plan(tmp_path):
    (tmp_path / "plan.jsonl").write_text(blocks("plan", "json")[0])
    [transfer] = read_plan(tmp_path / "plan.jsonl").transfers
    assert transfer.portrait_id == "portrait-5b0c9d8e7f"


def test_the_plan_of_this_checkout_fits_its_page():
    plan = read_plan(Workspace(root=ROOT).plan)
    assert plan.clips
    assert {clip.size for clip in plan.clips} == {load_params(ROOT / "params.yaml").plan.size}


def test_the_clip_pages_code_runs_on_a_clips_truth(tmp_path, monkeypatch):
    [code] = blocks("clip", "python")
    monkeypatch.chdir(tmp_path)
    path = Path(re.findall(r'"(data/.*?)"', code)[0])
    path.parent.mkdir(parents=True)
    executed = np.random.default_rng(0).random((4, 2, 2), np.float32)
    np.savez(path, units=np.array(["15", "43"]), executed=executed)
    names = {}
    exec(code, names)
    assert np.array_equal(names["shut"], executed[:, 1])


def test_the_clip_page_names_every_array_that_a_clip_keeps():
    source = (ROOT / "avatars" / "clip.py").read_text()
    kept = re.findall(
        r'^        "(\w+)": ', source[source.index('"intended"') - 60 :], re.MULTILINE
    )
    assert {"intended", "camera", "mouth_mm"} <= set(kept)
    assert [name for name in kept if f"| `{name}` |" not in page("clip")] == []


def test_the_expression_pages_example_can_be_performed():
    found = expression.parse(json.loads(blocks("expression", "json")[0]), "the page")
    performance = expression.perform(found, 16, 8, np.random.default_rng(0))
    assert performance.intended.max() > 0.9


def test_the_registers_example_is_read(tmp_path):
    (tmp_path / "register.csv").write_text(blocks("register", "csv")[0])
    [photograph] = read_register(tmp_path / "register.csv")
    assert photograph.licence == "public domain (NASA)"
    assert photograph.age is None
    assert all(f"`{column}`" in page("register") for column in COLUMNS)


def test_the_quarantine_page_has_every_reason_and_no_other():
    table = page("quarantine").split("| reason | the gate")[1]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == set(REASONS)
    row = json.loads(blocks("quarantine", "json")[0])
    assert set(row) == {"clip_id", "reason", "detail"}
    assert row["reason"] in REASONS


def test_the_detectors_example_has_what_the_page_says():
    found = json.loads(blocks("faces", "json")[1])
    assert set(found) == {"detector", "because", "identity"}
    assert all(re.fullmatch("[0-9a-f]{64}", d) for d in found["identity"]["weights"].values())


def test_the_balance_examples_classes_are_even_after_and_never_fewer():
    [block] = blocks("oversampled", "json")
    counts = json.loads("{" + block + "}")["published"]
    assert set(counts["train_after"].values()) == {max(counts["train_before"].values())}
    assert all(counts["train_after"][k] >= n for k, n in counts["train_before"].items())


def test_the_proof_examples_share_what_their_split_allows():
    proof = json.loads("{" + blocks("split", "json")[1] + "}")
    assert proof["clean"]["shared_groups"] == proof["clean"]["groups"]["shared"] == 0
    assert proof["published"]["shared_groups"] > 0
    for found in proof.values():
        nearest = found["nearest"]
        assert 0 <= nearest["smallest"] <= nearest["median"] <= nearest["largest"] <= 1


def keys_of(value):
    """Every name in a JSON value that is a field and not a class, a clip or a kind."""
    if isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from keys_of(inner)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("evaluation", "metrics/deterioration/counts.json"),
        ("split", "metrics/deterioration/split_proof.json"),
    ],
)
def test_every_field_of_a_committed_metric_stands_on_its_page(name, file):
    written = json.loads((ROOT / file).read_text())
    written.pop("quarantine_reasons", None)
    fields = set(keys_of(written)) - {"published", "clean", "train", "test", "shared"}
    assert {field for field in fields if f"`{field}`" not in page(name)} <= {
        "largest", "median", "smallest",  # named in words
    }  # fmt: skip
