"""Bills of materials of a release: its libraries (SBOM) and its models (ML-BOM).

CycloneDX 1.6 (ECMA-424) as JSON. The same commit gives the same bytes in one environment: versions
come from the lock files, the time is the commit's. The model cards are written here because
cyclonedx-python-lib 11.12 has none; its validator judges the files in a test.
"""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, version
from pathlib import Path
from typing import Any

from pipeline.evaluation.results import Results
from pipeline.files import file_digest, read_json
from pipeline.lineage import history
from pipeline.lineage.corpus import Place
from pipeline.report.summary import CAVEAT
from pipeline.stage import CHECKPOINT, WEIGHTS
from pipeline.study_checks import known_studies
from pipeline.workspace import Workspace

LOCK_FILES = "requirements*.lock"
LICENCE = "MIT"  # ours, and of the weights that the line trains on its own renders
SHORT = 60  # characters: longer ones are whole texts of licences
SHIPPED = {  # file > what it is, and its architecture
    CHECKPOINT: ("motion model", "First Order Motion Model (Siarohin et al. 2019)"),
    WEIGHTS[0]: ("face detector", "BlazeFace (Bazarevsky et al. 2019)"),
    WEIGHTS[2]: ("landmark network", "FAN, one stack (Bulat & Tzimiropoulos 2017)"),
}


def software(place: Place, release: str) -> dict[str, Any]:
    """The SBOM: one component a locked package, by name."""
    rows = sorted(_locked(place.root).items())
    return _bom(place, release, [_package(name, pinned) for name, pinned in rows])


def models(place: Place, release: str) -> dict[str, Any]:
    """The ML-BOM: the networks that ship, and every trained classifier with its figures."""
    found = [_shipped(place.root, name) for name in SHIPPED if (place.root / name).is_file()]
    for study in known_studies(place.root):
        found += _classifiers(place.files(study))
    return _bom(place, release, found)


def _bom(place: Place, release: str, components: list[dict[str, Any]]) -> dict[str, Any]:
    commit = history.git(place.root, "log", "-1", "--format=%cI").strip()
    own = {"type": "data", "name": "pallor-dataset", "version": release, "bom-ref": "dataset"}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": commit, "component": own},
        "components": components,
        "dependencies": [{"ref": "dataset", "dependsOn": [row["bom-ref"] for row in components]}],
    }


def _locked(root: Path) -> dict[str, str]:
    lines = [line for lock in root.glob(LOCK_FILES) for line in lock.read_text().splitlines()]
    return dict(line.split("==") for line in lines)


def _package(name: str, pinned: str) -> dict[str, Any]:
    address = f"pkg:pypi/{name.lower().replace('_', '-')}@{pinned}"
    row = {"type": "library", "name": name, "version": pinned, "purl": address, "bom-ref": address}
    licence = _licence(name, pinned)
    return row | ({"licenses": [{"license": {"name": licence}}]} if licence else {})


def _licence(name: str, pinned: str) -> str:
    """What the installed package says of itself; empty where another version is installed."""
    try:
        if version(name).split("+")[0] != pinned:
            return ""
        found = metadata(name)
    except PackageNotFoundError:
        return ""
    classes = [c for c in found.get_all("Classifier", []) if c.startswith("License ::")]
    texts = [text for key in ("License-Expression", "License") for text in found.get_all(key, [])]
    said = (text.rpartition(":: ")[2] for text in (*texts, *classes))
    return next((text for text in said if len(text) <= SHORT), "")


def _shipped(root: Path, name: str) -> dict[str, Any]:
    task, family = SHIPPED[name]
    card = {"modelParameters": {"task": task, "architectureFamily": family}}
    return _model(root / name, name, card)


def _classifiers(files: Workspace) -> Iterator[dict[str, Any]]:
    """Every trained network of a study, with the figures of its protocol."""
    measured = Results.read(files.evaluation).rows if files.evaluation.is_file() else []
    for path in sorted(files.models.glob("*/*/*.safetensors")):
        task, network = path.parts[-3:-1]
        name = path.relative_to(files.root).as_posix()
        record = path.with_suffix(".json")
        labels = read_json(record).get("labels", []) if record.is_file() else []
        rows = [r for r in measured if (r["task"], r["model"], r["protocol"]) == (
            task, network, path.stem)]  # fmt: skip
        yield _model(path, name, _card(files.study, task, network, labels, rows))


def _card(
    study: str, task: str, network: str, labels: list[str], rows: list[Any]
) -> dict[str, Any]:
    outputs = [{"format": f"probabilities of {', '.join(labels)}"}] if labels else []
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": f"{study}: {task}",
            "modelArchitecture": network,
            "datasets": [{"type": "dataset", "name": f"pallor-{study}"}],
            "inputs": [{"format": "windows of face crops, uint8"}],
            "outputs": outputs,
        },
        "quantitativeAnalysis": {"performanceMetrics": [m for row in rows for m in _figures(row)]},
        "considerations": {"technicalLimitations": [CAVEAT]},
    }


def _figures(row: Any) -> Iterator[dict[str, Any]]:
    figures = row[f"by_{row['unit']}"]
    for name in ("accuracy", "auc"):
        interval = figures.get(f"{name}_ci95")
        if interval and figures.get(name) is not None:
            low, high = (str(end) for end in interval)
            leaky = "leaky" if row["leaky"] else "nobody on both sides"
            yield {
                "type": name,
                "value": str(figures[name]),
                "slice": f"test side of {row['protocol']} ({leaky}), by {row['unit']}",
                "confidenceInterval": {"lowerBound": low, "upperBound": high},
            }


def _model(path: Path, name: str, card: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "machine-learning-model",
        "name": name,
        "bom-ref": name,
        "hashes": [{"alg": "SHA-256", "content": file_digest(path)}],
        "licenses": [{"license": {"id": LICENCE}}],
        "modelCard": card,
    }
