"""Two studies in one clone: each is asked for itself, and a person forgotten is gone from both."""

import json
import shutil
from pathlib import Path

import pytest

from flows.cli import main
from flows.studies import made, made_here
from pipeline.corpus.plan import make_plan
from pipeline.errors import StageError
from pipeline.faces.manifest import make
from pipeline.files import write_jsonl
from pipeline.lineage.elsewhere import elsewhere
from pipeline.lineage.lock import read_lock
from pipeline.lineage.removal import find_subject, plan_removal
from pipeline.lineage.search import known_looks, search
from pipeline.lineage.verify import made_in, verify
from pipeline.params import load_params
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace

# People of two cohorts, a condition drawn over severities, two tasks, folds; no second portrait.
WEAK = {
    "name": "weak",
    "cohorts": {"cast": 4, "others": 2},
    "arms": [
        {"label": "calm", "cohorts": ["cast", "others"], "expressions": ["FD1"]},
        {
            "label": "ill", "cohorts": ["cast", "others"], "expressions": ["FD1"],
            "conditions": [{"kind": "palsy", "severity": [0.2, 1.0]}],
        },
    ],
    "portraits": 1,
    "tasks": {
        "diagnosis": {"positive": "ill"},
        "severity": {
            "among": "ill",
            "classes": {"mild": {"severity": [0, 0.6]}, "severe": {"severity": [0.6001, 1]}},
        },
    },
    "protocols": {
        "folds": {"unit": "clip", "together": "person", "folds": 2, "leaky": False},
        "leaky": {"unit": "window", "together": "nothing", "test": 0.3, "leaky": True},
    },
    "models": {"convlstm": {}, "framecnn": {"tasks": ["diagnosis"]}},
    "published": None,
}  # fmt: skip


@pytest.fixture
def both(clone_of, monkeypatch):
    made = clone_of("two-studies", {}, WEAK)
    monkeypatch.chdir(made.root)
    return made


def test_each_study_verifies_and_is_explained_for_itself(both, capsys):
    assert made_in(read_lock(Path("dvc.lock"))) == ["deterioration", "weak"]
    assert [finding.text() for finding in verify(both.place)] == []
    assert main(["explain", "model:diagnosis/framecnn/folds-1", "--study", "weak"]) == 0
    assert "metric:diagnosis/framecnn/folds" in capsys.readouterr().out
    assert main(["explain", "model:severity/framecnn/folds-1", "--study", "weak"]) == 2
    assert main(["explain", "model:folds-1", "--study", "weak"]) == 2  # two are called so
    assert main(["explain", "metric:clean"]) == 0
    capsys.readouterr()
    assert main(["find", "--label", "ill", "--cohort", "others", "--study", "weak"]) == 0
    plan = [json.loads(line) for line in Path("data/weak/plan.jsonl").read_text().splitlines()]
    ill = {r["clip_id"] for r in plan if (r.get("label"), r.get("cohort")) == ("ill", "others")}
    assert set(capsys.readouterr().out.split()) == ill
    assert main(["find", "--label", "I'll", "--study", "weak"]) == 2
    assert "the nearest is 'ill'" in capsys.readouterr().err


def test_a_study_made_elsewhere_is_one_line_and_what_git_has_of_it_is_checked(both, capsys):
    files = both.place.files("weak")
    for path in (files.clips, files.portraits, files.transferred, files.faces, files.split,
                 files.oversampled, files.models, files.predictions, files.report):  # fmt: skip
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    lock = read_lock(Path("dvc.lock"))
    assert elsewhere(Path(), lock) == ["weak"]
    assert [finding.text() for finding in verify(both.place)] == []
    assert made() == ["deterioration", "weak"]
    assert made_here() == ["deterioration"]
    assert main(["verify"]) == 0
    said = capsys.readouterr().out
    assert "weak: not made here, so only what git has of it was checked\n" in said
    assert main(["verify", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["not_made_here"] == ["weak"]
    files.evaluation.write_text("{}")
    altered = [f.text() for f in verify(both.place)]
    assert [text for text in altered if "metrics/weak/evaluation.json" in text]
    shutil.rmtree(both.place.files("deterioration").clips)  # some of a study: lost, not elsewhere
    assert any(f.where.startswith("data/deterioration/clips") for f in verify(both.place))


def test_where_nothing_is_made_everything_is_missing(both):
    for name in ("data", "report"):
        shutil.rmtree(name)
    lock = read_lock(Path("dvc.lock"))
    assert elsewhere(Path(), lock) == []
    missing = {f.where for f in verify(both.place) if f.what == "missing"}
    assert {"data/weak/clips", "data/deterioration/clips"} <= missing


def test_a_record_without_a_newer_study_is_compared_with_what_it_has(both, capsys):
    old, new = (both.place.files(name) for name in ("deterioration", "weak"))
    new.manifest.unlink()
    make(old, None, None)
    both.commit("The record of one")
    make(new, None, None)
    both.commit("The record of both")
    assert main(["verify", "--against-record", "HEAD~1"]) == 0
    said = capsys.readouterr().out
    assert "deterioration: " in said
    assert "weak: not compared, HEAD~1 does not record it" in said
    assert main(["verify", "--against-record", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["weak"]["identical"] > 0
    next(new.clips.glob("*.mp4")).unlink()
    assert main(["verify", "--against-record"]) == 2
    assert "not as in the record: 1 film, see above" in capsys.readouterr().err
    assert main(["verify", "--against-record", "HEAD~9"]) == 2
    assert "'HEAD~9' is no revision" in capsys.readouterr().err


def test_an_altered_target_is_named_in_the_study_that_has_it(both):
    table = Path("data/weak/split/folds-1.jsonl")
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    row = next(row for row in rows if row.get("targets"))
    row["targets"]["severity"] += 0.01
    write_jsonl(table, rows)
    lines = [f.text() for f in verify(both.place) if f.what == "edited manifest"]
    assert any(line.startswith(f"edited manifest: {table}: {row['sample_id']}") for line in lines)
    assert not any("deterioration" in line for line in lines)


def test_a_person_forgotten_is_gone_from_both(both, monkeypatch, capsys):
    person = both.plan.clips[0].person.identity_id  # the cohorts of one seed are one cast
    removal = plan_removal(both.place, find_subject(both.place, person))
    known = known_looks(both.place, removal)
    for study in ("deterioration", "weak"):
        assert any(path.startswith(f"data/{study}/clips/") for path in removal.paths)
    ran = []

    def run(studies):
        ran.extend(studies)
        for files in map(Workspace, studies):
            rows = make_plan(open_study(files), load_params(), Path("portraits/register.csv"))
            write_jsonl(files.plan, [row.row() for row in rows])

    monkeypatch.setattr("flows.corpus.run_studies", run)
    assert main(["forget", person]) == 0
    said = capsys.readouterr().out
    assert "deterioration, display, clean" in said
    assert "weak model:severity/convlstm/folds-" in said  # the fold that learnt from them
    assert main(["forget", person, "--apply"]) == 0
    assert ran == ["deterioration", "weak"]
    assert search(both.place, removal, known).traces == []
    for study in ran:
        assert person not in Path(f"data/{study}/plan.jsonl").read_text()
        assert main(["explain", person, "--study", study]) == 0
        assert "removed" in capsys.readouterr().out
    assert len(Path("data/tombstones.jsonl").read_text().splitlines()) == 1


def test_of_a_study_without_them_nothing_goes(both):
    others = [r for r in _rows("weak") if r.get("cohort") == "others"]
    removal = plan_removal(both.place, find_subject(both.place, others[0]["person"]["identity_id"]))
    assert any(path.startswith("data/weak/models/") for path in removal.paths)
    assert not any(path.startswith("data/deterioration/") for path in removal.paths)


def test_a_key_of_two_people_is_asked_back(both):
    rows = _rows("weak")
    still = next(row for row in rows if row["kind"] == "portrait")
    still["key"], still["person"]["identity_id"] = "portrait/0", "identity-0000000000"
    write_jsonl(Path("data/weak/plan.jsonl"), rows)
    with pytest.raises(StageError, match="'portrait/0' is several people, say which: identity-"):
        find_subject(both.place, "portrait/0")


def test_a_version_from_before_there_were_studies_is_known(both):
    for name in ("plan.jsonl", "clips", "transferred", "portraits"):
        both.run("git", "mv", "-k", f"data/deterioration/{name}", f"data/{name}")
        if (at := Path(f"data/deterioration/{name}")).exists():
            at.rename(f"data/{name}")
    lock = Path("dvc.lock")
    lock.write_text(lock.read_text().replace("@deterioration", "").replace("/deterioration", ""))
    both.commit("As it was before")
    person = json.loads(Path("data/plan.jsonl").read_text().splitlines()[0])["person"]
    removal = plan_removal(both.place, find_subject(both.place, person["identity_id"]))
    assert any(path.startswith("data/clips/") for path in removal.paths)
    assert "data/plan.jsonl" in removal.paths


def _rows(study):
    return [json.loads(line) for line in Path(f"data/{study}/plan.jsonl").read_text().splitlines()]
