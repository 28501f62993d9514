"""Each extra's lock: exact, beside the pins of the line, and all the extra asks for."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
EXTRA = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
INSTALLED = [
    "exports",
    "scale",
    "test",
    "release",
    "docs",
    "tracking",
]  # `judge` lives in an environment of its own
every = pytest.mark.parametrize("extra", [*INSTALLED, "judge"])


def locked(name):
    lines = (ROOT / name).read_text().splitlines()
    return dict(line.lower().replace("_", "-").split("==") for line in lines)


@every
def test_what_the_extra_asks_for_is_locked_as_asked(extra):
    lock = locked(f"requirements-{extra}.lock")
    for line in EXTRA[extra]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[wanted.name.lower()]), line


@every
def test_it_moves_no_pin_of_the_line(extra):
    assert not locked(f"requirements-{extra}.lock").keys() & locked("requirements.lock").keys()


@pytest.mark.parametrize("extra", INSTALLED)
def test_what_is_installed_is_what_is_locked(extra):
    lock = locked(f"requirements-{extra}.lock")
    assert {name: version(name).lower() for name in lock} == lock
