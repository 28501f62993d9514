"""The pages: they build into a site without a warning, and what they show runs."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from flows.cli import parser

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# The blocks of format pages read files of theirs: tests/pipeline/test_format_pages.py runs them.
OURS = [page for page in PAGES if page.parent.name != "formats"]


def blocks(page, *languages):
    return [text for name, text in FENCED.findall(page.read_text()) if name in languages]


COMMANDS = [
    (page.name, line)
    for page in PAGES
    for text in blocks(page, "", "bash")
    for line in text.splitlines()
    if line.startswith("pallor ")
]
PYTHON = [(page.name, text) for page in OURS for text in blocks(page, "python")]


def test_there_is_something_to_run():
    assert len(COMMANDS) > 20
    assert PYTHON


@pytest.fixture(scope="module")
def grammar():
    """The whole command line, built once."""
    return parser()


@pytest.mark.parametrize(("page", "line"), COMMANDS)
def test_every_command_on_a_page_is_one_that_pallor_knows(grammar, page, line):
    words = shlex.split(line.partition("  ")[0])
    assert grammar.parse_args(words[1:]).command == words[1]


@pytest.mark.parametrize(("page", "code"), PYTHON)
def test_every_block_of_python_runs(page, code, tmp_path):
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_the_site_builds_without_a_warning(tmp_path):
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    run = subprocess.run(
        [*command, "--site-dir", tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    page = (tmp_path / "api" / "index.html").read_text()
    assert "Person number" in page  # a sentence of a docstring


def test_a_broken_link_stops_the_build(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("# A\n\n[gone](gone.md)\n")
    settings = (ROOT / "mkdocs.yml").read_text().partition("plugins:")[0]
    (tmp_path / "mkdocs.yml").write_text(settings)
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode != 0
    assert "gone.md" in run.stderr
