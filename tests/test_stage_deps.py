"""dvc.yaml against the code: a helper that is not among a stage's deps gives stale results."""

import ast
from functools import cache
from pathlib import Path

import pytest
import yaml

from pipeline.params import Params

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
PACKAGES = ("avatars", "fomm", "models", "pipeline")
NO_BYTES = {  # modules every stage uses that cannot change what a stage writes
    "pipeline/__init__.py",  # a docstring
    "pipeline/errors.py",  # sentences
    "pipeline/params.py",  # values are tracked as params, and params.yaml holds all of them
    "pipeline/store/runs.py",  # run records lie outside every output
    "pipeline/store/store.py",  # keeps items under digests of all that decides them
    "pipeline/closure.py",  # tells what decides the bytes
    *(str(path.relative_to(ROOT)) for path in ROOT.glob("pipeline/*/__init__.py")),  # docstrings
}


@cache
def modules_of(path):
    """The project's own files that a file imports, at module level or inside functions."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not type_checking_only(path, node):
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found |= {file for name in names for file in files_of(name)}
    return frozenset(found)


@cache
def type_checking_lines(path):
    lines = set()
    for node in ast.walk(ast.parse((ROOT / path).read_text())):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            lines |= set(range(node.lineno, node.end_lineno + 1))
    return lines


def type_checking_only(path, node):
    return node.lineno in type_checking_lines(path)


def files_of(name):
    if name.split(".")[0] not in PACKAGES:
        return
    base = name.replace(".", "/")
    parents = Path(base).parents
    for candidate in (f"{base}.py", f"{base}/__init__.py", *(f"{p}/__init__.py" for p in parents)):
        if (ROOT / candidate).is_file():
            yield candidate


def closure(path):
    seen, todo = set(), [path]
    while todo:
        new = modules_of(todo.pop()) - seen
        seen |= new
        todo += new
    return seen


def deps_of(stage):
    return set(STAGES[stage].get("deps", []))


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_every_file_it_can_run(stage):
    deps = deps_of(stage)
    used = closure(f"flows/{stage}.py") - NO_BYTES
    missing = {f for f in used if f not in deps and f.split("/")[0] not in deps}
    assert not missing


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_nothing_that_it_cannot_run(stage):
    used = closure(f"flows/{stage}.py")
    deps = {dep for dep in deps_of(stage) if dep.split("/")[0] in PACKAGES}
    code = {dep for dep in deps if dep.endswith(".py") or (ROOT / dep).is_dir()}
    idle = {dep for dep in code if not any(f == dep or f.startswith(f"{dep}/") for f in used)}
    assert not idle


@pytest.mark.parametrize(
    "template", sorted(ROOT.glob("pipeline/report/*.j2")), ids=lambda p: p.name
)
def test_a_template_is_a_dep_of_whoever_fills_it(template):
    assert any(str(template.relative_to(ROOT)) in deps_of(stage) for stage in STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_flow_and_the_pinned_packages(stage):
    assert {"requirements.lock", f"flows/{stage}.py"} <= deps_of(stage)
    assert STAGES[stage]["cmd"] == f"python -m flows.{stage}"


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_a_stage_names_exists(stage):
    values = Params().model_dump()
    for name in STAGES[stage].get("params", []):
        section, _, key = name.partition(".")
        assert section in values
        assert not key or key in values[section]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_tracks_every_section_its_flow_reads(stage):
    tracked = {name.partition(".")[0] for name in STAGES[stage].get("params", [])}
    source = (ROOT / f"flows/{stage}.py").read_text()
    read = {section for section in Params.model_fields if f"params.{section}" in source}
    assert read <= tracked | {"render"}  # render.chunk decides how, never what
