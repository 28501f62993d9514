"""The gates on what is committed, and each of them on a planted fault.

CI runs this file: a figure, probe, split or printed number that does not hold stops it.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flows.cli import main
from flows.commands.gate import PAGES, measured
from pipeline.files import write_json
from pipeline.lineage.gates import gates
from pipeline.lineage.ledger import LEDGER
from pipeline.report.templates import percent
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[1]
FILES = Workspace()
RECORD = {
    "first": "convlstm",
    "models": {"convlstm": {"accuracy": 0.94, "accuracy_ci95": [0.9, 0.97], "n_test": 176,
                            "seeds": [0.93, 0.95], "seeds_sd": 0.014, "n_people": 25}},
    "recipe": {"folds": 5}, "cheap": [],
    "single_run": {"low": 0.8, "high": 1.0},
    "doubt": {"alpha": 0.1, "limit": 0.5, "unsure": 0.6, "groups": 25, "coverage": 0.91,
              "coverage_ci95": [0.87, 0.94], "unknown": 0.1, "unknown_ci95": [0.06, 0.14]},
}  # fmt: skip


@pytest.fixture
def committed(tmp_path, monkeypatch):
    """What git has of studies with figures, to be spoilt; the main one has a record in any case."""
    monkeypatch.chdir(tmp_path)
    for folder in (path for path in (ROOT / "metrics").iterdir() if path.is_dir()):
        shutil.copytree(folder, f"metrics/{folder.name}")
        shutil.copytree(ROOT / "studies" / folder.name, f"studies/{folder.name}")
    for name in ("README.md", "params.yaml"):
        shutil.copy(ROOT / name, name)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    if not FILES.folds.is_file():
        write_json(FILES.folds, RECORD)
    return tmp_path


def findings():
    return [finding.text() for finding in gates(measured(), PAGES)]


def spoil(path, *keys, value):
    """Set a value deep in a JSON file."""
    found = json.loads(path.read_text())
    part = found
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    path.write_text(json.dumps(found))


def clean_row(name):
    rows = json.loads(FILES.evaluation.read_text())[name]
    return next(n for n, row in enumerate(rows) if not row["leaky"])


def test_what_is_committed_holds(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert MAIN in measured()
    assert findings() == []


def test_a_figure_outside_its_range_is_found(committed):
    spoil(FILES.folds, "single_run", value={"low": 0.0, "high": 0.5})
    [found] = [text for text in findings() if text.startswith("out of range")]
    assert "clean accuracy" in found
    assert "must be in 0.0 to 50.0" in found


def test_sets_that_break_their_promise_are_found(committed):
    spoil(FILES.folds, "doubt", "coverage_ci95", value=[0.7, 0.89])
    assert any("sets that promise 90.0 cover" in text for text in findings())


def test_a_probe_above_chance_is_found(committed):
    at = clean_row("probes")
    spoil(FILES.evaluation, "probes", at, "identity", "accuracy", value=0.4)
    spoil(FILES.evaluation, "probes", at, "identity", "accuracy_ci95", value=[0.35, 0.45])
    [found] = [text for text in findings() if text.startswith("probe above chance")]
    assert "identity tells 40.0 (35.0 to 45.0), chance is 20.0" in found


def test_where_all_are_tested_the_largest_class_is_chance(committed):
    """In mood each person shows four negative pictures of 15, so who is seen names 26.7 %."""
    file = Workspace("mood").evaluation
    rows = json.loads(file.read_text())["probes"]
    at = next(n for n, row in enumerate(rows) if not row["leaky"])
    assert rows[at]["identity"]["accuracy_ci95"] == [0.266667, 0.266667]
    assert findings() == []
    spoil(file, "probes", at, "identity", "accuracy", value=0.28)
    [found] = findings()
    assert "identity tells 28.0" in found
    assert "chance is 26.7" in found


@pytest.mark.parametrize(
    ("keys", "value", "said"),
    [
        (("groups", "shared"), 1, "both sides: .* 1 of groups stand on train and test"),
        (("person", "shared"), 2, "2 of person stand"),
        (("portrait", "shared"), 1, "1 of portrait stand"),
        (("faces", "twins"), 1, "1 face is on both sides under two names, such as sample-"),
        (("shared_frames",), 3, "3 test frames are training frames too"),
        (("nearest", "smallest"), 0.02, "near twin: .* differs from a training one in 2.0 %"),
    ],
)
def test_somebody_on_both_sides_is_found(committed, keys, value, said):
    spoil(FILES.proof, "clean", *keys, value=value)
    found = [text for text in findings() if text.startswith(("both sides", "near twin"))]
    assert len(found) == 1
    assert re.search(said, found[0])


def test_of_clips_of_one_window_only_the_same_hash_is_a_twin(committed):
    clips = json.loads(FILES.proof.read_text())["clean"]["clips"]
    sides = {side: clips[side] for side in ("train", "test")}
    spoil(FILES.proof, "clean", "samples", value=sides | {"train": clips["train"] + 1})
    spoil(FILES.proof, "clean", "nearest", "smallest", value=0.02)
    assert [text.split(":")[0] for text in findings()] == ["near twin"]
    spoil(FILES.proof, "clean", "samples", value=sides)
    assert findings() == []
    spoil(FILES.proof, "clean", "nearest", "smallest", value=0.0)
    [found] = findings()
    assert "differs from a training one in 0.0 % of its hash" in found


def test_a_leaky_draw_may_share(committed):
    spoil(FILES.proof, "published", "shared_frames", value=10**6)
    assert not any("both sides" in text for text in findings())


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("share", "99.2 % of 28 clips is no figure of the metrics"),
        ("ends", "50.1 to 100 is not the interval of"),
        ("block", "`pallor report --study deterioration` says no"),
    ],
)
def test_a_printed_figure_that_differs_is_found(committed, kind, said):
    page, row = PAGES[0], json.loads(FILES.evaluation.read_text())["results"][clean_row("results")]
    text = page.read_text()
    clips = row["by_clip"]["n_test"]
    value = f"{percent(row['by_clip']['accuracy'])} % of {clips} clips"
    assert value in text
    if kind == "share":
        text = text.replace(value, f"99.2 % of {clips} clips", 1)
    elif kind == "ends":
        head, _, tail = text.partition(f"{value} (")
        assert tail
        text = f"{head}{value} (50.1 to 100){tail.partition(')')[2]}"
    else:
        made = json.loads(FILES.counts.read_text())["clips"]
        assert f"\n{made} clips: " in text
        text = text.replace(f"\n{made} clips: ", f"\n{made + 1} clips: ", 1)
    page.write_text(text)
    assert any(said.replace("28", str(clips)) in found for found in findings())


def test_the_command_ends_with_code_2_and_names_the_fault(committed, capsys):
    spoil(FILES.proof, "clean", "faces", "twins", value=1)
    assert main(["gate"]) == 2
    said = capsys.readouterr()
    assert "both sides: metrics/deterioration/split_proof.json, clean: 1 face is on" in said.out
    assert "1 figure does not hold, see above (docs/gates.md)" in said.err


def test_a_release_gets_one_row(committed, capsys):
    assert main(["history"]) == 0
    assert "has no row yet" in capsys.readouterr().out
    somebody = ["-c", "user.name=a", "-c", "user.email=a@b"]
    for command in (["init", "-q"], ["add", "README.md"], [*somebody, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], check=True)
    hardware = {"cpu": "a processor", "instructions": [], "ram_gb": 8.0, "gpus": []}
    for number, seconds in enumerate((30.0, 630.0, 0.5)):
        run = {"name": f"render@{MAIN}", "outcome": "completed", "seconds": seconds}
        write_json(Path(f".pallor/runs/{number}.json"), run | {"hardware": hardware})
    assert main(["history", "--add", "0.2.0"]) == 0
    said = capsys.readouterr().out
    assert "0.2.0 (" in said
    assert "10 min on a processor" in said
    [row] = [json.loads(line) for line in LEDGER.read_text().splitlines()]
    assert row["seconds"] == {f"render@{MAIN}": 630.0}
    assert set(row["figures"][MAIN]) == {"published", "clean", "record"}
    for version, said in (("0.2.0", "has a row of 0.2.0"), ("two", "'two' is no version")):
        assert main(["history", "--add", version]) == 2
        assert said in capsys.readouterr().err


def test_metrics_of_another_shape_are_one_sentence(committed, capsys):
    spoil(FILES.proof, "clean", value={"nearest": 3})
    assert main(["gate"]) == 2
    assert "does not hold the figures of a run" in capsys.readouterr().err


def test_a_bad_figure_stops_a_release(committed, capsys):
    spoil(FILES.proof, "clean", "faces", "twins", value=1)
    assert main(["release", "1.0.0"]) == 2
    said = capsys.readouterr().err
    assert "this is no release: both sides: metrics/deterioration/split_proof.json" in said
    assert "`pallor gate` lists all" in said
