import json
import shutil
from dataclasses import replace

import pytest

from pipeline.errors import AssetError
from pipeline.exports import croissant
from pipeline.exports.dataset import write_dataset
from pipeline.exports.source import Release
from pipeline.exports.tables import COLUMNS, WINDOW_COLUMNS, with_targets
from pipeline.exports.terms import NOT_COMMERCIAL, terms
from pipeline.exports.words import BIAS
from pipeline.files import read_json, read_jsonl

mlc = pytest.importorskip("mlcroissant")
# rdflib parses JSON-LD through a class that it deprecates itself.
pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
RELEASE = Release("1.2.0", "a" * 40, "2026-11-21")


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("croissant")
    released = replace(source, release=RELEASE)
    croissant.describe(folder, write_dataset(source, folder), released)
    return folder


def plain(record, prefix):
    return {
        name.removeprefix(f"{prefix}/"): value.decode() if isinstance(value, bytes) else value
        for name, value in record.items()
    }


def test_it_is_valid_croissant_1_1(folder):
    dataset = mlc.Dataset(str(folder / "croissant.json"))
    assert not dataset.metadata.ctx.issues.errors
    assert not dataset.metadata.ctx.issues.warnings
    assert dataset.metadata.ctx.is_v1_1()
    written = read_json(folder / "croissant.json")
    assert "http://mlcommons.org/croissant/1.1" in written["conformsTo"]
    assert written["@context"]["isArray"] == "cr:isArray"
    assert (written["version"], written["datePublished"]) == ("1.2.0", "2026-11-21")


@pytest.mark.parametrize(("name", "file"), [("clip", "clips.jsonl"), ("window", "windows.jsonl")])
def test_its_records_are_the_tables_rows(folder, name, file):
    records = mlc.Dataset(str(folder / "croissant.json")).records(name)
    loaded = [plain(record, name) for record in records]
    rows = read_jsonl(folder / file)
    assert len(loaded) == len(rows)
    for record, row in zip(loaded, rows, strict=True):
        assert {k: v for k, v in record.items() if v == v} == {
            k: v for k, v in row.items() if v is not None or record[k] is None
        }


def test_every_column_is_described(folder, source):
    for file, fields in (("clips.jsonl", COLUMNS), ("windows.jsonl", WINDOW_COLUMNS)):
        assert set(with_targets(fields, source)) == set(read_jsonl(folder / file)[0])
    assert read_jsonl(folder / "clips.jsonl")[0]["target_severity"] == 0.4


def test_an_altered_table_does_not_load(folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    text = (copy / "clips.jsonl").read_text()
    (copy / "clips.jsonl").write_text(text.replace("FD1", "FD3", 1))
    with pytest.raises(Exception, match=r"not identical|error occurred"):
        list(mlc.Dataset(str(copy / "croissant.json")).records("clip"))


def test_it_names_every_licence_and_what_it_is_not_for(folder):
    written = read_json(folder / "croissant.json")
    assert written["license"] == [croissant.CC0, "public domain (NASA)"]
    assert "not a medical device" in json.dumps(written["rai:dataLimitations"])
    assert written["rai:dataBiases"] == BIAS


def test_without_mlcroissant_one_sentence_says_what_to_do(folder, source, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlcroissant", None)
    with pytest.raises(AssetError, match=r"pip install --requirement requirements-exports.lock"):
        croissant.describe(folder, [], source)


def test_a_graph_library_reads_what_it_may_be_used_for(folder):
    from rdflib import RDF, Graph, Namespace, URIRef

    odrl, duo = Namespace("http://www.w3.org/ns/odrl/2/"), "http://purl.obolibrary.org/obo/DUO_"
    graph = Graph().parse(folder / "croissant.json", format="json-ld")
    [offer] = graph.subjects(RDF.type, odrl.Offer)

    def purposes(kind):
        rules = graph.objects(offer, odrl[kind])
        limits = [limit for rule in rules for limit in graph.objects(rule, odrl.constraint)]
        return {value for limit in limits for value in graph.objects(limit, odrl.rightOperand)}

    assert purposes("permission") == {URIRef(f"{duo}0000042")}
    assert purposes("prohibition") == {URIRef(f"{duo}0000043")}


@pytest.mark.parametrize(
    ("licences", "code", "duty"),
    [(["CC0-1.0"], False, False), (["CC0-1.0", "CC-BY-NC-4.0"], True, False),
     (["CC-BY-4.0"], False, True)],
)  # fmt: skip
def test_a_faces_licence_narrows_the_terms(licences, code, duty):
    made = terms(licences)
    assert (NOT_COMMERCIAL in json.dumps(made["odrl:permission"])) is code
    assert ("odrl:obligation" in made) is duty
