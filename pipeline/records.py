"""The records that travel between stages, each one row of one documented file.

An id is a short hash of the record's own content, so equal content has an equal id
and an edited record is found out (`docs/formats/`).
"""

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict

from pipeline.errors import StageError
from pipeline.files import digest

Kind = Literal["avatar", "transfer"]
Side = Literal["train", "test"]
Protocol = Literal["published", "clean"]
PROTOCOLS: tuple[Protocol, ...] = ("published", "clean")


class Record(BaseModel):
    """A frozen row that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def row(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return self.model_dump(mode="json")

    @classmethod
    def parse(cls, row: dict[str, Any]) -> Self:
        """The record of one row; StageError says what does not fit."""
        try:
            return cls.model_validate(row)
        except ValueError as error:
            raise StageError(f"a {cls.__name__} row does not fit its format: {error}") from error


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


class ClipPlan(Record):
    """One avatar clip to render; `identity` and `scene` are avatars' own plain records.

    `key` names the clip for people and for seeding ("3/FD3-L"); frames at `fps` per second,
    square frames of `size` pixels, `samples` Cycles samples a pixel.
    """

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


class TransferPlan(Record):
    """One transferred clip: the portrait performs the motion of the driving clip."""

    kind: Literal["transfer"] = "transfer"
    clip_id: str
    portrait_id: str
    driving_clip_id: str
    expression: str


class FaceTrack(Record):
    """A kept clip after detection and crop: its label, its people and its boxes.

    `boxes` are [left, top, right, bottom] in pixels of the uncropped frame, one a frame.
    `identity_id` is who drives the motion; `portrait_id` who is seen (None: the avatar itself).
    """

    clip_id: str
    kind: Kind
    label: str
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


class Sample(Record):
    """A window of frames [start, start + length) of one kept clip, on one side of a split.

    `origin` is None for an original, else the sample_id it is a copy of (oversampling); `partner`
    is set when the copy is blended with another training window of its class.
    """

    sample_id: str
    clip_id: str
    start: int
    length: int
    label: str
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
