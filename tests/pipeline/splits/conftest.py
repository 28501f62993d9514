"""Tracks of people who perform, without pictures."""

from collections.abc import Callable

import pytest

from pipeline.records import FaceTrack, Person

LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")


def tracks_of(people=12, labels=LABELS, frames=16, cohort="cast", first=0, trained=True):
    """One avatar clip a person and label."""
    made = []
    for number in range(first, first + people):
        person = Person(identity_id=f"id-{number:02}", age=50, sex="male", ethnicity="asian")
        for label in labels:
            clip = f"clip-{number:02}-{label}"
            made.append(FaceTrack(
                clip_id=clip, kind="avatar", label=label, cohort=cohort, trained=trained,
                identity_id=person.identity_id, portrait_id=None, driving_clip_id=clip,
                person=person, detector="haar", boxes=[[0, 0, 9, 9]] * frames,
            ))  # fmt: skip
    return made


@pytest.fixture(scope="session")
def people() -> Callable[..., list[FaceTrack]]:
    return tracks_of
