"""What networks that know nothing of Pallor see on its faces: `python benchmarks/outside_judge.py`.

It renders people of its own, at rest and with one unit after the other, or with `--corpus
data/deterioration` reads the clips of a study. Units are judged by blendshape, side by side; age,
sex and likeness on pictures at rest. It judges and nothing more: it is not in the line, and nothing
may be tuned to single people of it. Units 6, 9 and 14 it cannot see (its networks keep them at 0).
`--json metrics/deterioration/outside_judge.json` keeps what was seen, and the report shows it.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from judges import Ages, Face, Landmarker, Likeness, require_tools
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from flows.workspace import home
from pipeline.corpus.plan import person_of, plan_clip, population
from pipeline.corpus.planned import read_plan
from pipeline.corpus.render import read_truth, render_specs, spec_of
from pipeline.evaluation.metrics import bootstrap_accuracy
from pipeline.files import write_json
from pipeline.media.video import read_clip
from pipeline.params import load_params, parse_params
from pipeline.records import Person
from pipeline.splits.groups import age_band
from pipeline.store.store import Store

# The blendshape that ought to rise with a unit; {} is the own side.
SHAPES = {
    "1": "browInnerUp", "2": "browOuterUp{}", "4": "browDown{}", "5": "eyeWide{}",
    "7": "eyeSquint{}", "10": "mouthUpperUp{}", "12": "mouthSmile{}", "15": "mouthFrown{}",
    "16": "mouthLowerDown{}", "17": "mouthShrugLower", "18": "mouthPucker",
    "20": "mouthStretch{}", "22": "mouthFunnel", "23": "mouthRollLower", "24": "mouthPress{}",
    "25": "mouthLowerDown{}", "26": "jawOpen", "27": "jawOpen", "43": "eyeBlink{}",
}  # fmt: skip
SIDES = ("Left", "Right")
# What counts as a rise over the same person at rest: the landmarker's own jitter in a clip is .01;
# between stills of another sampling seed it is .03.
RISE_CLIP, RISE_STILL = 0.02, 0.05
ON, OFF = 0.7, 0.03  # intensities from which a unit is held, and below which it is absent
ALIKE = 0.6  # distance below which dlib takes two faces for one person
OLD = 62.0  # years
UNSEEN = ("6", "9", "14")  # units that its networks keep at 0
FOLDS = 5  # of people, in which displays are told from its outputs alone
CHANCE = (2000, 0)  # resamples and seed of the interval over people
KEYS = (
    "faces_found", "au15_rise", "au15_auc", "au25_rise", "au4_rise", "au17_rise", "au5_rise",
    "age_r", "over_62_read_as", "women_read_as_women", "strangers_alike",
)  # fmt: skip


@dataclass(frozen=True)
class Film:
    """Frames (T, S, S, 3) of a person, the first at rest; `held` has (T, 2) of each unit.

    `label` is what the clip of a study shows; None for people of the judge's own.
    """

    person: Person
    frames: np.ndarray
    held: dict[str, np.ndarray]
    label: str | None = None


@dataclass(frozen=True)
class Seen:
    """A film through the landmarker, and its first frame through the other two."""

    film: Film
    faces: list[Face | None]
    age: tuple[float, bool] | None
    look: np.ndarray | None


def main() -> None:
    """Print a table a unit and end with one JSON line."""
    options = arguments()
    require_tools()
    films = corpus(options) if options.corpus else stills(options)
    seen = examine(films)
    rise = RISE_CLIP if options.corpus else RISE_STILL
    rows = {unit: row for unit in SHAPES if (row := unit_row(seen, unit, rise))}
    print("unit blendshape          films  rises  AUC l  AUC r    rho")
    for unit, row in rows.items():
        left, right = row["auc"]
        told = f"{row['rises']:6.0%} {left:6.3f} {right:6.3f} {row['rho']:6.2f}"
        print(f"{unit:>4} {SHAPES[unit]:18} {row['films']:6} {told}")
    figures = people_figures(seen)
    print(", ".join(f"{name} {value}" for name, value in figures.items()))
    found = [face is not None for one in seen for face in one.faces]
    result = {"faces_found": round(float(np.mean(found)), 4)} | figures
    result |= {f"au{unit}_rise": round(row["rises"], 3) for unit, row in rows.items()}
    result |= {f"au{unit}_auc": round(float(np.mean(row["auc"])), 3) for unit, row in rows.items()}
    told = displays(seen)
    if told:
        print(f"displays told from its outputs alone, people never met: {json.dumps(told)}")
    if options.json:
        write_json(options.json, kept(rows, figures, told))
    print(json.dumps({key: result.get(key) for key in KEYS} | result))


def kept(rows: dict[str, dict], figures: dict, told: dict | None) -> dict:
    """What the report shows (docs/judge.md); a number that is none is null."""

    def plain(value):
        if isinstance(value, list):
            return [plain(part) for part in value]
        if isinstance(value, dict):
            return {name: plain(part) for name, part in value.items()}
        number = isinstance(value, float)
        return (round(value, 4) if np.isfinite(value) else None) if number else value

    units = {
        unit: {"shape": SHAPES[unit], **{name: plain(value) for name, value in row.items()}}
        for unit, row in rows.items()
    }
    return {"units": units, "unseen": list(UNSEEN), "people": figures, "displays": told}


def displays(seen: list[Seen]) -> dict | None:
    """How well a logistic regression on blendshapes alone tells a study's displays.

    People are tested once, by a regression that never met them; None without labels, or where
    there are fewer people than FOLDS.
    """
    films = [one for one in seen if one.film.label and all(one.faces)]
    people = [one.film.person.identity_id for one in films]
    if len(set(people)) < FOLDS:
        return None
    table, labels = np.stack([rise_of(one.faces) for one in films]), [f.film.label for f in films]
    right = np.zeros(len(films), dtype=bool)
    for train, test in GroupKFold(FOLDS).split(table, groups=people):
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000, C=0.1))
        model.fit(table[train], [labels[n] for n in train])
        right[test] = model.predict(table[test]) == np.array([labels[n] for n in test])
    return {
        "accuracy": round(float(right.mean()), 6),
        "accuracy_ci95": bootstrap_accuracy(right, people, *CHANCE),
        "n": len(films), "n_people": len(set(people)), "classes": len(set(labels)),
    }  # fmt: skip


def rise_of(faces: list[Face]) -> np.ndarray:
    """(2 * shapes,) of a film: how far each blendshape rises over frame 0, most and mean."""
    names = sorted(faces[0].shapes)
    values = np.array([[face.shapes[name] for name in names] for face in faces])
    rises = values[1:] - values[0]
    return np.concatenate([rises.max(axis=0), rises.mean(axis=0)])


def examine(films: Iterator[Film]) -> list[Seen]:
    """Each film through every tool."""
    landmarker, ages, likeness = Landmarker(), Ages(), Likeness()
    seen = []
    for film in films:
        faces = [landmarker.look(frame) for frame in film.frames]
        rest = film.frames[0]
        look = likeness.look(rest, faces[0]) if faces[0] else None
        seen.append(Seen(film, faces, ages.look(rest), look))
    landmarker.close()
    return seen


def unit_row(seen: list[Seen], unit: str, rise: float) -> dict | None:
    """Share of films in which the unit's blendshape rises; AUC and rank correlation a side.

    `groups` has the rank correlation among people of each sex, origin and age band.
    """
    rises, on, off, pairs = [], ([], []), ([], []), ([], [])
    groups: dict[str, list] = {}
    for one in seen:
        held = one.film.held.get(unit)
        if held is None or one.faces[0] is None:
            continue
        values = np.array([shapes_of(face, unit) for face in one.faces])
        for side in range(2):
            on[side].extend(values[held[:, side] > ON, side])
            off[side].extend(values[held[:, side] < OFF, side])
            mine = list(zip(held[:, side], values[:, side], strict=True))
            pairs[side].extend(mine)
            for group in groups_of(one.film.person):
                groups.setdefault(group, []).extend(mine)
        apex = (held > ON).all(axis=1) & np.isfinite(values).all(axis=1)
        if apex.any():
            rises.append((values[apex] - values[0]).mean() > rise)
    if not rises:
        return None
    return {
        "films": len(rises), "rises": float(np.mean(rises)),
        "auc": [auc(*side) for side in zip(on, off, strict=True)],
        "rho": rank_r(np.array([*pairs[0], *pairs[1]])),
        "rho_sides": [rank_r(np.array(side)) for side in pairs],
        "groups": {group: rank_r(np.array(mine)) for group, mine in sorted(groups.items())},
    }  # fmt: skip


def groups_of(person: Person) -> list[str]:
    """The groups that a person counts in."""
    known = (person.sex, person.ethnicity, age_band(person.age) if person.age else None)
    return [group for group in known if group]


def shapes_of(face: Face | None, unit: str) -> list[float]:
    """The unit's blendshape on the own left and right; NaN where no face was seen."""
    names = [SHAPES[unit].format(side) for side in SIDES]
    return [face.shapes[name] for name in names] if face else [np.nan, np.nan]


def auc(on: list[float], off: list[float]) -> float:
    """Chance that a frame with the unit has more of its blendshape than one without."""
    values = np.array([*on, *off])
    truth, known = np.arange(len(values)) < len(on), np.isfinite(values)
    if len(set(truth[known])) < 2:
        return float("nan")
    return float(roc_auc_score(truth[known], values[known]))


def rank_r(pairs: np.ndarray) -> float:
    """Spearman's correlation of intensity and blendshape."""
    from scipy.stats import spearmanr

    return float(spearmanr(pairs[np.isfinite(pairs).all(axis=1)]).statistic)


def people_figures(seen: list[Seen]) -> dict[str, float | None]:
    """Age, sex and likeness of the people at rest, person by person."""
    people: dict[str, list[Seen]] = {}
    for one in seen:
        people.setdefault(one.film.person.identity_id, []).append(one)
    read = {
        name: np.mean([one.age for one in films if one.age], axis=0)
        for name, films in people.items()
        if any(one.age for one in films)
    }
    who = {name: films[0].film.person for name, films in people.items()}
    ages = np.array([(who[name].age, value[0]) for name, value in read.items()])
    women = [value[1] for name, value in read.items() if who[name].sex == "female"]
    men = [value[1] for name, value in read.items() if who[name].sex == "male"]
    looks = [(name, one.look) for name, films in people.items() for one in films]
    pairs = [
        (first == second, float(np.linalg.norm(one - other)))
        for (first, one), (second, other) in combinations(looks, 2)
        if one is not None and other is not None
    ]
    own = [distance for same, distance in pairs if same]
    strangers = [distance for same, distance in pairs if not same]
    return {
        "people": len(people),
        "age_r": rounded(np.corrcoef(ages.T)[0, 1]),
        "over_62_read_as": mean(ages[ages[:, 0] > OLD, 1]),
        "under_40_read_as": mean(ages[ages[:, 0] < 40, 1]),
        "women_read_as_women": mean(women),
        "men_read_as_women": mean(men),
        "strangers_alike": mean(np.array(strangers) < ALIKE),
        "strangers_distance": mean(strangers),
        "same_person_distance": mean(own),
    }


def mean(values) -> float | None:
    """The mean to three places; None of nothing."""
    return rounded(np.mean(values)) if len(values) else None


def rounded(value: float) -> float:
    return round(float(value), 3)


def corpus(options: argparse.Namespace) -> Iterator[Film]:
    """The clips of a study's folder."""
    for clip in read_plan(options.corpus / "plan.jsonl").clips:
        path = options.corpus / "clips" / f"{clip.clip_id}.mp4"
        if not path.is_file():
            raise SystemExit(f"{path} is missing; run `pallor run` first, or leave --corpus out")
        truth = read_truth(path.with_suffix(".npz"))
        chosen = slice(0, None, options.every)
        units = {str(name): truth["executed"][chosen, n] for n, name in enumerate(truth["units"])}
        held = {name: values for name, values in units.items() if values.max() > ON}
        label = clip.label if clip.trained else None
        yield Film(clip.person, read_clip(path)[chosen], held, label)


def stills(options: argparse.Namespace) -> Iterator[Film]:
    """People of a population of their own: at rest, each unit by itself, then in another scene."""
    params = parse_params(
        load_params(options.params).model_dump() | {"plan": {"size": options.size}}
    )
    specs, people = [], []
    for number in range(options.first, options.first + options.people):
        identity = population(params, "judged", number)
        for scene, units in (("one", options.units), ("other", [])):
            clip = plan_clip(params, identity, f"judged/{number}/{scene}", "neutral", 1)
            poses = [{}, *({unit: [1.0, 1.0]} for unit in units)]
            specs.append(
                spec_of(clip) | {"stills": poses, "frames": len(poses), "samples": options.samples}
            )
            people.append((person_of(identity), units))
    rendered = render_specs(specs, home(), Store(home(), "judge"))
    for (person, units), (frames, _) in zip(people, rendered, strict=True):
        times = np.arange(1 + len(units))
        held = {
            unit: np.repeat((times == row)[:, None], 2, axis=1).astype(float)
            for row, unit in enumerate(units, 1)
        }
        yield Film(person, frames, held)


def arguments() -> argparse.Namespace:
    """What is judged: a corpus, or how many people, which units, how rendered."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--corpus", type=Path, help="a study's folder, such as data/deterioration")
    options.add_argument("--every", type=int, default=1, help="of a corpus' frames, every n-th")
    options.add_argument("--people", type=int, default=24)
    options.add_argument("--first", type=int, default=0, metavar="NUMBER",
                         help="of the judged people, where to begin: sculpting that was looked at "
                              "on some is judged on others")  # fmt: skip
    options.add_argument("--units", nargs="*", choices=list(SHAPES), metavar="UNIT",
                         default=["4", "5", "12", "15", "17", "25", "26", "43"])  # fmt: skip
    options.add_argument("--size", type=int, default=192)
    options.add_argument("--samples", type=int, default=8)
    options.add_argument("--json", type=Path, metavar="FILE", help="keep what was seen")
    options.add_argument("--params", type=Path, default=Path("params.yaml"))
    return options.parse_args()


if __name__ == "__main__":
    main()
