"""The tables of crops and samples, read back: the one place that does."""

from pathlib import Path

from pipeline.files import read_jsonl
from pipeline.records import FaceTrack, Sample


def read_tracks(faces: Path) -> list[FaceTrack]:
    """The kept clips of a folder of crops."""
    return [FaceTrack.parse(row) for row in read_jsonl(faces / "faces.jsonl")]


def read_samples(table: Path) -> list[Sample]:
    """The samples of a split's or an oversampled table."""
    return [Sample.parse(row) for row in read_jsonl(table)]
