"""What decides a byte reads no global chance, no clock, no host and no name of its own making.

The folder law bans the usual calls by name; this bans their whole families in the code that draws
people and data, so that a new spelling does not slip through: what the stages import.
"""

import ast
from pathlib import Path

import pytest

from pipeline.closure import closure
from pipeline.stage import STAGES

ROOT = Path(__file__).parents[1]
MODULES = {  # whole modules a generator has no business with, each with its reason
    "random": "one hidden state for everybody; take a numpy Generator as an argument",
    "secrets": "chance that cannot be repeated",
    "uuid": "a name that cannot be repeated; use pipeline.records.short_id",
    "time": "a clock; durations belong to run records (pipeline.store.runs)",
    "datetime": "a clock; dates belong to run records (pipeline.store.runs)",
    "socket": "the host; it belongs to run records (pipeline.store.runs)",
    "platform": "the host; it belongs to run records (pipeline.store.runs)",
}
CALLS = {
    "hash": "differs between processes; use pipeline.files.digest",
    "id": "an address; differs between processes",
    "os.urandom": "chance that cannot be repeated",
}
NUMPY = {"Generator", "SeedSequence", "default_rng"}  # all that is asked of np.random
CLOCKS_ALLOWED = {
    "pipeline/corpus/consent.py": "until when a consent lasts; it changes no byte",
    "pipeline/corpus/plan.py": "a date as an argument",
    "pipeline/corpus/register.py": "a date as an argument",
    "pipeline/facenets/training.py": "how fast a step is, for the log",
}
SOURCES = sorted({
    path
    for stage in STAGES.values()
    for path in closure(stage.module).files
    if path.startswith(("avatars/", "pipeline/")) and path.endswith(".py")
} - CLOCKS_ALLOWED.keys())  # fmt: skip


def faults(source):
    """One sentence for each way in which a module's bytes could differ between two runs."""
    for node in ast.walk(ast.parse(source)):
        yield from _imports(node)
        if isinstance(node, ast.Call):
            yield from _calls(node)
        if isinstance(node, ast.Attribute):
            family = ast.unparse(node.value)
            if family in ("np.random", "numpy.random") and node.attr not in NUMPY:
                yield f"line {node.lineno}: np.random.{node.attr} draws from numpy's global state"


def _imports(node):
    names = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom):
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        root = name.split(".")[0]
        if root in MODULES:
            yield f"line {node.lineno}: {root}: {MODULES[root]}"
        if name.startswith("numpy.random") and isinstance(node, ast.ImportFrom):
            yield f"line {node.lineno}: numpy.random: write np.random.Generator out"


def _calls(node):
    name = ast.unparse(node.func)
    if name in CALLS:
        yield f"line {node.lineno}: {name}: {CALLS[name]}"
    unseeded = not node.args and not node.keywords
    if name.endswith(("default_rng", "SeedSequence")) and unseeded:
        yield f"line {node.lineno}: {name}() without a seed is another draw each time"


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_generator_repeats(path):
    assert list(faults((ROOT / path).read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from random import choice",
        "from numpy.random import rand",
        "x = np.random.exponential(2)",
        "draw = np.random.shuffle",
        "rng = np.random.default_rng()",
        "import uuid",
        "from time import perf_counter",
        "from datetime import datetime",
        "key = hash('name')",
        "import os; os.urandom(4)",
    ],
)
def test_each_family_is_seen(line):
    assert len(list(faults(line))) >= 1


def test_seeded_generators_are_no_fault():
    assert not list(faults("rng: np.random.Generator = np.random.default_rng(seed)"))
