"""A clip as another version of the corpus has it, beside the one of the workspace.

A version is a revision of git; its films and truths are sought in DVC's cache and in remotes that
are folders. A clip keeps its key between versions; its id changes with whatever decides its pixels.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.errors import ClipError, StageError
from pipeline.lineage import history
from pipeline.lineage.corpus import Place, layouts
from pipeline.lineage.database import Index
from pipeline.lineage.diff import Snapshot, snapshot
from pipeline.lineage.loading import camera_id
from pipeline.lineage.pixels import FOLDERS, file_of, film_name
from pipeline.look.clip import drawn_truth, row_of
from pipeline.workspace import Workspace

MOST = 20  # versions that the page offers; an address may name any
_HERE = ("label", "expression", "cohort", "trained")  # of a plan's row, as `seen` has them too


@dataclass(frozen=True)
class Version:
    """A clip of a version: its row of the plan there, under its `key`."""

    snapshot: Snapshot
    key: str
    place: Place

    @property
    def row(self) -> dict[str, Any]:
        """Its row of the plan."""
        return self.snapshot.rows[self.key]

    def film(self) -> Path:
        """Where its film lies; ClipError when it is not at hand."""
        return self._file(film_name(self.snapshot, self.key), "film")

    def about(self) -> dict[str, Any]:
        """`clip`, `conditions` and `truth` as `clip.about` has them; `clip` names its `version`."""
        driver = self._driver()
        person = self.row.get("person") or {}
        return {
            "clip": {
                "id": self.row["clip_id"], "key": self.row.get("key"),
                "kind": "avatar" if self.row["kind"] == "clip" else "transfer",
                "version": self.snapshot.name,
                **{name: self.row.get(name) for name in _HERE},
                "portrait": self.row.get("portrait_id"), "driving": driver.get("clip_id"),
                **({"subject": person["identity_id"], "age": person["age"], "sex": person["sex"],
                    "ethnicity": person["ethnicity"]} if person else {}),
                "camera": camera_id(self.row["scene"]) if "scene" in self.row else None,
                "seed": str(self.row["seed"]) if "seed" in self.row else None,
            },
            "conditions": driver.get("conditions", []),
            "truth": self._truth(driver),
        }  # fmt: skip

    def _driver(self) -> dict[str, Any]:
        if self.row["kind"] == "clip":
            return self.row
        driving, rows = self.row["driving_clip_id"], self.snapshot.rows.values()
        found = (row for row in rows if row["kind"] == "clip" and row["clip_id"] == driving)
        return next(found, {"clip_id": driving})

    def _truth(self, driver: dict[str, Any]) -> dict[str, Any]:
        try:
            path = self._file(f"{FOLDERS['clip']}/{driver['clip_id']}.npz", "truth")
        except ClipError as error:
            return {"error": str(error)}
        return drawn_truth(path, own=self.row["kind"] == "clip")

    def _file(self, name: str, what: str) -> Path:
        path = file_of(self.snapshot, name, self.place)
        if path is None:
            raise ClipError(
                f"the {what} of {self.key} of {self.snapshot.name} is not at hand; "
                "`dvc fetch --all-commits` brings it where a remote has it"
            )
        return path


def version_of(place: Place, study: str, index: Index, name: str, revision: str) -> Version:
    """A clip, by the key or the id that it has there or here, at a revision of git.

    Raises StageError without git, for an unknown revision, and for a clip that is not in it.
    """
    _require_git(place)
    found = _snapshot(place.root, history.commit(place.root, revision), study)
    ids = {row["clip_id"]: key for key, row in found.rows.items()}
    key = name if name in found.rows else ids.get(name) or _key_here(index, name)
    if key not in found.rows:
        raise StageError(
            f"{found.name} has no clip under the key '{key}'; `pallor diff {revision}` says what "
            "was added since"
        )
    return Version(found, key, place)


def versions(place: Place, study: str) -> list[dict[str, str]]:
    """`revision` and `said` of the MOST newest commits that changed what the study's films are.

    Raises StageError without git.
    """
    _require_git(place)
    names = Workspace(study)
    paths = [path for file in (names.plan, names.manifest) for path in layouts(file, study)]
    commits = history.touching(place.root, *paths)[:MOST]
    return [
        {"revision": commit[:10], "said": history.describe(place.root, commit)}
        for commit in commits
    ]


@lru_cache(maxsize=2)  # the page asks about one version again and again
def _snapshot(root: Path, commit: str, study: str) -> Snapshot:
    return snapshot(root, commit, study)


def _require_git(place: Place) -> None:
    if not history.is_repository(place.root):
        raise StageError(f"git keeps no versions of {place.root.resolve()}, so there is no other")


def _key_here(index: Index, name: str) -> str:
    """The key that leads from one version to another: a transferred clip's is its portrait's."""
    row = row_of(index, name)
    if row["kind"] == "avatar":
        return str(row["key"])
    return str(index.column("SELECT key FROM portrait WHERE id = $id", id=row["portrait"])[0])
