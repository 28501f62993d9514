"""The model card (Mitchell et al. 2019, arXiv:1810.03993), written from the figures themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def model_card(
    evaluation: Mapping[str, Any], records: Mapping[str, Any], counts: Mapping[str, Any]
) -> str:
    """Markdown about both models, from metrics/evaluation.json, their records and counts.json."""
    # Undefined names must fail: a card with a hole in it would still look finished.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, autoescape=False,
    )  # fmt: skip
    environment.filters["percent"] = lambda share: f"{100 * share:.1f}"
    return environment.get_template("card.md.j2").render(
        evaluation=evaluation, records=records, counts=counts
    )
