"""Flat tables of the corpus: one row a clip, one row a window (`docs/formats/dataset.md`)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline.corpus.register import AVATAR_RIGHTS
from pipeline.errors import StageError
from pipeline.exports.source import Source
from pipeline.files import canonical, file_digest
from pipeline.lineage.provenance import allowed
from pipeline.records import FaceTrack

UNPLACED = "unplaced"  # where files go by side: clips without one, or with several
COLUMNS: dict[str, tuple[type, str]] = {  # of a clip's row > (type, meaning)
    "clip_id": (str, "the clip"),
    "kind": (str, "avatar (rendered) or transfer (a static face with an avatar's motion)"),
    "label": (str, "what the study calls the clip"),
    "expression": (str, "what is performed"),
    "conditions": (str, "what impairs the face: kind, severity and side as JSON"),
    "cohort": (str, "the part of the people that who performs belongs to"),
    "side": (str, "train, validation or test in one draw that the card names; none where a clip "
             "has no side or several"),
    "group": (str, "clips tied by a person, portrait or driving clip"),
    "identity_id": (str, "who drives the motion"),
    "driving_clip_id": (str, "the clip whose motion is seen"),
    "portrait_id": (str, "the static face that is seen; none for an avatar"),
    "person_id": (str, "who is seen"),
    "age": (float, "years, of who is seen"),
    "sex": (str, "of who is seen"),
    "ethnicity": (str, "of who is seen"),
    "licence": (str, "of the face that is seen"),
    "consent": (str, "how the person agreed, or why none was needed"),
    "origin": (str, "where the face comes from"),
    "seed": (int, "of the motion"),
    "frames": (int, "frames in the clip"),
    "fps": (int, "frames a second"),
    "size": (int, "pixels a side of the whole frames"),
    "video": (str, "path of the whole frames"),
    "video_sha256": (str, "SHA-256 of that file"),
    "face": (str, "path of the cropped face"),
    "face_sha256": (str, "SHA-256 of that file"),
    "truth": (str, "path of the per-frame truth; avatars only"),
    "truth_sha256": (str, "SHA-256 of that file"),
}  # fmt: skip
WINDOW_COLUMNS: dict[str, tuple[type, str]] = {
    "protocol": (str, "how sides are drawn"),
    "draw": (str, "which draw of the protocol: a fold, or its name"),
    "sample_id": (str, "the window"),
    "clip_id": (str, "the clip it is of"),
    "start": (int, "first frame"),
    "length": (int, "frames"),
    "label": (str, "what the study calls the clip"),
    "group": (str, "clips tied by a person, portrait or driving clip"),
    "side": (str, "train, validation or test in the draw"),
}


def with_targets(
    columns: Mapping[str, tuple[type, str]], source: Source
) -> dict[str, tuple[type, str]]:
    """The columns, with one for each number that stands beside the labels of this study."""
    numbers = {f"target_{name}": (float, f"{name} of the clip") for name in source.targets}
    return {**columns, **numbers}


def clip_rows(source: Source) -> list[dict[str, Any]]:
    """One flat row a kept clip, by clip_id; `side` is that of `source.draw`.

    Raises StageError when a clip's file is missing or its people are not in the plan.
    """
    return [_clip_row(source, track) for track in source.tracks]


def window_rows(source: Source) -> list[dict[str, Any]]:
    """One row a window and draw: the columns of WINDOW_COLUMNS, then the targets."""
    fields = [name for name in WINDOW_COLUMNS if name not in ("protocol", "draw")]
    return [
        {
            "protocol": protocol,
            "draw": draw,
            **{name: getattr(sample, name) for name in fields},
            **_targets(source, sample.targets),
        }
        for protocol, draw in source.study.draws()
        for sample in source.splits[draw]
    ]


def rights(source: Source, track: FaceTrack) -> dict[str, str]:
    """`licence`, `consent` and `origin` of the face that is seen.

    Raises StageError for a licence that forbids what a transferred clip is.
    """
    if (portrait := source.portrait(track)) is None:
        return dict(AVATAR_RIGHTS)
    [judged] = allowed([portrait.licence])
    if judged["use"] == "no":
        raise StageError(
            f"{track.clip_id} shows {portrait.portrait_id} under '{portrait.licence}', which "
            f"{judged['because']}; `pallor forget {portrait.portrait_id}` takes it out"
        )
    return {
        "licence": portrait.licence, "consent": portrait.consent, "origin": portrait.origin,
    }  # fmt: skip


def _clip_row(source: Source, track: FaceTrack) -> dict[str, Any]:
    driver = source.driver(track)
    group, side = source.place(track)
    truth = source.truth(track)
    return {
        "clip_id": track.clip_id,
        "kind": track.kind,
        "label": track.label,
        "expression": driver.expression,
        "conditions": canonical(driver.conditions),
        "cohort": track.cohort,
        "side": side,
        "group": group,
        "identity_id": track.identity_id,
        "driving_clip_id": track.driving_clip_id,
        "portrait_id": track.portrait_id,
        "person_id": track.person.identity_id,
        "age": track.person.age,
        "sex": track.person.sex,
        "ethnicity": track.person.ethnicity,
        **rights(source, track),
        "seed": driver.seed,
        "frames": len(track.boxes),
        "fps": driver.fps,
        "size": driver.size,
        "video": f"clips/{track.clip_id}.mp4",
        "video_sha256": _digest(source.video(track)),
        "face": f"faces/{track.clip_id}.mp4",
        "face_sha256": _digest(source.crop(track)),
        "truth": f"truth/{track.clip_id}.npz" if truth else None,
        "truth_sha256": _digest(truth) if truth else None,
        **_targets(source, track.targets),
    }


def _targets(source: Source, found: Mapping[str, float]) -> dict[str, float | None]:
    return {f"target_{name}": found.get(name) for name in source.targets}


def _digest(path: Path) -> str:
    if not path.is_file():
        raise StageError(f"{path} is missing; `dvc checkout` or `pallor run` brings it back")
    return file_digest(path)
