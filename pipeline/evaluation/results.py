"""What was measured: metrics/<study>/evaluation.json read back (`docs/formats/evaluation.md`)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import StageError
from pipeline.files import read_json

if TYPE_CHECKING:
    from pipeline.study import Claim, Study

FIGURES = (
    "accuracy", "precision", "recall", "f1", "weighted_f1", "auc", "sensitivity", "specificity",
)  # fmt: skip
# What only some studies ask for, or only some have.
ASKED = ("threshold", "dose", "hidden", "errors_by", "missed", "asked_only")
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Results:
    """The `rows` of a study, one for each task, model and protocol, and its probes.

    `strength` holds expression strength by task, where a study asks for it.
    """

    rows: list[Row]
    probe_rows: list[Row]
    strength: Row = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> "Results":
        """The results of a file; StageError when it is missing or of another format."""
        found = read_json(path)
        try:
            return cls(found["results"], found["probes"], found.get("strength", {}))
        except (AttributeError, KeyError, TypeError) as error:
            raise StageError(
                f"{path} does not hold `results` and `probes`; run `pallor run` to make it anew"
            ) from error

    def row(self, task: str, model: str, protocol: str) -> Row:
        """The row of one trained network; StageError when it was not measured."""
        return _only(self.rows, task=task, model=model, protocol=protocol)

    def probes(self, task: str, protocol: str) -> dict[str, Row]:
        """Figures by probe: what tells the task's classes without showing them."""
        names = ("task", "protocol", "leaky")
        found = _only(self.probe_rows, task=task, protocol=protocol)
        return {name: row for name, row in found.items() if name not in names}

    def headline(self, row: Row) -> Row:
        """The figures of a row in its own unit of analysis."""
        figures: Row = row[f"by_{row['unit']}"]
        return figures

    def first(self, study: "Study", leaky: bool) -> Row | None:
        """The row that the study is known by: first task, first model that answers it, and of its
        protocols the first that leaks, or the first that does not; None without such a protocol."""
        protocols = [name for name, known in study.protocols.items() if known.leaky == leaky]
        task, model, _ = study.trials()[0]
        return self.row(task, model, protocols[0]) if protocols else None

    def flat(self, study: "Study") -> list[dict[str, Any]]:
        """A plain row for each row: its headline figures, with the published ones beside them.

        `figures` hold `value` and `ci95` by name and leave out what cannot be told of the test
        side; `published` holds values by name, None where no claim stands beside the row. What the
        study asks beyond figures follows under the names of ASKED.
        """
        return [self._flat(row, study) for row in self.rows]

    def _flat(self, row: Row, study: "Study") -> dict[str, Any]:
        figures = self.headline(row)
        claims = claims_beside(study, row)
        return {
            **{name: row[name] for name in ("task", "model", "protocol", "leaky", "unit")},
            "n": figures["n_test"],
            "figures": {
                name: {"value": figures[name], "ci95": figures[f"{name}_ci95"]}
                for name in FIGURES
                if figures.get(name) is not None and figures.get(f"{name}_ci95")
            },
            "published": {k: v for claim in claims for k, v in claim.figures.items()} or None,
            **{name: row[name] for name in ASKED if row.get(name)},
        }


def claims_beside(study: "Study", row: Row) -> "list[Claim]":
    """The published claims that stand beside a row of ours."""
    claims = study.published.claims if study.published else []
    return [
        claim
        for claim in claims
        if (claim.task, claim.protocol) == (row["task"], row["protocol"])
        and claim.model in (None, row["model"])
    ]


def _only(rows: list[Row], **key: str) -> Row:
    for row in rows:
        if all(row[name] == value for name, value in key.items()):
            return row
    raise StageError(f"{', '.join(key.values())}: no such result was measured; run `pallor run`")
