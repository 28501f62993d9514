import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pipeline.errors import AssetError
from pipeline.exports.library import library

ROOT = Path(__file__).parents[3]
LOCKED = dict(
    line.lower().replace("_", "-").split("==")
    for line in (ROOT / "requirements-exports.lock").read_text().split()
)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_locks_share_no_library():
    line = (ROOT / "requirements.lock").read_text().lower().replace("_", "-")
    assert not set(LOCKED) & {row.split("==")[0] for row in line.split()}


def test_what_the_extra_asks_for_is_locked_and_installed():
    for wanted in map(Requirement, PROJECT["optional-dependencies"]["exports"]):
        assert wanted.specifier.contains(LOCKED[wanted.name]), wanted.name
        assert version(wanted.name) == LOCKED[wanted.name]


def test_a_library_is_given_as_it_is():
    assert library("json").dumps([1]) == "[1]"


@pytest.mark.parametrize("name", ["nowhere", "nowhere.inner"])
def test_a_missing_library_is_named_with_the_command_that_installs_it(name):
    with pytest.raises(AssetError) as error:
        library(name)
    assert str(error.value) == (
        "this export needs the Python library nowhere; run "
        "`pip install --requirement requirements-exports.lock`"
    )


def test_what_a_library_itself_lacks_is_its_own_error(monkeypatch, tmp_path):
    (tmp_path / "halfthere.py").write_text("import nowhere_to_be_found\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        library("halfthere")
