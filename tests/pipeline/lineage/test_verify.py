"""What was altered is named: one flipped byte, a label, a side, a row, a lock entry."""

import json

import pytest

from pipeline.files import write_jsonl
from pipeline.lineage.verify import summary, verify
from pipeline.records import Partner, Sample


def edit(path, change, where=lambda row: True):
    """Change the first row of a table that `where` picks; the row as it is now."""
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    row = next(row for row in rows if where(row))
    change(row)
    write_jsonl(path, rows)
    return row


def said(made):
    return [finding.text() for finding in verify(made.place)]


def about(made, what):
    return [line for line in said(made) if line.startswith(what)]


def test_what_the_stages_made_has_no_finding(template):
    assert said(template) == []
    assert "files and" in summary(template.place)


@pytest.mark.parametrize("folder", ["clips", "portraits", "transferred", "faces", "models"])
def test_one_flipped_byte_is_named(made, folder):
    victim = sorted(p for p in (made.root / "data" / folder).iterdir() if p.suffix != ".jsonl")[-1]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    [line] = said(made)
    assert line.startswith(f"altered file: data/{folder}/{victim.name}: MD5")


def test_a_flipped_byte_in_the_cache_is_named(made):
    victim = sorted(made.place.cache.glob("files/md5/??/*"))[0]
    victim.chmod(0o644)
    victim.write_bytes(victim.read_bytes() + b"x")
    [line] = said(made)
    assert line.startswith("altered cache:")
    assert victim.name in line


def test_without_the_list_of_a_folder_git_names_the_file(made):
    for store in made.place.stores:
        for path in store.glob("files/md5/??/*.dir"):
            path.unlink()
    (made.root / "plots/roc.png").write_text("another drawing")
    [line] = said(made)
    assert line.startswith("altered file: plots: plots/roc.png is not what dvc.lock has")


def test_a_missing_and_an_added_file_are_named(made):
    victim = sorted((made.root / "data/clips").iterdir())[0]
    victim.rename(victim.with_name("clip-0000000000.mp4"))
    assert [line.split(": ")[:2] for line in said(made)] == [
        ["added file", "data/clips/clip-0000000000.mp4"],
        ["missing", f"data/clips/{victim.name}"],
    ]


def test_a_swapped_label_is_named_once(made):
    table = made.root / "data/faces/faces.jsonl"
    row = edit(table, lambda row: row.update(label="FD2-L"), lambda row: row["label"] == "FD1")
    [line] = about(made, "swapped label")
    assert f"{row['clip_id']} is called FD2-L, it was made as FD1" in line


def test_a_swapped_label_is_named_though_every_hash_is_right(made):
    table = made.root / "data/split/clean.jsonl"
    row = edit(table, lambda row: row.update(label="FD2-L"), lambda row: row["label"] == "FD1")
    made.dvc("commit", "--force", "--quiet")
    made.commit()
    assert about(made, "altered") == []
    [line] = about(made, "swapped label")
    assert row["sample_id"] in line


@pytest.mark.parametrize("protocol", ["published", "clean"])
def test_a_sample_that_crossed_the_split_is_named(made, protocol):
    table = made.root / f"data/split/{protocol}.jsonl"
    row = edit(table, lambda row: row.update(side="train"), lambda row: row["side"] == "test")
    [line] = about(made, "sample moved")
    assert f"{row['sample_id']} of {row['clip_id']} is on train, drawn test" in line
    people = about(made, "people on both sides")
    assert len(people) == (protocol == "clean")


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [("clip", "seed", 1), ("portrait", "consent", "none"), ("transfer", "expression", "FD9")],
)
def test_an_edited_row_of_the_plan_is_named(made, kind, field, value):
    table = made.root / "data/plan.jsonl"
    row = edit(table, lambda row: row.update({field: value}), lambda row: row["kind"] == kind)
    name = row.get("clip_id") or row["portrait_id"]
    assert f"edited manifest: data/plan.jsonl: row {name} is not what its id was made of" in said(
        made
    )


def test_a_person_swapped_for_another_is_named(made):
    table = made.root / "data/plan.jsonl"
    row = edit(table, lambda row: row["identity"].update(age=20.0))
    assert any(f"{row['clip_id']} names a person it does not show" in line for line in said(made))


def test_a_quarantined_clip_smuggled_back_is_named(made):
    lost = json.loads((made.root / "data/faces/quarantine.jsonl").read_text())["clip_id"]
    (made.root / "data/faces/quarantine.jsonl").write_text("")
    assert any(f"{lost} is neither kept nor quarantined" in line for line in said(made))


def test_a_copy_of_a_test_sample_is_named(made):
    text = (made.root / "data/split/clean.jsonl").read_text()
    split = [json.loads(line) for line in text.splitlines()]
    tested = next(row for row in split if row["side"] == "test")
    table = made.root / "data/oversampled/clean.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    copy = {**tested, "side": "train", "sample_id": "sample-0000000000"}
    write_jsonl(table, [*rows, {**copy, "origin": tested["sample_id"]}])
    [line] = about(made, "oversampling outside training")
    assert "sample-0000000000 is a copy on train of a sample on the test side" in line


def test_a_copy_blended_with_a_test_sample_is_named(made):
    table = made.root / "data/oversampled/clean.jsonl"
    rows = [Sample.parse(json.loads(line)) for line in table.read_text().splitlines()]
    tested = next(row for row in rows if row.side == "test")
    origin = next(row for row in rows if row.side == "train" and row.label == tested.label)
    partner = Partner(
        sample_id=tested.sample_id, clip_id=tested.clip_id, start=tested.start, share=0.5
    )
    copied = sum(row.origin == origin.sample_id for row in rows)
    copy = origin.copied(copied + 1, partner)
    write_jsonl(table, [row.row() for row in [*rows, copy]])
    [line] = about(made, "oversampling outside training")
    assert f"blended with {tested.sample_id}, no training window of {origin.label}" in line


def test_a_figure_that_the_predictions_do_not_give_is_named(made):
    path = made.root / "metrics/evaluation.json"
    figures = json.loads(path.read_text())
    figures["clean"]["by_window"]["accuracy"] = 0.9989
    path.write_text(json.dumps(figures))
    [line] = about(made, "figure without ground")
    assert "clean accuracy by window is stated as 0.9989" in line


def test_an_altered_lock_is_named(made):
    path = made.root / "dvc.lock"
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "path: data/split" in line) + 2
    lines[at] = lines[at][:-5] + "0" + lines[at][-4:]
    path.write_text("\n".join(lines))
    kinds = about(made, "altered lock")
    assert any("is not that of the commit" in line for line in kinds)
    assert any("its stage wrote" in line for line in kinds)


def test_an_altered_parameter_is_named(made):
    path = made.root / "params.yaml"
    path.write_text(path.read_text().replace("test_fraction: 0.3", "test_fraction: 0.4"))
    assert any(line.startswith("stale: params.yaml: split") for line in said(made))


def test_a_table_that_is_no_table_is_named(made):
    (made.root / "data/split/clean.jsonl").write_text("{")
    [line] = about(made, "edited manifest")
    assert "data/split/clean.jsonl line 1 is not JSON" in line
