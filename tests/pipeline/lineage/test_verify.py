"""What was altered is named: one flipped byte, a label, a side, a row, a lock entry."""

import json
import shutil
from dataclasses import replace

import pytest

from pipeline.errors import StageError
from pipeline.files import write_jsonl
from pipeline.lineage import diff
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
    victim = sorted(p for p in (made.root / "data/deterioration" / folder).rglob("*")
                    if p.is_file() and p.suffix != ".jsonl")[-1]  # fmt: skip
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    [line] = said(made)
    assert line.startswith(f"altered file: {victim.relative_to(made.root)}: MD5")


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
    (made.root / "plots/deterioration/roc.png").write_text("another drawing")
    [line] = said(made)
    assert line.startswith(
        "altered file: plots/deterioration: plots/deterioration/roc.png is not what"
    )


def test_a_missing_and_an_added_file_are_named(made):
    victim = sorted((made.files.clips).iterdir())[0]
    victim.rename(victim.with_name("clip-0000000000.mp4"))
    assert [line.split(": ")[:2] for line in said(made)] == [
        ["added file", "data/deterioration/clips/clip-0000000000.mp4"],
        ["missing", f"data/deterioration/clips/{victim.name}"],
    ]


def test_a_swapped_label_is_named_once(made):
    table = made.files.faces / "faces.jsonl"
    row = edit(table, lambda row: row.update(label="FD2-L"), lambda row: row["label"] == "FD1")
    [line] = about(made, "swapped label")
    assert f"{row['clip_id']} is called FD2-L, it was made as FD1" in line


def test_a_swapped_label_is_named_though_every_hash_is_right(made):
    table = made.files.split / "clean.jsonl"
    row = edit(table, lambda row: row.update(label="FD2-L"), lambda row: row["label"] == "FD1")
    made.dvc("commit", "--force", "--quiet")
    made.commit()
    assert about(made, "altered") == []
    [line] = about(made, "swapped label")
    assert row["sample_id"] in line


@pytest.mark.parametrize("protocol", ["published", "clean"])
def test_a_sample_that_crossed_the_split_is_named(made, protocol):
    table = made.files.split / f"{protocol}.jsonl"
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
    table = made.files.plan
    row = edit(table, lambda row: row.update({field: value}), lambda row: row["kind"] == kind)
    name = row.get("clip_id") or row["portrait_id"]
    assert (
        f"edited manifest: data/deterioration/plan.jsonl: row {name} is not what its id was made of"
        in said(made)
    )


def test_a_person_swapped_for_another_is_named(made):
    table = made.files.plan
    row = edit(table, lambda row: row["identity"].update(age=20.0))
    assert any(f"{row['clip_id']} names a person it does not show" in line for line in said(made))


def test_a_quarantined_clip_smuggled_back_is_named(made):
    lost = json.loads((made.files.faces / "quarantine.jsonl").read_text())["clip_id"]
    (made.files.faces / "quarantine.jsonl").write_text("")
    assert any(f"{lost} is neither kept nor quarantined" in line for line in said(made))


def test_a_copy_of_a_test_sample_is_named(made):
    text = (made.files.split / "clean.jsonl").read_text()
    split = [json.loads(line) for line in text.splitlines()]
    tested = next(row for row in split if row["side"] == "test")
    table = made.files.oversampled / "display/clean.jsonl"
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    copy = {**tested, "side": "train", "sample_id": "sample-0000000000"}
    write_jsonl(table, [*rows, {**copy, "origin": tested["sample_id"]}])
    [line] = about(made, "oversampling outside training")
    assert "sample-0000000000 is a copy on train of a sample on the test side" in line


def test_a_copy_blended_with_a_test_sample_is_named(made):
    table = made.files.oversampled / "display/clean.jsonl"
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
    path = made.root / "metrics/deterioration/evaluation.json"
    figures = json.loads(path.read_text())
    row = next(row for row in figures["results"] if row["protocol"] == "clean")
    row["by_window"]["accuracy"] = 0.9989
    path.write_text(json.dumps(figures))
    [line] = about(made, "figure without ground")
    assert "display convlstm clean: accuracy by window is stated as 0.9989" in line


def test_an_altered_lock_is_named(made):
    path = made.root / "dvc.lock"
    lines = path.read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "path: data/deterioration/split" in line) + 2
    other = "1" if lines[at][-5] == "0" else "0"
    lines[at] = lines[at][:-5] + other + lines[at][-4:]
    path.write_text("\n".join(lines))
    kinds = about(made, "altered lock")
    assert any("is not that of the commit" in line for line in kinds)
    assert any("its stage wrote" in line for line in kinds)


def test_an_altered_parameter_is_named(made):
    path = made.root / "params.yaml"
    path.write_text(path.read_text().replace("margin: 0.1", "margin: 0.2"))
    assert any(line.startswith("stale: faces: not what stage faces@") for line in said(made))


def test_an_altered_study_is_named(made):
    path = made.files.study_file
    path.write_text(path.read_text().replace("stride: 2", "stride: 1"))
    assert any(line.startswith("stale: study.input: not what stage split@") for line in said(made))


def test_a_label_that_no_arm_makes_is_named(made):
    table = made.files.plan
    row = edit(table, lambda row: row.update(label="FD2-L"), lambda row: row["label"] == "FD1")
    assert any(f"{row['clip_id']} is FD2-L, which no arm" in line for line in said(made))


def test_other_code_than_the_lock_names_is_stale(made):
    path = made.root / "code/render.json"
    path.write_text(path.read_text().replace('"digest":', '"digest": "other", "was":'))
    assert any(line.startswith("stale: code/render.json: not the code") for line in said(made))


def test_a_table_that_is_no_table_is_named(made):
    (made.files.split / "clean.jsonl").write_text("{")
    [line] = about(made, "edited manifest")
    assert "data/deterioration/split/clean.jsonl line 1 is not JSON" in line


def reworded(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize(
    ("old", "new"),
    [("cmd: 'true'", "cmd: echo"), ("- data/${key}/plan.jsonl", "- params.yaml"),
     ("- params.seed", "- params.sow"),
     ("frozen: true", "frozen: false"), ("- data/${key}/clips", "- data/${key}/klips")],
)  # fmt: skip
def test_an_altered_pipeline_is_named(made, old, new):
    reworded(made.root / "dvc.yaml", old, new)
    assert about(made, "altered pipeline: dvc.yaml: stage")


def test_an_altered_pipeline_is_named_though_it_was_committed(made):
    reworded(made.root / "dvc.yaml", "cmd: 'true'", "cmd: echo")
    made.commit()
    [line] = about(made, "altered pipeline")
    assert "the command of stage" in line


@pytest.mark.parametrize("key", ["size", "nfiles", "hash"])
@pytest.mark.parametrize("commits", [False, True])
def test_what_the_lock_says_beside_a_hash_is_held_too(made, key, commits):
    lines = (made.root / "dvc.lock").read_text().splitlines()
    at = next(n for n, line in enumerate(lines) if "path: data/deterioration/split" in line)
    at = next(n for n in range(at, len(lines)) if lines[n].lstrip().startswith(f"{key}:"))
    lines[at] = lines[at].partition(":")[0] + ": 7"
    (made.root / "dvc.lock").write_text("\n".join(lines))
    if commits:
        made.commit()
    assert about(made, "altered lock: dvc.lock")


def test_a_git_that_fails_is_no_missing_repository(made, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    [line] = said(made)
    assert line.startswith("unknown history: .git: ")
    assert "safe.directory" in line
    with pytest.raises(StageError, match=r"safe\.directory"):
        diff.snapshot(made.root, "HEAD")


def test_without_git_verify_says_so(made):
    shutil.rmtree(made.root / ".git")
    [line] = said(made)
    assert "git keeps no versions of" in line
    unversioned = replace(made.place, unversioned=True)  # as DVC was told: the demo
    assert list(verify(unversioned)) == []
    assert "git keeps no version to hold it against" in summary(unversioned)


def test_an_altered_object_of_a_folder_remote_is_named(made):
    victim = sorted(made.place.remotes["store"].glob("files/md5/??/*"))[0]
    victim.chmod(0o644)
    victim.write_bytes(b"rotten")
    [line] = said(made)
    assert line.startswith(f"altered remote:store: {victim}")
