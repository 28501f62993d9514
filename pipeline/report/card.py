"""The card of a model (Mitchell et al. 2019, arXiv:1810.03993), written from its own figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.evaluation.results import Results
from pipeline.files import read_json
from pipeline.report.protocols import drawn
from pipeline.report.summary import CAVEAT
from pipeline.report.templates import fill

if TYPE_CHECKING:
    from pipeline.study import Study
    from pipeline.workspace import Workspace

CARD = Path(__file__).with_name("card.md.j2")
BREAKDOWNS = {  # of figures > what is broken down by
    "by_label": "label", "by_kind": "clip", "by_age": "age", "by_sex": "sex",
    "by_ethnicity": "ethnicity", "by_skin_tone": "skin tone in the picture",
}  # fmt: skip


def card_name(model: str) -> str:
    """The file of a model's card."""
    return f"model-card-{model}.md"


def training_records(
    workspace: "Workspace", study: "Study", task: str, model: str
) -> dict[str, list[dict[str, Any]]]:
    """Protocol > the training record of each of its draws."""
    return {
        name: [
            read_json(workspace.model(task, model, draw).with_suffix(".json"))
            for draw in protocol.draws(name)
        ]
        for name, protocol in study.protocols.items()
    }


def model_card(
    workspace: "Workspace", study: "Study", results: Results, counts: Mapping[str, Any], model: str
) -> str:
    """Markdown about one model of a study, in every task that it answers."""
    tasks = list(dict.fromkeys(task for task, name, _ in study.trials() if name == model))
    return fill(
        CARD,
        {
            "study": study,
            "model": model,
            "caveat": CAVEAT,
            "counts": counts,
            "results": results,
            "breakdowns": BREAKDOWNS,
            "rows": {
                task: [results.row(task, model, p) for p in study.protocols] for task in tasks
            },
            "records": {task: training_records(workspace, study, task, model) for task in tasks},
            "drawn": {name: drawn(protocol) for name, protocol in study.protocols.items()},
        },
    )
