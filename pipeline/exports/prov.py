"""W3C PROV: stages as activities, their files as entities, who ran them as agents.

PROV-DM (2013), written by the prov library as PROV-JSON and, for people, as PROV-N.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.exports.library import library
from pipeline.exports.steps import Step
from pipeline.files import writing

JSON, NOTATION = "prov.json", "prov.provn"
NAMESPACE = "urn:pallor:"


def write_prov(steps: Sequence[Step], folder: Path) -> None:
    """Write prov.json and prov.provn. Raises AssetError without prov."""
    document = prov_document(steps)
    for name, form in ((JSON, "json"), (NOTATION, "provn")):
        with writing(folder / name) as part:
            part.write_text(document.serialize(format=form, **_indent(form)) + "\n")


def prov_document(steps: Sequence[Step]) -> Any:
    """The `prov.model.ProvDocument` of the steps; entities are `path@md5`."""
    document = library("prov.model").ProvDocument()
    document.add_namespace("pallor", NAMESPACE)
    software = document.agent("pallor:software", {"prov:type": "prov:SoftwareAgent"})
    for step in steps:
        _add(document, step, software)
    return document.unified()


def _add(document: Any, step: Step, software: Any) -> None:
    about: dict[str, Any] = {"prov:label": step.stage.cmd}
    if step.record and step.record.get("revision"):
        about["pallor:revision"] = step.record["revision"]
    times = (step.started, step.ended) if step.record else (None, None)
    activity = document.activity(f"pallor:{step.name}", *times, about)
    if step.record:
        person = {"prov:type": "prov:Person", "pallor:host": step.record["host"]}
        user = document.agent(f"pallor:user/{step.record['user']}", person)
        document.wasAssociatedWith(activity, user)
        document.actedOnBehalfOf(software, user, activity)
    document.wasAssociatedWith(activity, software)
    used = [_entity(document, path, md5) for path, md5 in step.inputs.items()]
    for entity in used:
        document.used(activity, entity)
    for path, md5 in step.stage.outs.items():
        made = _entity(document, path, md5)
        document.wasGeneratedBy(made, activity)
        for entity in used:
            document.wasDerivedFrom(made, entity, activity)


def _entity(document: Any, path: str, md5: str) -> Any:
    return document.entity(f"pallor:{path}@{md5}", {"prov:label": path, "pallor:md5": md5})


def _indent(form: str) -> dict[str, int]:
    return {"indent": 2} if form == "json" else {}
