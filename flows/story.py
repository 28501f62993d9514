"""What a run leaves on Prefect's page: its stages, its figures, and where its report is."""

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from flows.studies import opened
from pipeline.report.summary import terminal_summary


def leave_artifacts(outcomes: Sequence[dict[str, Any]], studies: Sequence[str]) -> None:
    """A table of the stages; the figures of each study and a link to its page, where they are."""
    create_table_artifact(key="stages", table=list(outcomes), description="What the run did")
    for name in studies:
        workspace, study, _ = opened(name)
        key = name.replace("_", "-")
        page = (workspace.report / "index.html").absolute()
        if page.is_file():
            text = f"```\n{terminal_summary(workspace, study)}\n```"
            create_markdown_artifact(key=f"figures-{key}", markdown=text, description=study.title)
            create_link_artifact(
                key=f"report-{key}", link=page.as_uri(), link_text=name, description="The report"
            )
