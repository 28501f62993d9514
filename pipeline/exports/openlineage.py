"""OpenLineage events of the stages, as a file and to a server where one is configured.

OpenLineage specification 2-0-2. A stage with a run record gives a START and a COMPLETE event; one
without gives a job event, which states what is read and written but no run.
"""

import os
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.exports.library import library
from pipeline.exports.steps import Step
from pipeline.files import canonical
from pipeline.stage import STAGES, name_of, place, study_of
from pipeline.workspace import MAIN, Workspace

FILE = "openlineage.ndjson"
NAMESPACE = "pallor"
PRODUCER = "urn:pallor"


def events(steps: Sequence[Step], now: datetime) -> list[Any]:
    """The events of all steps in order, as openlineage-python's own objects.

    `now` (with a zone) is the time of job events; run events have their records' times. Same
    records, same run ids. Raises AssetError without openlineage-python.
    """
    return [event for step in steps for event in _events(step, now)]


def write_events(found: Sequence[Any], folder: Path) -> None:
    """Write `folder`/openlineage.ndjson through the library's file transport."""
    library("openlineage.client")
    file = library("openlineage.client.transport.file")
    config = file.FileConfig(log_file_path=str(folder / FILE), append=True)
    transport = file.FileTransport(config)
    for event in found:
        transport.emit(event)


def environment_client() -> Any | None:
    """The client that the environment configures (OPENLINEAGE_URL, ...), None when it does not."""
    if not any(name.startswith("OPENLINEAGE_") for name in os.environ):
        return None
    return library("openlineage.client").OpenLineageClient()


def send_events(found: Sequence[Any], client: Any) -> None:
    """Send the events; StageError when the server cannot be reached or refuses one."""
    try:
        for event in found:
            client.emit(event)
    except Exception as error:  # every transport has errors of its own
        raise StageError(
            f"the OpenLineage server did not take the events ({error}); check OPENLINEAGE_URL"
        ) from error


def live_event(
    key: str, record: Mapping[str, Any], state: str, now: datetime, error: str = ""
) -> Any:
    """The event of a stage that runs: `state` is START, COMPLETE or FAIL, `key` as in the lock.

    The run's id is that of `run_id`. Data have names and no version yet: DVC hashes them later.
    """
    ol = library("openlineage.client.event_v2")
    name, workspace = name_of(key), Workspace(study_of(key) or MAIN)
    stage = STAGES[name]
    facets = {"tags": _tags(record)}
    if error:
        message = library("openlineage.client.generated.error_message_run")
        facets["errorMessage"] = message.ErrorMessageRunFacet(error, "Python", producer=PRODUCER)
    return ol.RunEvent(
        eventType=ol.RunState[state],
        eventTime=now.isoformat(),
        run=ol.Run(_run_id(record), facets=facets),
        job=ol.Job(NAMESPACE, name),
        producer=PRODUCER,
        inputs=[ol.InputDataset(NAMESPACE, str(place(i, workspace))) for i in stage.inputs],
        outputs=[ol.OutputDataset(NAMESPACE, str(place(o.name, workspace))) for o in stage.outputs],
    )


def _events(step: Step, now: datetime) -> list[Any]:
    ol = library("openlineage.client.event_v2")
    inputs = [_dataset(ol.InputDataset, path, md5) for path, md5 in step.inputs.items()]
    outputs = [_dataset(ol.OutputDataset, path, md5) for path, md5 in step.stage.outs.items()]
    job = ol.Job(NAMESPACE, step.name, facets=_job_facets(step))
    common = {"job": job, "producer": PRODUCER, "inputs": inputs, "outputs": outputs}
    if step.record is None:
        return [ol.JobEvent(eventTime=now.isoformat(), **common)]
    run = ol.Run(run_id(step), facets=_run_facets(step))
    moments = [(ol.RunState.START, step.started), (ol.RunState.COMPLETE, step.ended)]
    return [
        ol.RunEvent(eventType=state, eventTime=moment.isoformat(), run=run, **common)
        for state, moment in moments
    ]


def run_id(step: Step) -> str:
    """The UUID of a recorded run, a hash of what tells it from every other."""
    return _run_id(step.record or {})


def _run_id(record: Mapping[str, Any]) -> str:
    key = "/".join(str(record.get(name)) for name in ("name", "started", "host", "pid"))
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}/{key}"))


def _dataset(kind: Any, path: str, md5: str) -> Any:
    facet = library("openlineage.client.generated.dataset_version_dataset")
    version = facet.DatasetVersionDatasetFacet(datasetVersion=md5, producer=PRODUCER)
    return kind(NAMESPACE, path, facets={"version": version})


def _job_facets(step: Step) -> dict[str, Any]:
    kind = library("openlineage.client.generated.job_type_job").JobTypeJobFacet(
        processingType="BATCH", integration="DVC", jobType="STAGE", producer=PRODUCER
    )
    documentation = library("openlineage.client.generated.documentation_job")
    about = documentation.DocumentationJobFacet(description=step.stage.cmd, producer=PRODUCER)
    return {"jobType": kind, "documentation": about}


def _run_facets(step: Step) -> dict[str, Any]:
    parameters = library("openlineage.client.generated.execution_parameters_run")
    values = [
        parameters.ExecutionParameter(key=name, value=canonical(value))
        for name, value in step.stage.params.items()
    ]
    return {
        "tags": _tags(step.record or {}),
        "executionParameters": parameters.ExecutionParametersRunFacet(values, producer=PRODUCER),
    }


def _tags(record: Mapping[str, Any]) -> Any:
    facts = {name: record.get(name) for name in ("revision", "user", "host", "platform", "python")}
    facts |= {f"version of {name}": v for name, v in (record.get("packages") or {}).items()}
    tags = library("openlineage.client.generated.tags_run")
    fields = [
        tags.TagsRunFacetFields(key, str(value), "PALLOR")
        for key, value in facts.items()
        if value is not None
    ]
    return tags.TagsRunFacet(tags=fields, producer=PRODUCER)
