"""What every export starts from: a finished workspace and which revision it is."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage import corpus as lineage
from pipeline.lineage import history
from pipeline.records import ClipPlan, FaceTrack, PortraitPlan, Sample

_SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?")


@dataclass(frozen=True)
class Release:
    """What an export is of: `version` is semantic (semver.org); `revision` a commit that may end
    in -dirty, None outside git; `date` the commit's YYYY-MM-DD, outside git the export's.
    """

    version: str
    revision: str | None
    date: str


@dataclass(frozen=True)
class Source:
    """A workspace's tables, its files and its revision."""

    root: Path
    corpus: lineage.Corpus
    release: Release

    @cached_property
    def tracks(self) -> list[FaceTrack]:
        """The kept clips by clip_id."""
        return sorted(self.corpus.tracks, key=lambda track: track.clip_id)

    @cached_property
    def drivers(self) -> dict[str, ClipPlan]:
        """The planned avatar clips by clip_id."""
        return {clip.clip_id: clip for clip in self.corpus.plan.clips}

    @cached_property
    def portraits(self) -> dict[str, PortraitPlan]:
        """The planned static faces by portrait_id."""
        return {portrait.portrait_id: portrait for portrait in self.corpus.plan.portraits}

    @cached_property
    def clean(self) -> dict[str, Sample]:
        """A window of each clip, which has the clip's side and group in the clean split."""
        return {sample.clip_id: sample for sample in self.corpus.splits["clean"]}

    def place(self, track: FaceTrack) -> Sample:
        """The clip's entry in `clean`; StageError when the split is of other clips."""
        if track.clip_id not in self.clean:
            where = self.root / lineage.SPLIT / "clean.jsonl"
            raise StageError(f"{where} has no window of {track.clip_id}; run `pallor run`")
        return self.clean[track.clip_id]

    def driver(self, track: FaceTrack) -> ClipPlan:
        """The planned clip whose motion is seen; StageError when the plan lacks it."""
        return self._planned(self.drivers, track, track.driving_clip_id)

    def portrait(self, track: FaceTrack) -> PortraitPlan | None:
        """The static face that is seen, None for an avatar; StageError when the plan lacks it."""
        if track.portrait_id is None:
            return None
        return self._planned(self.portraits, track, track.portrait_id)

    def video(self, track: FaceTrack) -> Path:
        """The whole frames of a kept clip."""
        folder = lineage.CLIPS if track.kind == "avatar" else lineage.TRANSFERRED
        return self.root / folder / f"{track.clip_id}.mp4"

    def crop(self, track: FaceTrack) -> Path:
        """The cropped face of a kept clip."""
        return self.root / lineage.FACES / f"{track.clip_id}.mp4"

    def truth(self, track: FaceTrack) -> Path | None:
        """The per-frame truth of an avatar's clip; None for a transferred one."""
        return self.video(track).with_suffix(".npz") if track.kind == "avatar" else None

    def _planned(self, table: dict[str, Any], track: FaceTrack, key: str) -> Any:
        if key not in table:
            where = self.root / lineage.FACES / "faces.jsonl"
            raise StageError(
                f"{where}: {track.clip_id} names {key}, which is not in the plan, so its origin "
                "and licence are unknown; run `pallor run`"
            )
        return table[key]


def read_source(root: Path, today: date) -> Source:
    """The workspace at `root`; StageError when a table is missing or does not fit."""
    return Source(root, lineage.read_corpus(root), read_release(root, today))


def read_release(root: Path, today: date) -> Release:
    """The revision checked out at `root`, exported `today`.

    A tag such as v1.2.0 on the commit itself is the version; else the package's version and the
    commit make one, such as 0.1.0+3f6fff2a1b2c.
    """
    own = version("pallor")
    if not history.is_repository(root):
        return Release(own, None, today.isoformat())
    revision = history.git(
        root, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"
    ).strip()
    committed = history.git(root, "log", "-1", "--format=%cs").strip()
    return Release(_tagged(root, revision) or f"{own}+{_short(revision)}", revision, committed)


def _tagged(root: Path, revision: str) -> str | None:
    if revision.endswith("-dirty"):
        return None  # a tag names the commit, not what was changed since
    tags = (tag.removeprefix("v") for tag in history.git(root, "tag", "--points-at").split())
    return next((tag for tag in sorted(tags) if _SEMANTIC.fullmatch(tag)), None)


def _short(revision: str) -> str:
    commit, _, dirty = revision.partition("-")
    return commit[:12] + (f"-{dirty}" if dirty else "")
