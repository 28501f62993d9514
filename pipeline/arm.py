"""An arm of a study: who performs what, how they look and are seen, and the label that follows."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from avatars import angles
from avatars.errors import AvatarError
from pipeline.naming import nearest
from pipeline.params import Pass
from pipeline.task import Label, Name, Part, Span, unless_set


class Impairment(Part):
    """A condition of an arm: `severity` in [0, 1], fixed or drawn from a range.

    It is drawn once a `person`, who is as ill in every clip, or once a `clip`. With `fatigue` each
    repeat is performed under that much more; the target stays what was drawn.
    """

    kind: str
    severity: float | Span = Field(...)
    side: Literal["left", "right", "drawn"] = "drawn"  # the own side affected, or affected more
    drawn_per: Literal["person", "clip"] = "person"
    fatigue: float = Field(0.0, ge=0, le=1, exclude_if=unless_set)

    @model_validator(mode="after")
    def _in_range(self) -> "Impairment":
        low, high = self.span
        if not 0 <= low <= high <= 1:
            raise ValueError(f"severity must lie in [0, 1], low before high, got {self.severity}")
        return self

    @property
    def span(self) -> Span:
        """Least and greatest severity."""
        return ends(self.severity)


class Viewpoint(Part):
    """From where a camera looks: degrees, fixed or drawn once a clip from a range.

    `azimuth` + on the person's own left, `elevation` + above. A name of `avatars.angles` stands for
    both.
    """

    azimuth: float | Span = Field(0.0)
    elevation: float | Span = Field(0.0)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        if given not in angles.NAMED:
            raise ValueError(f"there is no camera '{given}'; {nearest(given, angles.NAMED)}")
        return dict(zip(("azimuth", "elevation"), angles.NAMED[given], strict=True))

    @model_validator(mode="after")
    def _within(self) -> "Viewpoint":
        for low, high in (ends(self.azimuth), ends(self.elevation)):
            if low > high:
                raise ValueError(f"a range goes from low to high, got {low:g} to {high:g}")
        for corner in zip(ends(self.azimuth), ends(self.elevation), strict=True):
            try:
                angles.require(*corner)
            except AvatarError as error:
                raise ValueError(str(error)) from error
        return self


def ends(value: float | Span) -> Span:
    """Least and greatest of a number or a range."""
    return value if isinstance(value, tuple) else (value, value)


Share = Annotated[float, Field(ge=0, le=1)]


class Arm(Part):
    """People of `cohorts` who perform `expressions` under `conditions`; the `label` that follows.

    Each performs each expression `repeats` times. Each performance is seen by every one of
    `cameras`, or by one in front; `passes` are per-pixel truth beside `plan.passes`. `signs` of
    illness are fixed or drawn from a range, `occluders` worn in a share of the clips.
    `trained: false` keeps an arm out of every
    training side: it is asked about, never learnt from.
    """

    label: Label
    cohorts: list[Name] = Field(min_length=1)
    expressions: list[str] = Field(min_length=1)
    conditions: list[Impairment] = Field([])
    signs: dict[str, Share | tuple[Share, Share]] = Field({})
    occluders: dict[str, Share] = Field({})
    repeats: int = Field(1, ge=1)
    cameras: list[Viewpoint] = Field([])
    passes: list[Pass] = Field([])
    trained: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> "Arm":
        for name, value in self.signs.items():
            if isinstance(value, tuple) and value[0] > value[1]:
                raise ValueError(f"signs.{name} goes from {value[0]} to {value[1]}; swap them")
        return self
