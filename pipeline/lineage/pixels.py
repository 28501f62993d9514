"""Whether two versions of a study show the same, by how much not, and their films, if at hand.

Told from the manifests in git alone (`pipeline.faces.manifest`); versions from before there was one
are told by the hashes of DVC's lists, which say that bytes differ and not by how much.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import StageError
from pipeline.lineage.corpus import Place, layouts
from pipeline.lineage.lock import listing, object_path, outs
from pipeline.lineage.record import TOLERANCE, Manifest, distance
from pipeline.report.templates import counted
from pipeline.workspace import Workspace

if TYPE_CHECKING:
    from pipeline.lineage.diff import Snapshot

FOLDERS = {"clip": "clips", "transfer": "transferred"}


def parse_manifest(text: str, where: str) -> Manifest:
    """Rows by file of a manifest's text, none of an empty one; StageError when it is broken."""
    try:
        return {row["file"]: row for row in map(json.loads, text.splitlines())}
    except (ValueError, KeyError, TypeError) as error:
        raise StageError(
            f"the manifest of {where} is broken ({type(error).__name__}); take it back from git, "
            "or `pallor run` makes it anew"
        ) from error


def pixels(old: "Snapshot", new: "Snapshot", place: Place) -> dict[str, Any] | None:
    """What changed in the clips that both versions have; None where nothing lists them any more.

    By manifest: `compared` and `differ` by key, `levels` by key (None: another shape), `within` the
    tolerance, the `worst` key. Else `compared` and `differ` by id, of clips under one id alone.
    """
    if old.films and new.films:
        return _by_manifest(old, new)
    clips = [
        row["clip_id"]
        for key, row in new.rows.items()
        if old.rows.get(key, {}).get("clip_id") == row["clip_id"]
    ]
    if not clips:
        return {"compared": 0, "differ": []}
    before, after = (_hashes(version, place) for version in (old, new))
    if before is None or after is None:
        return None
    known = [clip for clip in clips if clip in before and clip in after]
    differ = sorted(clip for clip in known if before[clip] != after[clip])
    return {"compared": len(known), "differ": differ}


def said(found: Mapping[str, Any] | None) -> str:
    """The answer in words."""
    if found is None:
        return (
            "unknown; neither cache nor remote lists the files of both (`dvc fetch --all-commits`)"
        )
    how = "key" if "levels" in found else "id"
    if not found["compared"]:
        return f"no clip has the same {how} in both"
    clips = f"{counted(found['compared'], 'clip')} under the same {how}"
    count = f"{len(found['differ'])} of {clips}"
    if "levels" not in found:
        same = f"no ({clips}, all byte for byte the same)"
        return f"yes, in {count}" if found["differ"] else same
    if not found["differ"]:
        return f"no ({clips}, each pixel the same)"
    worst = found["levels"][found["worst"]]
    much = "in another shape" if worst is None else f"by {worst:.3g} levels in a block"
    near = f"; {found['within']} within the tolerance of rounding" if found["within"] else ""
    return f"yes, in {count}, most in {found['worst']}, {much}{near}"


def film_name(version: "Snapshot", key: str) -> str:
    """The film of a clip of a version, as its manifest names it."""
    row = version.rows[key]
    return f"{FOLDERS[row['kind']]}/{row['clip_id']}.mp4"


def film_of(version: "Snapshot", key: str, place: Place) -> Path | None:
    """Where the film of a clip of a version lies, as `file_of` finds it."""
    return file_of(version, film_name(version, key), place)


def file_of(version: "Snapshot", name: str, place: Place) -> Path | None:
    """Where a file such as "clips/clip-1.npz" of a version's data lies: in a store, or in the
    workspace if the version is that.

    None when it is not at hand.
    """
    if version.revision is None:
        path = place.files(version.study).data / name
        return path if path.is_file() else None
    folder, file = name.split("/")
    md5 = (_listed(version, folder, place) or {}).get(file, "")
    paths = (object_path(store, md5) for store in place.stores if md5)
    return next((path for path in paths if path.is_file()), None)


def _by_manifest(old: "Snapshot", new: "Snapshot") -> dict[str, Any]:
    levels: dict[str, float | None] = {}
    compared = 0
    for key in sorted(old.rows.keys() & new.rows.keys()):
        one, two = (version.films.get(film_name(version, key)) for version in (old, new))
        if one is None or two is None:
            continue
        compared += 1
        if one["pixels"] != two["pixels"]:
            far = distance(one, two)
            levels[key] = None if far == float("inf") else round(far, 4)
    worst = max(levels, key=lambda key: _rank(levels[key]), default=None)
    return {
        "compared": compared,
        "differ": sorted(levels, key=lambda key: -_rank(levels[key])),
        "levels": levels,
        "within": sum(far is not None and far <= TOLERANCE for far in levels.values()),
        "worst": worst,
    }


def _rank(levels: float | None) -> float:
    return float("inf") if levels is None else levels


def _hashes(version: "Snapshot", place: Place) -> dict[str, str] | None:
    """clip_id > MD5 of a version's films by DVC's lists; None where a list is gone."""
    hashes: dict[str, str] = {}
    for folder in FOLDERS.values():
        found = _listed(version, folder, place)
        if found is None:
            return None
        hashes |= {Path(n).stem: md5 for n, md5 in found.items() if n.endswith(".mp4")}
    return hashes


def _listed(version: "Snapshot", folder: str, place: Place) -> dict[str, str] | None:
    """MD5 by name of the files in a folder of a version's data; None where DVC's list is gone."""
    made = outs(version.lock)
    ways = map(str, layouts(Workspace(version.study).data / folder, version.study))
    at = next((way for way in ways if way in made), None)
    return listing(made[at], place.stores) if at else {}
