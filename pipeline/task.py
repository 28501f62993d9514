"""What is asked of a sample: the classes of a task, by labels and by ranges of targets."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Label = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]
Span = tuple[float, float]
MEASURES = ("pspi",)  # targets that follow from what the face executes, not from an arm
Hidden = Literal["eyes", "mouth", "start", "middle", "end"]
Group = Literal[
    "condition", "occluder", "setting", "light", "angle", "age", "sex", "ethnicity", "skin"
]


def unless_set(value: Any) -> bool:
    """Is a value as good as not given? Such a key is in no settings, which stay as they were."""
    return not value


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
    count together as a finding in binary detection. Where a class belongs to a person (`per`),
    nobody may stand in two. The last four are asked of the trained networks (pipeline.evaluation):
    the area under the ROC against the target `dose`, accuracy with parts of the picture or of the
    window hidden (`hide`), accuracy `errors_by` group, and how strong each expression was by class.
    """

    among: Selection = Selection()
    positive: Selection | None = None
    classes: dict[Label, Selection] = {}
    detect: list[Label] = []
    per: Literal["person"] | None = Field(None, exclude_if=unless_set)
    dose: Name | None = Field(None, exclude_if=unless_set)
    hide: list[Hidden] = Field([], exclude_if=unless_set)
    errors_by: list[Group] = Field([], exclude_if=unless_set)
    strength: bool = Field(False, exclude_if=unless_set)

    @model_validator(mode="after")
    def _one_way(self) -> "Task":
        if self.positive and self.classes:
            raise ValueError("give `positive` or `classes`, not both")
        return self

    @property
    def targets(self) -> set[str]:
        """Every target that the task asks for, to tell classes or as a dose."""
        asked = {name for selection in self.selections for name in selection.targets}
        return asked | ({self.dose} if self.dose else set())

    @property
    def binary(self) -> bool:
        """Are its classes `negative` and `positive`?"""
        return self.positive is not None or set(self.classes) == {"negative", "positive"}

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
