"""Stage report: the page, the contact sheet and the counts."""

from flows.stage import run_stage
from flows.workspace import (
    CLIPS,
    FACES,
    METRICS,
    MODELS,
    PLAN,
    PLOTS,
    PORTRAITS,
    REPORT,
    SHEET,
    TRANSFERRED,
)
from pipeline.report.report import Inputs, write_report


def report() -> None:
    """Write report, docs/contact-sheet.png and metrics/counts.json."""
    inputs = Inputs(PLAN, CLIPS, PORTRAITS, TRANSFERRED, FACES, MODELS, METRICS, PLOTS)
    write_report(inputs, REPORT, SHEET)


if __name__ == "__main__":
    run_stage("report", report)
