"""What is asked of a sample: the classes of a task, by labels and by ranges of targets."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Span = tuple[float, float]


class Part(BaseModel):
    """A frozen part of a study file that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Selection(Part):
    """Samples by label, by a range of a target, or both; ranges include both ends."""

    labels: list[Label] | None = None
    targets: dict[Name, Span] = {}

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        """`[weak]` and `weak` name labels; `{severity: [0.5, 1]}` names a target."""
        if isinstance(value, str):
            return {"labels": [value]}
        if isinstance(value, list):
            return {"labels": value}
        if isinstance(value, dict) and not {"labels", "targets"} & value.keys():
            return {"targets": value}
        return value

    def holds(self, label: str, targets: Mapping[str, float]) -> bool:
        """Is a sample with this label and these targets selected?"""
        if self.labels is not None and label not in self.labels:
            return False
        return all(
            name in targets and low <= targets[name] <= high
            for name, (low, high) in self.targets.items()
        )


class Task(Part):
    """What is asked of the samples `among` all: their own label, or one of named `classes`.

    `positive` alone makes two classes, `negative` and `positive`. `detect` names the classes that
    count together as a finding in binary detection.
    """

    among: Selection = Selection()
    positive: Selection | None = None
    classes: dict[Label, Selection] = {}
    detect: list[Label] = []

    @model_validator(mode="after")
    def _one_way(self) -> "Task":
        if self.positive and self.classes:
            raise ValueError("give `positive` or `classes`, not both")
        return self

    @property
    def selections(self) -> Iterator[Selection]:
        """Every selection that decides a sample's class."""
        yield self.among
        yield from self.classes.values()
        if self.positive:
            yield self.positive

    def class_of(self, label: str, targets: Mapping[str, float]) -> str | None:
        """The class of a sample, None where the task does not ask about it."""
        if not self.among.holds(label, targets):
            return None
        if self.positive:
            return "positive" if self.positive.holds(label, targets) else "negative"
        if not self.classes:
            return label
        for name, selection in self.classes.items():
            if selection.holds(label, targets):
                return name
        return None
