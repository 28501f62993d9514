import tomllib
from importlib.metadata import version
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LINES = (ROOT / "requirements.lock").read_text().splitlines()
LOCKED = dict(line.lower().replace("_", "-").split("==") for line in LINES)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
WANTED = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]


def test_the_lock_holds_exact_versions_alone():
    assert len(LOCKED) == len(LINES) > 100
    assert all("+" not in v and " " not in v for v in LOCKED.values())


def test_what_the_project_asks_for_is_locked_as_asked():
    for line in WANTED:
        wanted = Requirement(line)
        assert wanted.specifier.contains(LOCKED[wanted.name.lower().replace("_", "-")]), line


def test_what_is_installed_is_what_is_locked():
    found = {name: version(name).split("+")[0].lower() for name in LOCKED}
    assert found == LOCKED
