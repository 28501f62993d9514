"""The examples in the pages of the export formats, run inside a real export."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from pipeline.exports import FORMATS
from pipeline.exports.certificate import local_certificate
from pipeline.exports.export import Export, write_export
from pipeline.exports.tables import clip_rows

DOCS = Path(__file__).parents[3] / "docs"
WHERE = {  # page > its folder in an export of all formats, and what its example finds
    "dataset": ("dataset", lambda names: names["frames"].shape == (4, 16, 16, 3)),
    "croissant": ("dataset", lambda names: names["labels"].count("FD2-L") == 4),
    "ro-crate": ("dataset", lambda names: names["stages"] == ["plan", "render"]),
    "datasheet": ("dataset", lambda names: names["head"]["license"] == "other"),
    "prov": ("lineage", lambda names: names["stages"] == ["pallor:plan", "pallor:render"]),
    "openlineage": (
        "lineage",
        lambda names: names["written"] == {"data/ward/plan.jsonl", "data/ward/clips"},
    ),
    "c2pa": ("c2pa", lambda names: names["found"]["state"] == "Trusted"),
    "webdataset": ("webdataset", lambda names: len(names["labels"]) == 5),
    "parquet": ("parquet", lambda names: names["smiles"].num_rows == 20),
    "arkit": ("parquet", lambda names: len(names["names"]) == 52),
    "coco": ("coco", lambda names: {len(row["keypoints"]) for row in names["faces"]} == {204}),
    "huggingface": (".", lambda names: b"ftyp" in names["first"][:16]),
}
for name in ("mlcroissant", "rocrate", "prov", "openlineage", "c2pa", "webdataset", "datasets",
             "pyarrow", "pycocotools"):  # fmt: skip
    pytest.importorskip(name)


@pytest.fixture(scope="module")
def made(source, workspace, tmp_path_factory):
    root = tmp_path_factory.mktemp("pages")
    now = datetime.now(UTC)
    certificate = local_certificate(root / "c2pa", now)
    export = Export(source, workspace.root / ".pallor" / "runs", now, lambda: certificate)
    write_export("all", export, root / "out")
    return root / "out"


def block(page, language):
    text = (DOCS / "formats" / f"{page}.md").read_text()
    [found] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


@pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph:DeprecationWarning", "ignore::ResourceWarning",
    "ignore::pytest.PytestUnraisableExceptionWarning",
)  # fmt: skip
@pytest.mark.parametrize("page", WHERE)
def test_the_example_of_a_page_opens_the_export(made, page, monkeypatch, tmp_path):
    folder, holds = WHERE[page]
    monkeypatch.chdir(made / folder)
    if page == "huggingface":
        import datasets

        monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
        monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    names = {}
    exec(block(page, "python"), names)
    assert holds(names)


def test_the_example_row_has_the_columns_of_the_table(source):
    row = json.loads(block("dataset", "json"))
    rows = clip_rows(source)
    assert set(row) == set(rows[0])
    for name, value in row.items():
        kinds = {type(other[name]) for other in rows}
        assert type(value) in kinds, name


def test_every_column_stands_on_the_page(source):
    text = (DOCS / "formats" / "dataset.md").read_text()
    assert [name for name in clip_rows(source)[0] if f"`{name}`" not in text] == []


def test_every_format_has_its_page_in_the_overview():
    text = (DOCS / "exports.md").read_text()
    for name in set(FORMATS) - {"all"}:
        assert f"| `{name}` |" in text
    for page in re.findall(r"\(formats/(.*?)\.md\)", text):
        assert (DOCS / "formats" / f"{page}.md").is_file()
        assert page in WHERE


def test_the_hub_reads_the_head_of_the_card(made):
    head = yaml.safe_load((made / "huggingface" / "README.md").read_text().split("---\n")[1])
    for config in head["configs"]:
        for part in config["data_files"]:
            assert (made / "huggingface" / part["path"]).is_file()
