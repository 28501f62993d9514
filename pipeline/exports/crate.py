"""RO-Crate: the dataset folder as a research object, with the runs that made it.

RO-Crate 1.1 and its profile Process Run Crate 0.5, written by rocrate.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.exports.cards import CARD, SHEET
from pipeline.exports.croissant import CC0
from pipeline.exports.croissant import FILE as CROISSANT
from pipeline.exports.dataset import CLIPS, QUARANTINE, WINDOWS
from pipeline.exports.library import library
from pipeline.exports.source import Release, Source
from pipeline.exports.steps import Step
from pipeline.exports.words import NOTICE, Words
from pipeline.files import file_digest

FILE = "ro-crate-metadata.json"
VERSION = "1.1"  # the one that most readers know, and that Process Run Crate builds on
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
TABLES = {
    CLIPS: "one row a clip: label, people, licence, files with their SHA-256",
    WINDOWS: "one row a window and draw: frames and side",
    QUARANTINE: "clips turned away, and why",
}
PAGES = {CARD: "text/markdown", SHEET: "text/markdown", CROISSANT: "application/ld+json"}
MEDIA = {"video": "video/mp4", "face": "video/mp4", "truth": "application/x-npz"}


def describe_crate(
    folder: Path, rows: Sequence[Mapping[str, Any]], source: Source, steps: Sequence[Step]
) -> None:
    """Write ro-crate-metadata.json into a dataset folder (`write_dataset`) with clip rows `rows`.

    Card, datasheet and croissant.json are part of it where they lie there. Raises
    AssetError without rocrate.
    """
    crate = library("rocrate.rocrate").ROCrate(version=VERSION)
    licences = {name: _licence(crate, name) for name in sorted({row["licence"] for row in rows})}
    _describe_root(crate, source, list(licences.values()))
    for name, meaning in TABLES.items():
        _add_file(crate, folder, name, "application/jsonl", {"description": meaning})
    for name, mime in PAGES.items():
        if (folder / name).is_file():
            _add_file(crate, folder, name, mime, {})
    for row in rows:
        for kind, mime in MEDIA.items():
            if row[kind]:
                about = {"name": f"{row['clip_id']}: {kind}", "license": licences[row["licence"]]}
                _add_file(crate, folder, row[kind], mime, about, row[f"{kind}_sha256"])
    _add_runs(crate, steps, source.release)
    crate.metadata.write(folder)  # the files lie there already


def _describe_root(crate: Any, source: Source, licences: list[Any]) -> None:
    words, release = Words(source.study), source.release
    crate.name, crate.description = words.title, words.description
    crate.datePublished, crate.license = release.date, licences
    crate.keywords = ", ".join(words.keywords)
    crate.root_dataset["version"] = release.version
    crate.root_dataset["usageInfo"] = NOTICE
    profile = {"@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}
    crate.root_dataset["conformsTo"] = _thing(crate, PROFILE, profile)


def _licence(crate: Any, name: str) -> Any:
    known = name == "CC0-1.0"
    id_ = CC0 if known else f"#licence-{name.replace(' ', '-')}"
    return _thing(crate, id_, {"@type": "CreativeWork", "name": name})


def _add_file(
    crate: Any, folder: Path, name: str, mime: str, about: Mapping[str, Any],
    sha256: str | None = None,
) -> None:  # fmt: skip
    path = folder / name
    facts = {
        "encodingFormat": mime, "contentSize": str(path.stat().st_size),
        "sha256": sha256 or file_digest(path),
    }  # fmt: skip
    crate.add_file(path, name, properties={"name": name, **facts, **about})


def _add_runs(crate: Any, steps: Sequence[Step], release: Release) -> None:
    software = {
        "@type": "SoftwareApplication", "name": "Pallor", "version": release.version,
        "softwareRequirements": "Python 3.11, Blender (bpy), PyTorch, Prefect, DVC",
    }  # fmt: skip
    instrument = _thing(crate, "#pallor", software)
    for step in steps:
        crate.root_dataset.append_to("mentions", _action(crate, step, instrument))


def _action(crate: Any, step: Step, instrument: Any) -> Any:
    about: dict[str, Any] = {"name": step.name, "description": step.stage.cmd}
    if step.record:  # when, but not who: a crate is published, PROV and OpenLineage name users
        about |= {"startTime": step.started.isoformat(), "endTime": step.ended.isoformat()}
    inputs = [_data(crate, path, md5) for path, md5 in step.inputs.items()]
    outputs = [_data(crate, path, md5) for path, md5 in step.stage.outs.items()]
    return crate.add_action(
        instrument, identifier=f"#{step.name}", object=inputs, result=outputs, properties=about
    )


def _data(crate: Any, path: str, md5: str) -> Any:
    about = {"@type": "CreativeWork", "name": path, "identifier": f"md5:{md5}"}
    return _thing(crate, f"#{path}@{md5}", about)


def _thing(crate: Any, id_: str, properties: Mapping[str, Any]) -> Any:
    if found := crate.dereference(id_):
        return found
    entity = library("rocrate.model.contextentity").ContextEntity
    return crate.add(entity(crate, id_, properties=dict(properties)))
