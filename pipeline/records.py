"""The records that travel between stages, each one row of one documented file.

An id is a short hash of the record's own content, so equal content has an equal id
and an edited record is found out (`docs/formats/`).
"""

from typing import Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
)

from pipeline.errors import StageError
from pipeline.files import digest

Kind = Literal["avatar", "transfer"]
Side = Literal["train", "validation", "test"]


class Record(BaseModel):
    """A frozen row that refuses unknown fields; those in LEFT_OUT stand in a row only when set."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    LEFT_OUT: ClassVar[frozenset[str]] = frozenset()

    def row(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return self.model_dump(mode="json")

    @model_serializer(mode="wrap")
    def _without_unset(self, values: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Also of a record within another."""
        found = values(self)
        return {name: value for name, value in found.items() if value or name not in self.LEFT_OUT}

    @classmethod
    def parse(cls, row: dict[str, Any]) -> Self:
        """The record of one row; StageError says what does not fit."""
        try:
            return cls.model_validate(row)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "all of it"
            raise StageError(
                f"a {cls.__name__} row does not fit its format: {where}: {first['msg']}"
            ) from error


def short_id(prefix: str, content: dict[str, Any]) -> str:
    """`prefix-` and ten hex digits of the content's digest."""
    return f"{prefix}-{digest(content, 10)}"


class Person(Record):
    """Who is seen, as far as audits ask: `age` in years, `sex` female|male.

    Unknown facts of a photographed person are None, never guessed.
    """

    identity_id: str
    age: float | None
    sex: str | None
    ethnicity: str | None


class Planned(Record):
    """What a planned clip is in its study, apart from what it shows.

    `label` follows from the arm (None: a clip of no arm, such as a still), `targets` are numbers
    beside it ({"severity": 0.4}), `cohort` is the one of who performs. A clip that is not `trained`
    on is only asked about.
    """

    label: str | None = None
    targets: dict[str, float] = {}
    cohort: str | None = None
    trained: bool = True


class ClipPlan(Planned):
    """One avatar clip to render; `identity` and `scene` are avatars' own plain records.

    `signs` of illness and `occluders` stand in a row only where there are some.

    `clip_id` is the digest of what is rendered, so studies share renders. `key` names the clip for
    people and for seeding ("3/anger"); frames at `fps` per second, square frames of `size` pixels,
    `samples` Cycles samples a pixel. `passes` are per-pixel truth beside the frames.
    """

    LEFT_OUT = frozenset({"signs", "occluders", "passes"})

    kind: Literal["clip"] = "clip"
    clip_id: str
    key: str
    person: Person
    identity: dict[str, Any]
    expression: str
    scene: dict[str, Any]
    seed: int
    frames: int
    fps: int
    size: int
    samples: int
    conditions: list[dict[str, Any]] = []
    passes: list[str] = []
    signs: dict[str, float] = {}
    occluders: list[str] = []

    def shown(self) -> dict[str, Any]:
        """The row without what the clip is in its study, and without its passes."""
        apart = {*Planned.model_fields, "passes"}
        return {name: value for name, value in self.row().items() if name not in apart}

    def content(self) -> dict[str, Any]:
        """What `clip_id` is the digest of."""
        return self.shown() | {"clip_id": ""}  # a digest cannot hold itself


class PortraitPlan(Record):
    """One static face: a photograph (`file`, relative to its register) or a still (`clip`)."""

    kind: Literal["portrait"] = "portrait"
    portrait_id: str
    key: str
    person: Person
    licence: str
    consent: str
    origin: str
    file: str | None
    clip: ClipPlan | None

    def content(self) -> dict[str, Any]:
        """What `portrait_id` is the digest of."""
        clip = self.clip.shown() if self.clip else None
        return self.row() | {"portrait_id": "", "clip": clip}


class TransferPlan(Planned):
    """One transferred clip: the portrait performs the motion of the driving clip, its driver's."""

    kind: Literal["transfer"] = "transfer"
    clip_id: str
    portrait_id: str
    driving_clip_id: str
    expression: str

    def content(self) -> dict[str, Any]:
        """What `clip_id` is the digest of."""
        return self.model_dump(include={"portrait_id", "driving_clip_id", "expression"})


class FaceTrack(Record):
    """A kept clip after detection and crop: its label and targets, its people and its boxes.

    `boxes` are [left, top, right, bottom] in pixels of the uncropped frame, one a frame.
    `identity_id` is who drives the motion; `portrait_id` who is seen (None: the avatar itself).
    """

    clip_id: str
    kind: Kind
    label: str
    targets: dict[str, float] = {}
    cohort: str
    trained: bool
    identity_id: str
    portrait_id: str | None
    driving_clip_id: str
    person: Person
    detector: str
    boxes: list[list[float]]


class Partner(Record):
    """The other window of a blend: its id, where it is cut, its `share` of the blend in (0, 1]."""

    sample_id: str
    clip_id: str
    start: int
    share: float


class Reference(Record):
    """The window that a sample is compared with: the same subject's, of the reference arm."""

    clip_id: str
    start: int


class Sample(Record):
    """A window of frames [start, start + length) of one kept clip, on one side of a split.

    `origin` is None for an original, else the sample_id it is a copy of (oversampling); `partner`
    is set when the copy is blended with another training window of its class.
    """

    LEFT_OUT = frozenset({"targets", "reference"})

    sample_id: str
    clip_id: str
    start: int
    length: int
    label: str
    targets: dict[str, float] = {}
    reference: Reference | None = None
    group: str
    side: Side
    origin: str | None = None
    partner: Partner | None = None

    def copied(self, number: int, partner: Partner | None = None) -> "Sample":
        """The number-th oversampled copy of this sample, blended where there is a partner."""
        content: dict[str, Any] = {"origin": self.sample_id, "copy": number}
        content |= {"partner": partner.row()} if partner else {}
        changes = {"sample_id": short_id("sample", content), "origin": self.sample_id}
        return self.model_copy(update=changes | {"partner": partner})
