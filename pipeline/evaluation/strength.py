"""Expression strength by group: which emotions are weaker in whom, and by which units.

The first stage of Ruiter et al. (Ann Clin Transl Neurol 2023): intensities measured on frames,
compared person by person, corrected for the number of comparisons.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import false_discovery_control, mannwhitneyu

from pipeline.corpus.planned import Plan
from pipeline.errors import StageError
from pipeline.evaluation.measured import (
    Footage,
    Strength,
    fit_readout,
    strengths_of,
    units_of_expression,
)
from pipeline.params import load_params
from pipeline.records import ClipPlan
from pipeline.splits.tables import read_tracks

if TYPE_CHECKING:
    from pipeline.study import Study
    from pipeline.workspace import Workspace

Row = dict[str, Any]
PLACEBOS = 20  # draws of two groups of the healthy
SIGNIFICANT = 0.05
FEWEST = 3  # people of a group that a test can be made of


def strengths(workspace: "Workspace", study: "Study", plan: Plan, seed: int) -> Row:
    """`strength` by task, where a study asks for it; else nothing.

    Raises StageError for a task without two classes or too few people in one.
    """
    asked = [name for name, task in study.tasks.items() if task.strength]
    if not asked:
        return {}
    known = {clip.clip_id: clip for clip in plan.clips if clip.trained}
    tracks = [t for t in read_tracks(workspace.faces) if t.clip_id in known]
    footage = [
        Footage(
            t.clip_id, workspace.clips / f"{t.clip_id}.mp4", workspace.clips / f"{t.clip_id}.npz",
            t.boxes, units_of_expression(known[t.clip_id].expression),
        )
        for t in tracks
    ]  # fmt: skip
    units = list(dict.fromkeys(unit for clip in footage for unit in clip.units))
    params = load_params(workspace.params, study.params)
    home = Path(os.environ.get("PALLOR_HOME") or workspace.root / ".pallor")  # as the runner's
    weights = fit_readout(units, params, home)
    print(f"strength: {len(footage)} clips, {len(units)} units are measured", flush=True)
    found = strengths_of(footage, weights, units)
    made = {}
    for name in asked:
        task = study.tasks[name]
        classes = {
            clip.clip_id: task.class_of(clip.label or "", clip.targets) for clip in known.values()
        }
        made[name] = by_group(found, known, classes, seed)
    return {"strength": made}


def by_group(
    found: Sequence[Strength],
    clips: Mapping[str, ClipPlan],
    classes: Mapping[str, str | None],
    seed: int,
) -> Row:
    """Positive against negative people for each emotion and each unit of it.

    `emotions`: for each `positive` and `negative` mean strength (of its units, 1 being level E),
    `p` (two-sided Mann-Whitney over people), `p_holm` over the emotions, `effect` (rank-biserial,
    below 0 where the positive are weaker), and the same of its `units` with `p_bh` over all units
    of all emotions (Benjamini & Hochberg 1995). `trust`: the correlation of measured and executed
    strength by unit, and of each emotion. `placebo`: of how many `draws` of two groups of negative
    people `quiet` ones find nothing.
    """
    table = _by_person(found, clips)
    side = {
        clips[row.clip_id].person.identity_id: classes[row.clip_id]
        for row in found
        if classes[row.clip_id]
    }
    groups = [[p for p in table if side.get(p) == name] for name in ("positive", "negative")]
    if min(map(len, groups)) < FEWEST:
        raise StageError(
            f"strength compares groups, but {len(groups[0])} people are positive and "
            f"{len(groups[1])} negative; it needs {FEWEST} of each"
        )
    return {
        "people": {"positive": len(groups[0]), "negative": len(groups[1])},
        "emotions": compared(table, groups[0], groups[1]),
        "trust": trust(found, clips),
        "placebo": placebo(table, groups[1], PLACEBOS, seed),
    }


def compared(
    table: Mapping[str, Mapping[tuple[str, str], float]],
    first: Sequence[str],
    second: Sequence[str],
) -> Row:
    """Two groups of people for each (emotion, unit) of `table`; unit `""` is the whole emotion."""
    keys = list(dict.fromkeys(key for person in (*first, *second) for key in table[person]))
    rows: dict[tuple[str, str], Row] = {}
    for key in keys:
        pair = [np.array([table[p][key] for p in g if key in table[p]]) for g in (first, second)]
        if min(map(len, pair)) < FEWEST:
            raise StageError(f"too few people perform {key[0]} in both groups to compare them")
        statistic, p = mannwhitneyu(*pair)
        rows[key] = {
            "positive": _round(pair[0].mean()), "negative": _round(pair[1].mean()),
            "p": float(p), "effect": _round(2 * statistic / (len(pair[0]) * len(pair[1])) - 1),
        }  # fmt: skip
    whole, parts = ([k for k in keys if bool(k[1]) == unit] for unit in (False, True))
    for name, some, correct in (("p_holm", whole, holm), ("p_bh", parts, false_discovery_control)):
        for key, p in zip(some, correct([rows[k]["p"] for k in some]), strict=True):
            rows[key][name] = float(p)
    return {
        emotion: {**rows[emotion, ""], "units": {u: rows[e, u] for e, u in parts if e == emotion}}
        for emotion, _ in whole
    }


def holm(p: Sequence[float]) -> np.ndarray:
    """P values corrected for their number (Holm, Scand J Stat 1979;6:65-70), in their order."""
    values = np.asarray(p, dtype=float)
    order = np.argsort(values)
    steps = values[order] * np.arange(len(values), 0, -1)
    corrected = np.empty(len(values))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return corrected


def placebo(
    table: Mapping[str, Mapping[tuple[str, str], float]],
    people: Sequence[str],
    draws: int,
    seed: int,
) -> dict[str, int]:
    """Of `draws` halvings of alike people, how many are `quiet`: no emotion differs, corrected."""
    rng, quiet = np.random.default_rng(seed), 0
    if len(people) < 2 * FEWEST:
        return {"draws": 0, "quiet": 0}
    for _ in range(draws):
        mixed = [people[n] for n in rng.permutation(len(people))]
        rows = compared(table, mixed[::2], mixed[1::2])
        quiet += all(row["p_holm"] > SIGNIFICANT for row in rows.values())
    return {"draws": draws, "quiet": quiet}


def trust(found: Sequence[Strength], clips: Mapping[str, ClipPlan]) -> dict[str, Row]:
    """How far measured follows executed: Pearson's `r` over `n` clips, by unit and by emotion."""
    pairs: dict[str, list[tuple[float, float]]] = {}
    for row in found:
        both = [(row.measured[unit], row.executed[unit]) for unit in row.measured]
        for unit, pair in zip(row.measured, both, strict=True):
            pairs.setdefault(unit, []).append(pair)
        if both:
            means = tuple(float(np.mean(column)) for column in zip(*both, strict=True))
            pairs.setdefault(clips[row.clip_id].expression, []).append((means[0], means[1]))
    return {name: {"r": _correlation(rows), "n": len(rows)} for name, rows in pairs.items()}


def _correlation(pairs: Sequence[tuple[float, float]]) -> float | None:
    measured, executed = np.array(pairs).T
    if len(pairs) < FEWEST or not measured.std() or not executed.std():
        return None
    return _round(np.corrcoef(measured, executed)[0, 1])


def _by_person(
    found: Sequence[Strength], clips: Mapping[str, ClipPlan]
) -> dict[str, dict[tuple[str, str], float]]:
    """Person > (emotion, unit) > mean strength over their clips; unit "": the mean of the units."""
    sums: dict[str, dict[tuple[str, str], list[float]]] = {}
    for row in found:
        if not row.measured:
            continue
        clip = clips[row.clip_id]
        mine = sums.setdefault(clip.person.identity_id, {})
        mine.setdefault((clip.expression, ""), []).append(float(np.mean([*row.measured.values()])))
        for unit, value in row.measured.items():
            mine.setdefault((clip.expression, unit), []).append(value)
    return {
        person: {key: float(np.mean(values)) for key, values in mine.items()}
        for person, mine in sums.items()
    }


def _round(value: float) -> float:
    return round(float(value), 6)
