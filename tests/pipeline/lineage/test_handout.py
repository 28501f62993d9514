"""What goes out with a release is judged by the tools that strangers have."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from pipeline.files import file_digest
from pipeline.lineage import handout

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the signing libraries


def copy_of(template, folder):
    shutil.copytree(template.root, folder / "clone", symlinks=True)
    return replace(template, root=folder / "clone", place=replace(
        template.place, root=folder / "clone", home=folder / "clone" / ".pallor"))  # fmt: skip


@pytest.fixture(scope="module")
def handed(template, tmp_path_factory):
    """The folder of a release, its rows, and the clone; the locks are those of this tree."""
    made = copy_of(template, tmp_path_factory.mktemp("handed"))
    for lock in ROOT.glob("requirements*.lock"):
        shutil.copy(lock, made.root)
    folder, rows, note = handout.hand_out(made.place, "v1.0.0")
    assert note == ""
    return folder, rows, made


def parsed(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", ["sbom.cdx.json", "ml-bom.cdx.json"])
def test_the_bills_are_strictly_valid_cyclonedx(handed, name):
    text = (handed[0] / name).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None


def test_a_bill_with_a_foreign_key_would_be_found_invalid(handed):
    bill = parsed(handed[0] / "sbom.cdx.json") | {"colour": "red"}
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is not None


def test_every_locked_package_is_a_component_with_its_licence_where_it_says_one(handed):
    rows = {row["name"]: row for row in parsed(handed[0] / "sbom.cdx.json")["components"]}
    locked = (ROOT / "requirements.lock").read_text().splitlines()
    assert {line.partition("==")[0] for line in locked} <= set(rows)
    assert rows["numpy"]["purl"] == "pkg:pypi/numpy@1.26.4"
    assert sum("licenses" in rows[line.partition("==")[0]] for line in locked) > 0.9 * len(locked)


def test_every_model_is_a_component_with_the_digest_of_its_file(handed):
    folder, _, made = handed
    rows = {row["name"]: row for row in parsed(folder / "ml-bom.cdx.json")["components"]}
    trained = {path.relative_to(made.root).as_posix(): path for path in (
        made.root / "data").glob("*/models/*/*/*.safetensors")}  # fmt: skip
    assert trained
    for name, path in trained.items():
        assert rows[name]["hashes"] == [{"alg": "SHA-256", "content": file_digest(path)}]
        metrics = rows[name]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
        assert {metric["type"] for metric in metrics} == {"accuracy", "auc"}


def test_rows_name_every_file_for_the_statement(handed):
    folder, rows, _ = handed
    assert {row["name"]: row["digest"]["sha256"] for row in rows} == {
        path.name: file_digest(path) for path in folder.iterdir()
    }


def judged(folder, models, signature):
    """Exit code of the library's own command line, which knows nothing of ours."""
    command = [sys.executable, "-P", "-m", "model_signing", "verify", "key", str(models)]
    keys = ["--signature", str(signature), "--public_key", str(folder / handout.PUBLIC)]
    return subprocess.run([*command, *keys], capture_output=True, check=False).returncode


def test_a_strangers_tool_verifies_the_models_and_finds_a_changed_byte(handed, tmp_path):
    folder, _, made = handed
    models = shutil.copytree(handout.model_folders(made.place)["deterioration"], tmp_path / "m")
    assert judged(folder, models, folder / "deterioration.models.sig") == 0
    first = next(models.rglob("*.safetensors"))
    first.write_bytes(first.read_bytes() + b"x")
    assert judged(folder, models, folder / "deterioration.models.sig") != 0


def test_without_the_library_a_note_says_so(handed, monkeypatch, tmp_path):
    monkeypatch.setattr(handout, "find_spec", lambda name: None)
    _, rows, note = handout.hand_out(handed[2].place, "v2.0.0")
    assert "requirements-release.lock" in note
    assert [row["name"] for row in rows] == ["ml-bom.cdx.json", "sbom.cdx.json"]
