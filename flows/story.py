"""What a run leaves on Prefect's page: its stages, its figures, and where its report is."""

from collections.abc import Sequence
from typing import Any

from prefect.artifacts import (
    create_link_artifact,
    create_markdown_artifact,
    create_table_artifact,
)

from flows.workspace import METRICS, REPORT
from pipeline.report.report import terminal_summary

FIGURES = ("counts.json", "evaluation.json", "split_proof.json")


def leave_artifacts(outcomes: Sequence[dict[str, Any]]) -> None:
    """A table of the stages; the figures and a link to the page, where the line has made them."""
    create_table_artifact(key="stages", table=list(outcomes), description="What the run did")
    if all((METRICS / name).is_file() for name in FIGURES):
        text = f"```\n{terminal_summary(METRICS)}\n```"
        create_markdown_artifact(key="figures", markdown=text, description="Leaky and clean")
    page = (REPORT / "index.html").absolute()
    if page.is_file():
        create_link_artifact(
            key="report", link=page.as_uri(), link_text=page.name, description="The report"
        )
