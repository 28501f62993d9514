"""What a stage's code is: on a small repository of its own, and on this one."""

import ast
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.closure import FOLDERS, LOCKS, closure
from pipeline.errors import StageError
from pipeline.stage import STAGES

ROOT = Path(__file__).parents[2]
FILES = {
    "pipeline/__init__.py": '"""Plain functions."""\n',
    "pipeline/room/__init__.py": "",
    "pipeline/room/stage.py": (
        "from typing import TYPE_CHECKING\n"
        "import numpy as np\n"
        "from pipeline.room import helper\n"
        "from pipeline.room.data import table\n"
        "if TYPE_CHECKING:\n"
        "    from pipeline.other import Unseen\n"
        'WORKER = "avatars.worker"\n'
        "def work(x: 'Unseen') -> int:\n"
        '    """Docstring."""\n'
        "    return helper.double(np.abs(x)) + table()  # comment\n"
    ),
    "pipeline/room/helper.py": "def double(x):\n    return 2 * x\n",
    "pipeline/room/data.py": (
        "from pathlib import Path\n"
        "def table():\n"
        '    return Path(__file__).with_name("table.json"), Path(__file__).with_suffix(".c")\n'
    ),
    "pipeline/room/table.json": "[1, 2]\n",
    "pipeline/room/data.c": "int one(void) { return 1; }\n",
    "pipeline/room/idle.json": "[]\n",
    "pipeline/other.py": "class Unseen: ...\n",
    "avatars/__init__.py": "",
    "avatars/worker.py": 'import bpy\nFOLDER = "faces"\n',
    "avatars/faces/smile.json": "{}\n",
    "requirements.lock": "numpy==1.26.4\nbpy==4.5.15\nmatplotlib==3.11.2\n",
}
STAGE = "pipeline.room.stage"


@pytest.fixture
def repository(tmp_path):
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def change(root, name, old, new):
    path = root / name
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_it_holds_what_is_imported_started_and_named(repository):
    found = closure(STAGE, repository)
    assert set(found.files) == {
        "pipeline/room/stage.py", "pipeline/room/helper.py", "pipeline/room/data.py",
        "pipeline/room/table.json", "pipeline/room/data.c",
        "avatars/worker.py", "avatars/faces/smile.json",
    }  # fmt: skip
    assert found.packages == {"bpy": "4.5.15", "numpy": "1.26.4"}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pipeline/room/stage.py", "  # comment", "  # another"),
        ("pipeline/room/stage.py", "Docstring.", "Another."),
        ("pipeline/room/helper.py", "2 * x", "(2  *  x)"),
        ("pipeline/room/helper.py", "def double(x):\n", 'def double(x):\n    "New."\n'),
        ("pipeline/__init__.py", "Plain", "Simple"),
        ("pipeline/other.py", "...", "x = 1"),  # only type checkers see it
        ("pipeline/room/idle.json", "[]", "[1]"),
        ("requirements.lock", "matplotlib==3.11.2", "matplotlib==4.0"),
        ("requirements.lock", "matplotlib", "seaborn==1.0\nmatplotlib"),
        (
            "pipeline/room/stage.py",
            "import numpy as np\nfrom pipeline.room import helper\n",
            "from pipeline.room import helper\nimport numpy as np\n",
        ),
    ],
)
def test_what_decides_no_byte_changes_nothing(repository, name, old, new):
    before = closure(STAGE, repository).digest
    change(repository, name, old, new)
    assert closure(STAGE, repository).digest == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("pipeline/room/helper.py", "2 * x", "3 * x"),
        ("pipeline/room/stage.py", " + table()", ""),
        ("pipeline/room/table.json", "2", "3"),
        ("pipeline/room/data.c", "return 1", "return 2"),
        ("avatars/worker.py", "import bpy", "import bpy, numpy"),
        ("avatars/faces/smile.json", "{}", "{ }"),
        ("pipeline/__init__.py", '"""Plain functions."""', "READY = 1"),
        ("requirements.lock", "bpy==4.5.15", "bpy==4.5.16"),
    ],
)
def test_what_decides_a_byte_changes_the_digest(repository, name, old, new):
    before = closure(STAGE, repository).digest
    change(repository, name, old, new)
    assert closure(STAGE, repository).digest != before


def test_a_file_that_only_moves_changes_nothing(repository):
    before = closure(STAGE, repository).digest
    (repository / "pipeline/room/deep").mkdir()
    (repository / "pipeline/room/deep/__init__.py").write_text('"""A room in a room."""\n')
    shutil.move(repository / "pipeline/room/helper.py", repository / "pipeline/room/deep/helper.py")
    change(repository, "pipeline/room/stage.py", "from pipeline.room import helper",
           "from pipeline.room.deep import helper")  # fmt: skip
    shutil.move(repository / "avatars/worker.py", repository / "pipeline/worker.py")
    shutil.move(repository / "avatars/faces", repository / "pipeline/faces")
    change(repository, "pipeline/room/stage.py", "avatars.worker", "pipeline.worker")
    assert closure(STAGE, repository).digest == before


def test_two_files_that_change_places_change_the_digest(repository):
    change(repository, "pipeline/room/helper.py", "def double(x):\n    return 2 * x\n",
           "from pipeline.room.a import f\nfrom pipeline.room.b import g\n"
           "def double(x):\n    return f(x) - g(x)\n")  # fmt: skip
    one, two = (
        "def f(x): return x\ndef g(x): return x\n",
        "def f(x): return 2\ndef g(x): return 3\n",
    )
    (repository / "pipeline/room/a.py").write_text(one)
    (repository / "pipeline/room/b.py").write_text(two)
    before = closure(STAGE, repository).digest
    (repository / "pipeline/room/a.py").write_text(two)
    (repository / "pipeline/room/b.py").write_text(one)
    assert closure(STAGE, repository).digest != before


def test_two_data_files_that_change_places_change_the_digest(repository):
    (repository / "avatars/faces/frown.json").write_text("[]\n")
    before = closure(STAGE, repository).digest
    (repository / "avatars/faces/frown.json").write_text("{}\n")
    (repository / "avatars/faces/smile.json").write_text("[]\n")
    assert closure(STAGE, repository).digest != before


def test_modules_that_import_each_other_are_no_trouble(repository):
    change(repository, "pipeline/room/helper.py", "def", "import pipeline.room.stage\ndef")
    before = closure(STAGE, repository)
    change(repository, "avatars/faces/smile.json", "{}", "{ }")
    assert closure("pipeline.room.helper", repository).digest != before.digest


@pytest.mark.parametrize(
    ("module", "text", "sentence"),
    [
        ("pipeline.none", "", "there is no module pipeline.none"),
        ("pipeline.odd", "def", "pipeline/odd.py is not Python"),
        ("pipeline.odd", "from .room import helper", "a relative import hides where it points"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(repository, module, text, sentence):
    (repository / "pipeline/odd.py").write_text(text)
    with pytest.raises(StageError, match=sentence):
        closure(module, repository)


# This repository.


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the code, to be touched."""
    root = tmp_path_factory.mktemp("clone")
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for lock in LOCKS:
        shutil.copy(ROOT / lock, root / lock)
    return root


@pytest.fixture(scope="module")
def closures(clone):
    return {name: closure(stage.module, clone) for name, stage in STAGES.items()}


def code_files(root):
    return sorted(
        str(path.relative_to(root))
        for folder in FOLDERS
        for path in (root / folder).rglob("*")
        if path.is_file()
    )


FUNCTION = re.compile(r"^( *)def [^\n]*?:\n", re.M)


def touched(text, name):
    """The text with a function (or what else there is) changed; None when it holds nothing."""
    if not name.endswith(".py"):
        return text + "\n "
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            lines = text.splitlines(keepends=True)
            first = node.body[0]
            indent = " " * first.col_offset
            return "".join([*lines[: first.lineno - 1], f"{indent}assert True\n",
                            *lines[first.lineno - 1 :]])  # fmt: skip
    return text + "\nTOUCHED = 1\n" if ast.parse(text).body[1:] else None


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(data=st.data())
def test_a_touched_file_makes_stale_exactly_those_who_hold_it(clone, closures, data):
    name = data.draw(st.sampled_from(code_files(clone)))
    stage = data.draw(st.sampled_from(sorted(STAGES)))
    path = clone / name
    before = path.read_bytes()
    new = touched(before.decode(), name)
    if new is None:
        return
    path.write_text(new)
    try:
        after = closure(STAGES[stage].module, clone)
    finally:
        path.write_bytes(before)
    assert (after.digest != closures[stage].digest) == (name in closures[stage].files)


def test_a_comment_and_a_docstring_in_every_file_change_no_stage(clone, closures):
    kept = {}
    for name in code_files(clone):
        if name.endswith(".py"):
            path = clone / name
            kept[path] = path.read_bytes()
            text = path.read_text()
            path.write_text("# Another comment.\n" + text.replace('    """', '    """Now: ', 1))
    try:
        after = {name: closure(stage.module, clone).digest for name, stage in STAGES.items()}
    finally:
        for path, content in kept.items():
            path.write_bytes(content)
    assert after == {name: found.digest for name, found in closures.items()}


@pytest.mark.parametrize("name", [name for name in code_files(ROOT) if name.endswith(".c")])
def test_a_c_file_is_behind_some_stage(closures, name):
    assert any(name in found.files for found in closures.values())


def test_the_encoder_and_the_renderer_are_behind_the_clips(closures):
    assert {"bpy", "imageio", "imageio-ffmpeg"} <= closures["render"].packages.keys()
    assert "pipeline/media/video.py" in closures["render"].files
    assert "avatars/expressions/blink.json" in closures["render"].files
    assert "matplotlib" not in closures["render"].packages


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_holds_its_own_module_and_not_the_table_of_all(closures, stage):
    assert STAGES[stage].module.replace(".", "/") + ".py" in closures[stage].files
    assert "pipeline/stage.py" not in closures[stage].files  # its strings name every module
