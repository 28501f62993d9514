"""Flat tables of the corpus: one row a clip, one row a window (`docs/formats/dataset.md`)."""

from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.exports.source import Source
from pipeline.files import file_digest
from pipeline.lineage.provenance import allowed
from pipeline.records import FaceTrack

AVATAR_RIGHTS = {  # as pipeline.corpus.plan gives rendered stills
    "licence": "CC0-1.0",
    "consent": "not a person: rendered geometry",
    "origin": "rendered by Pallor from MakeHuman assets",
}


def clip_rows(source: Source) -> list[dict[str, Any]]:
    """One flat row a kept clip, by clip_id; `side` and `group` are those of the clean split.

    Raises StageError when a clip's file is missing or its people are not in the plan.
    """
    return [_clip_row(source, track) for track in source.tracks]


def window_rows(source: Source) -> list[dict[str, Any]]:
    """One row a window and protocol: `protocol`, and the fields of a `Sample` that is no copy."""
    return [
        {"protocol": protocol, **sample.model_dump(exclude={"origin", "partner"})}
        for protocol, samples in source.corpus.splits.items()
        for sample in samples
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
    place = source.place(track)
    truth = source.truth(track)
    return {
        "clip_id": track.clip_id,
        "kind": track.kind,
        "label": track.label,
        "side": place.side,
        "group": place.group,
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
    }


def _digest(path: Path) -> str:
    if not path.is_file():
        raise StageError(f"{path} is missing; `dvc checkout` or `pallor run` brings it back")
    return file_digest(path)
