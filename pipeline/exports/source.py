"""What every export starts from: a study's corpus and which revision it is."""

import re
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pipeline.corpus.consent import about, check_consent
from pipeline.corpus.planned import Plan, read_plan
from pipeline.errors import StageError
from pipeline.evaluation.results import Results
from pipeline.files import read_json, read_jsonl
from pipeline.lineage import history
from pipeline.records import ClipPlan, FaceTrack, PortraitPlan, Sample
from pipeline.splits.tables import read_samples, read_tracks
from pipeline.study import Study
from pipeline.workspace import Workspace

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
    """A study's tables, its files and its revision; tables are read once, when asked for."""

    workspace: Workspace
    study: Study
    release: Release

    @cached_property
    def plan(self) -> Plan:
        return read_plan(self.workspace.plan)

    @cached_property
    def tracks(self) -> list[FaceTrack]:
        """The kept clips by clip_id."""
        return sorted(read_tracks(self.workspace.faces), key=lambda track: track.clip_id)

    @cached_property
    def quarantine(self) -> list[dict[str, Any]]:
        return read_jsonl(self.workspace.faces / "quarantine.jsonl")

    @cached_property
    def detector(self) -> dict[str, Any]:
        found: dict[str, Any] = read_json(self.workspace.faces / "detector.json")
        return found

    @cached_property
    def splits(self) -> dict[str, list[Sample]]:
        """The windows of each draw of each protocol."""
        return {draw: read_samples(self.workspace.samples(draw)) for _, draw in self.study.draws()}

    @cached_property
    def proof(self) -> dict[str, Any]:
        """The split proof of each draw."""
        found: dict[str, Any] = read_json(self.workspace.proof)
        return found

    @cached_property
    def results(self) -> Results:
        return Results.read(self.workspace.evaluation)

    @cached_property
    def targets(self) -> list[str]:
        """The names of the numbers beside the labels, such as severity."""
        return sorted(set().union(*(track.targets for track in self.tracks)))

    @cached_property
    def draw(self) -> str:
        """The draw whose sides a clip has: of a protocol that is not leaky, if there is one.

        A single draw goes before folds.
        """
        rules = self.study.protocols
        name = min(rules, key=lambda name: (rules[name].leaky, rules[name].folds is not None))
        return rules[name].draws(name)[0]

    @cached_property
    def _places(self) -> dict[str, tuple[str, set[str]]]:
        # Clip > its group, its sides in `draw`.
        places: dict[str, tuple[str, set[str]]] = {}
        for draw, samples in self.splits.items():
            for sample in samples:
                _, sides = places.setdefault(sample.clip_id, (sample.group, set()))
                if draw == self.draw:
                    sides.add(sample.side)
        return places

    def place(self, track: FaceTrack) -> tuple[str, str | None]:
        """The group of a clip, and its side in `draw`, None where it has none or several.

        Raises StageError when the splits are of other clips.
        """
        if track.clip_id not in self._places:
            where = self.workspace.samples(self.draw)
            raise StageError(f"{where} has no window of {track.clip_id}; run `pallor run`")
        group, sides = self._places[track.clip_id]
        return group, next(iter(sides)) if len(sides) == 1 else None

    @cached_property
    def _planned(self) -> dict[str, ClipPlan | PortraitPlan]:
        clips = {clip.clip_id: clip for clip in self.plan.clips}
        return clips | {portrait.portrait_id: portrait for portrait in self.plan.portraits}

    def driver(self, track: FaceTrack) -> ClipPlan:
        """The planned clip whose motion is seen; StageError when the plan lacks it."""
        return self._row(track, track.driving_clip_id)

    def portrait(self, track: FaceTrack) -> PortraitPlan | None:
        """The static face that is seen, None for an avatar; StageError when the plan lacks it."""
        return self._row(track, track.portrait_id) if track.portrait_id else None

    def video(self, track: FaceTrack) -> Path:
        """The whole frames of a kept clip."""
        kinds = {"avatar": self.workspace.clips, "transfer": self.workspace.transferred}
        return kinds[track.kind] / f"{track.clip_id}.mp4"

    def crop(self, track: FaceTrack) -> Path:
        """The cropped face of a kept clip."""
        return self.workspace.faces / f"{track.clip_id}.mp4"

    def truth(self, track: FaceTrack) -> Path | None:
        """The per-frame truth of an avatar's clip; None for a transferred one."""
        return self.video(track).with_suffix(".npz") if track.kind == "avatar" else None

    def _row(self, track: FaceTrack, key: str) -> Any:
        if key not in self._planned:
            raise StageError(
                f"{self.workspace.faces / 'faces.jsonl'}: {track.clip_id} names {key}, which is "
                "not in the plan, so its origin and licence are unknown; run `pallor run`"
            )
        return self._planned[key]


def read_source(workspace: Workspace, study: Study, today: date) -> Source:
    """A study's corpus, exported `today`; its tables are read when they are asked for.

    Raises AssetError when a photographed person's consent is not in force on that day.
    """
    for portrait in read_plan(workspace.plan).portraits:
        if portrait.file:
            with about(portrait.key):
                check_consent(portrait.consent, today)
    return Source(workspace, study, read_release(workspace.root, today))


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
