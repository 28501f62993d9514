"""How strong each unit of an expression was, measured on the frames of a clip and on their truth.

Our own FAN finds the 68 landmarks of a clip's first frame, which is neutral, and of frames at its
apex; a linear read-out (`pipeline.faces.readout`), fitted on the geometry of other people, says how
far each unit moved in between. Nothing of the cohort's truth enters a measured strength.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatars import expression, landmarks, optics
from avatars.assets import find
from avatars.errors import AssetError as MissingAsset
from avatars.person import Person
from avatars.scene import sample_scene
from avatars.targets import Targets
from avatars.units import UNITS
from pipeline.corpus.plan import population
from pipeline.corpus.render import read_truth
from pipeline.errors import AssetError, StageError
from pipeline.faces import readout
from pipeline.faces.detect import choose_detector
from pipeline.media.video import read_clip
from pipeline.params import Params

APEX = (0.45, 0.55, 0.65)  # shares of a clip's frames: every expression holds its apex there
PEOPLE, POSES = 24, 80  # that the read-out is fitted on: half a minute; 16 poses read 4 worse
RIDGE = 1.0  # penalty: one frame of geometry with this noise gives 12 with r 0.79, 4 with 0.69
ACTIVE = 0.35  # share of poses in which a unit acts: some three units at once, as in expressions
NOISE = 0.6  # px at 128: what the FAN's landmarks are off by, so that the read-out expects it
ROWS = {name: row for row, name in enumerate(UNITS)}


@dataclass(frozen=True)
class Strength:
    """Unit > how far it rose from a clip's first frame to its apex, both sides' mean, E being 1.

    `measured` is read from frames, `executed` is the truth of the same frames.
    """

    clip_id: str
    measured: dict[str, float]
    executed: dict[str, float]


@dataclass(frozen=True)
class Footage:
    """One clip to measure: its film, its truth, the face's boxes in its frames, its expression."""

    clip_id: str
    film: Path
    truth: Path
    boxes: list[list[float]]
    units: tuple[str, ...]


def units_of_expression(name: str) -> tuple[str, ...]:
    """The facial units that an expression is made of, in the order of its file."""
    found = (activation.unit for activation in expression.load(name).activations)
    return tuple(dict.fromkeys(unit for unit in found if unit in UNITS))


def fit_readout(units: Sequence[str], params: Params, home: Path) -> np.ndarray:
    """(137, 2 * units) weights of a read-out of `units`, from people who are in no study.

    Raises AssetError without the assets that people are made of.
    """
    try:
        assets = find(home)
    except MissingAsset as error:
        raise AssetError(str(error)) from error
    targets, seen = Targets(assets.targets()), []
    for number in range(PEOPLE):
        rng = np.random.default_rng([params.seed, number])
        person = Person(population(params, "readout", number), assets, targets)
        seen.append(_poses(person, units, rng))
    return readout.fit(readout.pooled(seen), RIDGE)


def strengths_of(
    footage: Sequence[Footage], weights: np.ndarray, units: Sequence[str]
) -> list[Strength]:
    """The strengths of every clip, in their order: a second each, on one core.

    Raises AssetError without our own landmark detector.
    """
    from pipeline.faces.alignment import OwnDetector

    detector = choose_detector("own").load()
    assert isinstance(detector, OwnDetector)
    return [_strength(clip, detector, weights, units) for clip in footage]


def _strength(clip: Footage, detector: object, weights: np.ndarray, units: Sequence[str]) -> (
    Strength
):  # fmt: skip
    frames, executed = read_clip(clip.film), read_truth(clip.truth)["executed"]
    numbers = [0, *(round(share * (len(frames) - 1)) for share in APEX)]
    if len(frames) != len(clip.boxes):
        raise StageError(f"{clip.film} has {len(frames)} frames but its face {len(clip.boxes)}")
    points = [detector.landmarks(frames[n], np.array(clip.boxes[n]))[0] for n in numbers]  # type: ignore[attr-defined]
    moved = [readout.normalised(p, points[0]) for p in points[1:]]
    read = readout.read(weights, np.stack(moved)).reshape(len(moved), len(units), 2)
    rise = executed[numbers[1:]] - executed[0]
    return Strength(
        clip.clip_id,
        {u: round(float(read[:, units.index(u)].mean(1).max()), 5) for u in clip.units},
        {u: round(float(rise[:, ROWS[u]].mean(1).max()), 5) for u in clip.units},
    )


def _poses(person: Person, units: Sequence[str], rng: np.random.Generator) -> readout.Seen:
    camera = optics.projection(sample_scene(rng).camera, person.centre, 128)
    neutral = landmarks.project(person.neutral.landmarks, camera)
    features, shown = [], []
    for _ in range(POSES):
        pose = np.zeros((len(UNITS), 2))
        for unit in units:
            if rng.random() < ACTIVE:
                pose[ROWS[unit]] = rng.random(2) if UNITS[unit].paired else rng.random()
        posed = person.posed(pose, rng.normal(0, 2, 3), rng.normal(0, 3, 2))
        points = landmarks.project(posed.landmarks, camera)
        start = neutral + rng.normal(0, NOISE, neutral.shape)
        features.append(readout.normalised(points + rng.normal(0, NOISE, points.shape), start))
        shown.append(pose[[ROWS[unit] for unit in units]].ravel())
    return readout.Seen(np.stack(features), np.stack(shown))
