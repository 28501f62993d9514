from datetime import UTC, datetime
from pathlib import Path

import pytest

from flows.cli import main
from pipeline.errors import StageError
from pipeline.exports import FORMATS
from pipeline.exports.certificate import local_certificate
from pipeline.exports.export import WRITERS, Export, write_export
from pipeline.files import read_json

for name in ("mlcroissant", "rocrate", "prov", "openlineage", "c2pa", "webdataset", "datasets",
             "pyarrow", "pycocotools"):  # fmt: skip
    pytest.importorskip(name)
NOW = datetime.now(UTC)  # a certificate is only good to sign with while it is valid
MADE = {  # what each format is known by
    "croissant": {"croissant.json", "README.md", "DATASHEET.md", "clips.jsonl"},
    "datasheet": {"README.md", "DATASHEET.md"},
    "ro-crate": {"ro-crate-metadata.json", "README.md", "DATASHEET.md", "clips.jsonl"},
    "prov": {"prov.json", "prov.provn"},
    "openlineage": {"openlineage.ndjson"},
    "c2pa": {"credentials.json", "authority.pem", "clips"},
    "webdataset": {"index.json", "README.md", "pallor-test-000000.tar"},
    "huggingface": {"README.md", "clips", "clean", "published"},
    "parquet": {"README.md", "clips.parquet", "windows.parquet", "frames.parquet"},
    "coco": {"README.md", "images", "annotations"},
    "all": {"dataset", "lineage", "c2pa", "webdataset", "huggingface", "parquet", "coco"},
}


@pytest.fixture
def export(source, workspace, tmp_path):
    folder = tmp_path / "c2pa"
    return Export(
        source, workspace.root / ".pallor" / "runs", NOW, lambda: local_certificate(folder, NOW)
    )


def test_every_format_has_a_writer():
    assert set(WRITERS) == set(FORMATS) == set(MADE)


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_is_written_as_one_folder(export, tmp_path, name):
    write_export(name, export, tmp_path / "out")
    assert MADE[name] <= {path.name for path in (tmp_path / "out").iterdir()}
    assert {path.name for path in tmp_path.iterdir()} <= {"out", "c2pa"}


def test_all_of_them_agree_on_the_clips(export, tmp_path):
    write_export("all", export, tmp_path / "out")
    parts = tmp_path / "out"
    dataset = {path.stem for path in (parts / "dataset" / "clips").iterdir()}
    assert dataset == set(read_json(parts / "c2pa" / "credentials.json"))
    index = read_json(parts / "webdataset" / "index.json")
    assert sum(row["clips"] for row in index.values()) == len(dataset) == 7


def test_a_folder_that_holds_something_is_left_alone(export, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    with pytest.raises(StageError, match=r"out exists already; name a new folder"):
        write_export("datasheet", export, tmp_path / "out")
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_a_failed_export_leaves_nothing(export, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlcroissant", None)
    with pytest.raises(Exception, match="mlcroissant"):
        write_export("croissant", export, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def inside(workspace, tmp_path, monkeypatch):
    (workspace.root / "dvc.yaml").touch()
    workspace.params.touch()
    (workspace.root / ".dvc").mkdir(exist_ok=True)
    monkeypatch.chdir(workspace.root)
    monkeypatch.setenv("PALLOR_HOME", str(tmp_path / "home"))
    for name in ("OPENLINEAGE_URL", "OPENLINEAGE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def test_the_command_signs_with_a_certificate_of_its_own(inside, capsys):
    assert main(["export", "c2pa", "--study", "ward", "-o", str(inside / "out")]) == 0
    assert "out: 9 files" in capsys.readouterr().out
    made = (inside / "home" / "c2pa" / "authority.pem").read_text()
    assert (inside / "out" / "authority.pem").read_text() == made


def test_the_command_signs_with_a_persons_own_certificate(inside):
    local_certificate(inside / "own", datetime.now(UTC))
    own = ["--certificate", str(inside / "own/chain.pem"), "--key", str(inside / "own/key.pem")]
    assert main(["export", "c2pa", "--study", "ward", "-o", str(inside / "out"), *own]) == 0
    assert not (inside / "home").exists()
    states = read_json(inside / "out" / "credentials.json").values()
    assert {row["state"] for row in states} == {"Valid"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "c2pa", "-o", "x", "--key", "k.pem"], "--certificate and --key go together"),
        (
            ["export", "c2pa", "--study", "ward", "-o", "x", "--certificate", "c", "--key", "k"],
            "c cannot be read",
        ),
    ],
)
def test_a_wrong_request_is_one_sentence_and_code_2(inside, arguments, said, capsys):
    assert main(arguments) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert said in line
    assert not Path("x").exists()


def test_an_unknown_format_is_met_with_the_nearest(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["export", "croisant", "-o", "x"])
    assert "the nearest is 'croissant'" in capsys.readouterr().err
