import subprocess
from pathlib import Path

import pytest
import yaml

from flows.demo import SETTINGS, copy_checkout
from flows.settings import overridden
from pipeline.corpus.plan import check_arms
from pipeline.errors import StageError
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q", "."], check=True)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    (tmp_path / "dvc.lock").write_text("schema: '2.0'\n")
    (tmp_path / ".gitignore").write_text("secret\n")
    (tmp_path / "secret").write_text("stays")
    return tmp_path


def test_the_demos_settings_fit_the_parameters():
    study, params = overridden(yaml.safe_load(SETTINGS.read_text()), Workspace(root=ROOT))
    assert (study.people, study.input.frames, params.plan.frames) == (6, 4, 8)
    check_arms(study, params)


def test_the_copy_holds_what_git_knows_and_nothing_that_was_made(checkout):
    copy_checkout(checkout / "demo")
    copied = {p.name for p in (checkout / "demo").rglob("*") if p.is_file()}
    assert copied == {"config", "dvc.yaml", ".gitignore"}
    assert "no_scm = true" in (checkout / "demo/.dvc/config").read_text()


def test_outside_git_one_sentence(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(StageError, match="git checkout"):
        copy_checkout(tmp_path / "demo")
