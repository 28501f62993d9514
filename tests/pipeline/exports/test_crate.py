import json
from dataclasses import replace

import pytest

from pipeline.exports.crate import describe_crate
from pipeline.exports.dataset import write_dataset
from pipeline.exports.source import Release
from pipeline.exports.steps import read_steps
from pipeline.files import file_digest

rocrate = pytest.importorskip("rocrate.rocrate")


@pytest.fixture(scope="module")
def folder(source, workspace, tmp_path_factory):
    folder = tmp_path_factory.mktemp("crate")
    rows = write_dataset(source, folder)
    released = replace(source, release=Release("1.2.0", None, "2026-11-21"))
    (folder / "README.md").write_text("# a card\n")
    steps = read_steps(workspace, workspace.root / ".pallor" / "runs")
    describe_crate(folder, rows, released, steps)
    return folder


@pytest.fixture(scope="module")
def crate(folder):
    return rocrate.ROCrate(folder)


def test_its_own_library_reads_it_back(crate):
    assert crate.version == "1.1"
    assert crate.datePublished.isoformat().startswith("2026-11-21")
    assert crate.root_dataset["version"] == "1.2.0"
    assert {licence["name"] for licence in crate.license} == {"CC0-1.0", "public domain (NASA)"}


def test_every_file_is_listed_with_its_digest(crate, folder):
    files = {entity.id: entity for entity in crate.get_by_type("File")}
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(files) == here - {"ro-crate-metadata.json"}
    for name, entity in files.items():
        assert entity["sha256"] == file_digest(folder / name)
        assert entity["contentSize"] == str((folder / name).stat().st_size)


def test_a_clip_names_the_licence_of_its_face(crate):
    clip = crate.dereference("clips/transfer-p.mp4")
    assert clip["license"]["name"] == "public domain (NASA)"


def test_runs_are_actions_that_share_their_data(crate):
    plan, render = crate.dereference("#plan"), crate.dereference("#render")
    assert {action.id for action in crate.root_dataset["mentions"]} == {"#plan", "#render"}
    assert plan["result"] == render["object"]
    assert render["endTime"] == "2026-11-21T09:00:12.500000+00:00"
    assert "startTime" not in plan


def test_nobody_who_ran_a_stage_is_named(folder):
    text = (folder / "ro-crate-metadata.json").read_text()
    assert "nurse" not in text
    assert "host-3" not in json.dumps(json.loads(text)["@graph"])
