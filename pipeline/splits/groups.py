"""Who must stay together: clips that share a person, a portrait or a driving clip.

A clean split moves whole groups. A group is a connected component: a transferred clip ties the
identity that drives it to the person who is seen, and so to every clip of either.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pipeline.errors import StageError
from pipeline.records import FaceTrack

TRIALS = 4000  # random draws of groups, of which the most alike to the whole is kept
AGE_LIMITS = (40, 60)  # years: figures are told of people under 40, 40 to 59, 60 and older
SHAREABLE = ("identity", "portrait", "driving_clip")  # what may not stand on both sides


def age_band(age: float | None) -> str:
    """The name of an age's band: under 40, 40 to 59, 60+ or unknown."""
    if age is None:
        return "unknown"
    young, old = AGE_LIMITS
    return f"under {young}" if age < young else f"{young} to {old - 1}" if age < old else f"{old}+"


def ties(track: FaceTrack) -> dict[str, set[str]]:
    """The ids of each of SHAREABLE that a clip holds; the seen person counts as an identity."""
    return {
        "identity": {track.identity_id, track.person.identity_id},
        "portrait": {track.portrait_id} if track.portrait_id else set(),
        "driving_clip": {track.driving_clip_id},
    }


def group_clips(tracks: Sequence[FaceTrack]) -> dict[str, str]:
    """clip_id > group name, the smallest identity id of its connected component."""
    if not tracks:
        return {}
    nodes: dict[tuple[str, str], int] = {}
    rows, columns = [], []
    for row, track in enumerate(tracks):
        for kind, names in ties(track).items():
            for name in names:
                rows.append(row)
                columns.append(nodes.setdefault((kind, name), len(tracks) + len(nodes)))
    size = len(tracks) + len(nodes)
    graph = coo_array((np.ones(len(rows)), (rows, columns)), shape=(size, size))
    component = connected_components(graph, directed=False)[1]
    names_of: dict[int, list[str]] = {}
    for (kind, name), node in nodes.items():
        if kind == "identity":
            names_of.setdefault(int(component[node]), []).append(name)
    return {t.clip_id: min(names_of[int(component[i])]) for i, t in enumerate(tracks)}


def families(tracks: Sequence[FaceTrack], together: str) -> dict[str, str]:
    """clip_id > the name of what it stays with: itself (`clip`), its `person` or its `group`."""
    if together == "person":
        return {track.clip_id: track.person.identity_id for track in tracks}
    if together == "group":
        return group_clips(tracks)
    return {track.clip_id: track.clip_id for track in tracks}


def draw_families(
    tracks: Sequence[FaceTrack], family: Mapping[str, str], fraction: float, seed: int
) -> frozenset[str]:
    """The families to test on: about `fraction` of the clips, alike to the whole.

    Of TRIALS random orders each gives the prefix whose clip count is nearest to the target; the
    one with the least distance in size, class, kind, sex, ethnicity and age band wins.
    """
    names = sorted(set(family.values()))
    if len(names) < 2:
        raise StageError(
            f"a clean split needs at least two unrelated groups of people, got {len(names)}"
        )
    sizes, strata = _count_table(tracks, family, names)
    rng = np.random.default_rng(seed)
    orders = rng.permuted(np.tile(np.arange(len(names)), (TRIALS, 1)), axis=1)  # (trials, families)
    reached = np.cumsum(sizes[orders], axis=1)[:, :-1]  # the last family always stays to train
    target = fraction * len(tracks)
    taken = np.abs(reached - target).argmin(axis=1) + 1
    tested = np.zeros((TRIALS, len(names)), dtype=bool)
    np.put_along_axis(tested, orders, np.arange(len(names)) < taken[:, None], axis=1)
    best = int(_unlikeness(tested, sizes, strata, target).argmin())
    return frozenset(name for name, chosen in zip(names, tested[best], strict=True) if chosen)


def _unlikeness(
    tested: np.ndarray, sizes: np.ndarray, strata: list[np.ndarray], target: float
) -> np.ndarray:
    # (trials, families) bool > (trials,): relative miss in size plus total variation per stratum.
    count = tested @ sizes
    cost = np.abs(count - target) / target
    for table in strata:  # (families, values)
        share = (tested @ table) / count[:, None]
        cost = cost + 0.5 * np.abs(share - table.sum(axis=0) / table.sum()).sum(axis=1)
    return cost


def _count_table(
    tracks: Sequence[FaceTrack], groups: Mapping[str, str], names: list[str]
) -> tuple[np.ndarray, list[np.ndarray]]:
    row_of = {name: row for row, name in enumerate(names)}
    rows = np.array([row_of[groups[track.clip_id]] for track in tracks])
    tables = []
    for values in zip(*(_stratum(track) for track in tracks), strict=True):
        columns = np.unique(values, return_inverse=True)[1]
        table = np.zeros((len(names), columns.max() + 1))
        np.add.at(table, (rows, columns), 1)
        tables.append(table)
    return np.bincount(rows, minlength=len(names)), tables


def _stratum(track: FaceTrack) -> tuple[str, ...]:
    person = track.person
    known = (person.sex or "unknown", person.ethnicity or "unknown", age_band(person.age))
    return (track.label, track.kind, *known)
