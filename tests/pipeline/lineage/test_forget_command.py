"""`pallor forget` itself: what it says, what it refuses, what it leaves behind."""

import json
import os
import shutil
import sys
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from flows.cli import main
from flows.workspace import only_run
from pipeline.corpus.plan import make_plan
from pipeline.files import read_jsonl, write_jsonl
from pipeline.params import load_params
from pipeline.study_checks import open_study

PAGE = Path(__file__).parents[3] / "docs/formats/tombstones.md"


def test_the_command_excludes_erases_buries_and_explain_remembers(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    portrait = next(p for p in made.plan.portraits if p.file)
    transfer = next(t for t in made.plan.transfers if t.portrait_id == portrait.portrait_id)
    assert main(["forget", "photo/astronaut"]) == 0
    assert "nothing was removed" in capsys.readouterr().out
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    said = capsys.readouterr().out
    assert "frames of them) and by name: nothing is left" in said
    assert "not searched: .git" in said
    assert portrait.portrait_id in load_params().plan.exclude
    [stone] = read_jsonl(made.root / "data/tombstones.jsonl")
    assert set(stone["ids"]) == {portrait.portrait_id, portrait.person.identity_id}
    assert "astronaut" not in str(stone)
    described = PAGE.read_text()
    assert all(f"`{field}`" in described for field in stone)
    assert json.loads(described.split("```json\n")[1].split("```")[0]).keys() == stone.keys()
    study = open_study(made.files)
    planned = [r.row() for r in make_plan(study, load_params(), Path("portraits/register.csv"))]
    assert portrait.portrait_id not in str(planned)
    write_jsonl(Path("data/deterioration/plan.jsonl"), planned)  # as `pallor run` leaves it
    for name in (portrait.portrait_id, "photo/astronaut", transfer.clip_id):
        assert main(["explain", name]) == 0
        said = capsys.readouterr().out
        assert "removed" in said
        assert "pallor forget" in said
        assert stone["when"] in said
    assert main(["explain", "photo/nobody"]) == 2


def test_a_dirty_tree_is_not_forgotten_from(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    (made.root / "notes").write_text("mine")
    assert main(["forget", "photo/astronaut", "--apply"]) == 2
    assert "the tree is dirty (notes)" in capsys.readouterr().err
    assert (made.files.plan).exists()


def test_nobody_is_forgotten_while_a_run_goes_on(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    with only_run("pallor run"):
        assert main(["forget", "photo/astronaut", "--apply"]) == 2
    assert "in use by `pallor run`" in capsys.readouterr().err
    assert made.files.plan.exists()
    assert made.run("git", "status", "--porcelain") == ""


def listed(made):
    """Every file of workspace, stores and remote but git's and DVC's own notes."""
    files = (p for p in made.root.parent.rglob("*") if p.is_file())
    return {p for p in files if not {".git", "tmp"} & set(p.relative_to(made.root.parent).parts)}


def anonymous(made, monkeypatch):
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    made.run("git", "config", "user.useConfigOnly", "true")


def foreign(made, monkeypatch):
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")


def shallow(made, monkeypatch):
    made.run("git", "commit", "--quiet", "--allow-empty", "--message", "second")
    made.run("git", "clone", "--quiet", "--depth=1", f"file://{made.root}", "../cut")
    shutil.rmtree(made.root / ".git")
    shutil.move(made.root.parent / "cut/.git", made.root / ".git")
    shutil.rmtree(made.root.parent / "cut")


def without_git(made, monkeypatch):
    shutil.rmtree(made.root / ".git")


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (anonymous, "git config user.name"),
        (foreign, "safe.directory"),
        (shallow, "git fetch --unshallow"),
        (without_git, "work in a `git clone`"),
    ],
)
def test_nothing_is_erased_that_git_cannot_vouch_for(made, monkeypatch, capsys, spoil, said):
    spoil(made, monkeypatch)
    monkeypatch.chdir(made.root)
    before = listed(made)
    assert main(["forget", "photo/astronaut", "--apply"]) == 2
    complaint = capsys.readouterr().err
    assert said in complaint
    assert complaint.count("\n") == 1
    assert listed(made) == before


def test_copies_in_any_format_under_any_name_are_found(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    portrait = next(p for p in made.plan.portraits if p.file)
    still = iio.imread(f"data/deterioration/portraits/{portrait.portrait_id}.png")
    still = np.kron(still, np.ones((2, 2, 1), np.uint8))
    copies = made.root / ".pallor/copies"  # where git does not look
    copies.mkdir()
    for suffix in ("webp", "tiff", "bmp", "gif"):
        iio.imwrite(copies / f"a.{suffix}", still)
    for suffix, codec in (("webm", "libvpx"), ("mkv", "libx264"), ("avi", "mpeg4")):
        film = np.stack([still] * 4)
        iio.imwrite(copies / f"a.{suffix}", film, fps=4, codec=codec, macro_block_size=1)
    shutil.copy(copies / "a.webp", copies / "notes.txt")
    shutil.copy(copies / "a.mkv", copies / "clip")
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 2
    told = capsys.readouterr()
    for copy in copies.iterdir():
        assert f"left behind, by look: .pallor/copies/{copy.name}" in told.out
    assert "something is left, see above" in told.out
    assert "the same command proves again" in told.err
    shutil.rmtree(copies)
    assert main(["forget", "photo/astronaut", "--apply"]) == 0
    assert "nothing is left" in capsys.readouterr().out


def test_a_removal_that_was_killed_comes_before_another(made, monkeypatch, capsys):
    monkeypatch.chdir(made.root)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipeline.lineage.erase._delete", lambda path: sys.exit("killed"))
        with pytest.raises(SystemExit):
            main(["forget", "photo/astronaut", "--apply", "--no-run"])
    assert main(["forget", "portrait/0", "--apply"]) == 2
    assert "a removal was killed half-way; `pallor forget identity-" in capsys.readouterr().err
    assert main(["forget", "photo/astronaut"]) == 0
    assert "it was begun and not finished; --apply removes it" in capsys.readouterr().out
    assert main(["forget", "photo/astronaut", "--apply", "--no-run"]) == 0
    assert "goes on with the removal of" in capsys.readouterr().out
