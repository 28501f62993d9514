"""The stage table: its names exist, its order is a line, and stages read what they declare."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

from pipeline.closure import closure
from pipeline.params import Params
from pipeline.stage import STAGES, before, behind, name_of, place, study_of
from pipeline.study import Study
from pipeline.study_checks import open_study
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
# What the study's own methods read of its file.
METHODS = {
    "labels": {"arms"}, "people": {"cohorts"}, "planned_clips": {"cohorts", "arms", "portraits"},
    "numbers": {"cohorts", "name"}, "mirrored": {"mirror"},
    "mirror_of": {"mirror", "arms", "tasks"},
    "draws": {"protocols"}, "measured": {"tasks"}, "network": {"models"},
    "trials": {"tasks", "models", "protocols"}, "params": set(), "model_copy": set(),
}  # fmt: skip


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_a_stage_has_one_of_two_interfaces(stage):
    module = import_module(stage.module)
    wanted = ("jobs", "work", "assemble") if stage.heavy else ("make",)
    assert [name for name in wanted if not callable(getattr(module, name, None))] == []


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_what_a_stage_reads_is_written_before_it_or_lies_in_the_clone(stage):
    order = list(STAGES)
    earlier = order[: order.index(stage.name)]
    written = {output.name for name in earlier for output in STAGES[name].outputs}
    committed = {"study_file", "params"}
    loose = {name for name in stage.inputs if name not in written | committed}
    assert [name for name in loose if not (ROOT / name).is_file()] == []


def test_every_output_has_one_stage_and_a_path_of_its_own():
    names = [output.name for stage in STAGES.values() for output in stage.outputs]
    paths = [place(name, Workspace("some")) for name in names]
    assert len(set(paths)) == len(paths)


@pytest.mark.parametrize("stage", STAGES.values(), ids=lambda stage: stage.name)
def test_every_parameter_and_key_that_a_stage_names_exists(stage):
    values = Params().model_dump()
    for name in stage.params:
        section, _, key = name.partition(".")
        assert section in values
        assert not key or key in values[section]
    for name in stage.study:
        section, _, key = name.partition(".")
        assert section in Study.model_fields
        assert not key or key in open_study(Workspace(root=ROOT)).model_dump()[section]
    assert {name: Params().portraits.source for name in stage.sources if "portraits" in name} == {
        name: path for name, path in stage.sources.items() if "portraits" in name
    }


def read_of(name, text):
    """The dotted names after `params.` or `study.` in a file."""
    return {
        ast.unparse(node).removeprefix(f"{name}.")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and ast.unparse(node).startswith(f"{name}.")
    }


def own_files(stage):
    """The files of a stage's closure that lie in its own room."""
    room = str(Path(stage.module.replace(".", "/")).parent)
    names = closure(stage.module, ROOT).files
    return [name for name in names if str(Path(name).parent) == room and name.endswith(".py")]


ROOMS = [s for s in STAGES.values() if s.module.count(".") > 1]


@pytest.mark.parametrize("stage", ROOMS, ids=lambda stage: stage.name)
def test_a_stage_declares_every_key_of_the_study_that_its_room_reads(stage):
    declared = {name.partition(".")[0] for name in stage.study}
    for name in own_files(stage):
        for read in read_of("study", (ROOT / name).read_text()):
            key = re.split(r"\W", read)[0]
            assert METHODS.get(key, {key}) <= declared, f"{name} reads study.{read}"


@pytest.mark.parametrize("stage", ROOMS, ids=lambda stage: stage.name)
def test_a_stage_declares_every_section_of_the_parameters_that_its_room_reads(stage):
    sections = set(Params.model_fields)
    declared = {name.partition(".")[0] for name in stage.params}
    decides_how = {str(stage.chunk).partition(".")[0]}  # never what
    for name in own_files(stage):
        read = {found.partition(".")[0] for found in read_of("params", (ROOT / name).read_text())}
        assert read & sections <= declared | decides_how, name


def test_the_stages_behind_an_artefact_are_in_the_order_of_the_line():
    names = {kind: [stage.name for stage in behind(kind)] for kind in ("clip", "transfer", "model")}
    assert names["clip"] == ["plan", "render"]
    assert names["transfer"] == ["plan", "render", "portraits", "motion", "transfer"]
    assert names["model"][-4:] == ["faces", "split", "oversample", "train"]
    assert behind("nothing") == []
    assert [stage.name for stage in before(STAGES["plan"])] == ["plan"]


def test_items_and_what_may_be_made_apart():
    of_items = [stage.name for stage in STAGES.values() if stage.items]
    assert of_items == ["render", "portraits", "transfer", "faces"]
    assert [stage.name for stage in STAGES.values() if stage.apart] == ["render", "portraits"]
    assert all(stage.items for stage in STAGES.values() if stage.may_give_up)


def test_a_chunk_is_a_number_or_a_parameters():
    assert STAGES["faces"].chunk_size(Params()) == STAGES["faces"].chunk
    assert STAGES["render"].chunk_size(Params()) == Params().render.chunk


def test_keys_tell_studies_apart():
    render, motion = STAGES["render"], STAGES["motion"]
    assert (render.key("toy"), motion.key("toy")) == ("render@toy", "motion")
    assert (name_of("render@toy"), study_of("render@toy"), study_of("motion")) == (
        "render", "toy", None
    )  # fmt: skip


def test_no_other_file_lists_the_stages():
    """Three names of stages in a row of strings are a second table."""
    names = "|".join(STAGES)
    row = re.compile(rf"([\"'](?:{names})[\"'][,:)\s]+[^\"']{{0,20}}){{3}}")
    folders = ("avatars", "fomm", "models", "pipeline", "flows")
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        if path.name != "stage.py":
            assert not row.search(path.read_text()), path
