"""What one study asks stands in its folder: no code knows a study's labels, counts or protocols."""

import ast
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LIBRARY = ("avatars", "fomm", "models", "pipeline", "flows")
SOURCES = sorted(
    path for folder in LIBRARY for kind in ("*.py", "*.j2") for path in (ROOT / folder).rglob(kind)
)
STUDIES = sorted((ROOT / "studies").glob("*/study.yaml"))
DISPLAY = re.compile(r"\bFD[123](-[LR])?\b")
COUNTS = {125, 51, 176}  # clips of the published system
# Names of protocols, as the studies give them; words that other things are called are not held.
VALUES = [yaml.safe_load(path.read_text()) for path in STUDIES]
PROTOCOLS = {name for values in VALUES for name in values.get("protocols", ())}  # none: as its like


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_label_of_a_study_stands_in_code(path):
    assert DISPLAY.findall(path.read_text()) == []


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".py"], ids=name_of)
def test_no_protocol_is_compared_with_a_string_and_no_count_is_copied(path):
    tree = ast.parse(path.read_text())
    compared = {
        side.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare)
        for side in (node.left, *node.comparators)
        if isinstance(side, ast.Constant)
    }
    assert compared & PROTOCOLS == set()
    numbers = {
        n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and type(n.value) is int
    }
    if path == ROOT / "pipeline" / "corpus" / "register.py":
        numbers.discard(125)  # years: the greatest age
    if path == ROOT / "fomm" / "degrade.py":
        numbers.discard(51)  # of JPEG's table of divisors
    assert path.is_relative_to(ROOT / "avatars") or numbers & COUNTS == set()  # vertices there


@pytest.mark.parametrize("path", [p for p in SOURCES if p.suffix == ".j2"], ids=name_of)
def test_no_template_compares_a_protocol(path):
    quoted = "|".join(map(re.escape, sorted(PROTOCOLS)))
    assert re.findall(rf"[!=]= *[\"'](?:{quoted})[\"']", path.read_text()) == []


def test_a_study_is_data_that_only_flows_find():
    for path in (ROOT / "pipeline").rglob("*.py"):
        assert not re.search(r"^\s*(from|import) studies\b", path.read_text(), re.M)
