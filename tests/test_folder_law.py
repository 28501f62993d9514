"""The house's rules: imports point down, and nothing that decides a byte reads chance or clocks."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("avatars", "fomm", "models", "pipeline", "flows")
BELOW = {
    "avatars": {"avatars"},
    "fomm": {"fomm"},
    "models": {"models"},
    "pipeline": {"pipeline", "avatars", "fomm", "models"},
    "flows": set(FOLDERS),
}
# The rooms of pipeline/, in order: each imports the door (pipeline/*.py) and the rooms before it.
ROOMS = (
    "store", "media", "corpus", "faces", "motion", "splits", "training", "evaluation", "report",
    "facenets", "lineage", "exports", "look",
)  # fmt: skip
TORCH_ONLY = {"torch", "numpy", "safetensors"}  # all that fomm and models may ask for
BLENDER = {"bpy", "bmesh", "mathutils"}
ENGINES = {"prefect", "dvc"}
SOURCES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# Calls that make two runs differ, each with what to use instead.
BANNED = {
    "time.time": "a run record (pipeline.store.runs)",
    "datetime.now": "a run record (pipeline.store.runs)",
    "datetime.today": "a run record (pipeline.store.runs)",
    "uuid.uuid4": "pipeline.records.short_id",
    "uuid.uuid1": "pipeline.records.short_id",
    "np.random.seed": "a numpy Generator as an argument",
    "np.random.rand": "a numpy Generator as an argument",
    "np.random.randn": "a numpy Generator as an argument",
    "np.random.randint": "a numpy Generator as an argument",
    "np.random.choice": "a numpy Generator as an argument",
    "np.random.shuffle": "a numpy Generator as an argument",
    "np.random.permutation": "a numpy Generator as an argument",
    "np.random.uniform": "a numpy Generator as an argument",
    "np.random.normal": "a numpy Generator as an argument",
}
RUN_RECORDS = ROOT / "pipeline" / "store" / "runs.py"  # the one module that may read clock and host


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides where it points"
            yield node.module


def roots(path):
    return {name.split(".")[0] for name in imported(path)}


def called(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def name_of(path):
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_point_down(path):
    folder = path.relative_to(ROOT).parts[0]
    assert roots(path) & set(FOLDERS) <= BELOW[folder]


def room_of(parts):
    """The number of the room that a path or a module's name lies in; -1 is the door."""
    return ROOMS.index(parts[1]) if len(parts) > 1 and parts[1] in ROOMS else -1


@pytest.mark.parametrize(
    "path", [path for path in SOURCES if path.is_relative_to(ROOT / "pipeline")], ids=name_of
)
def test_a_room_imports_the_door_and_earlier_rooms(path):
    own = room_of(path.relative_to(ROOT).parts)
    tree = ast.parse(path.read_text())
    packages = [
        n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "pipeline"
    ]
    names = {*imported(path), *(f"pipeline.{a.name}" for n in packages for a in n.names)}
    asked = {name for name in names if name.split(".")[0] == "pipeline"}
    assert {name for name in asked if room_of(name.split(".")) > own} == set()


def test_every_folder_of_pipeline_is_a_room():
    folders = {path.parent.name for path in (ROOT / "pipeline").glob("*/__init__.py")}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_avatars_alone_import_blender_and_flows_alone_the_engines(path):
    folder = path.relative_to(ROOT).parts[0]
    assert folder == "avatars" or not roots(path) & BLENDER
    assert folder == "flows" or not roots(path) & ENGINES


@pytest.mark.parametrize("folder", ["fomm", "models"])
def test_networks_ask_for_torch_only(folder):
    allowed = TORCH_ONLY | {folder} | set(sys.stdlib_module_names)
    asked = set().union(*(roots(path) for path in (ROOT / folder).rglob("*.py")))
    assert asked <= allowed


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_nothing_reads_global_chance_or_clocks(path):
    if path == RUN_RECORDS or path.relative_to(ROOT).parts[0] == "flows":
        return
    assert "random" not in roots(path), "use a numpy Generator as an argument"
    found = {call: BANNED[call] for call in called(path) if call in BANNED}
    assert not found


def test_every_file_is_of_readable_length():
    long = {name_of(path): len(path.read_text().splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in long.items() if lines > 300} == {}
