"""How well the units are read back from the landmarks: `python benchmarks/readout.py`.

Fits on two thirds of the people, judges on the others; three settings: the eight units alone, with
all other units acting too, and with half a pixel of landmark noise at 128 px.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from avatars.assets import find
from avatars.identity import sample_identity
from avatars.person import Person
from avatars.scene import sample_scene
from avatars.targets import Targets
from avatars.units import UNITS
from pipeline.faces import readout

OTHERS = [name for name in UNITS if name not in readout.READ]
SETTINGS = {
    "alone": {},
    "with_all_other_units": {"others": OTHERS},
    "half_a_pixel_of_noise": {"noise_px": 0.5},
}


def main() -> None:
    """Print R2 a unit and side for each setting and end with one JSON line."""
    options = arguments()
    if options.people * options.poses < 60:
        raise SystemExit("too few poses to judge by; take 60 or more in all")
    assets = find(Path(".pallor"))
    targets = Targets(assets.targets())
    seen = {name: [] for name in SETTINGS}
    for number in range(options.people):
        rng = np.random.default_rng([options.seed, number])
        identity = sample_identity(number, np.random.default_rng(options.seed), rng)
        person, scene = Person(identity, assets, targets), sample_scene(rng)
        for name, setting in SETTINGS.items():
            seen[name].append(readout.observe(person, scene, options.poses, rng, **setting))
    shares = {name: judged(people) for name, people in seen.items()}
    for unit in shares["alone"]:
        print(f"{unit:9}", *(f"{shares[name][unit]:7.3f} {name}" for name in SETTINGS))
    smallest = {name: min(values.values()) for name, values in shares.items()}
    print(json.dumps({"people": options.people, "smallest_r2": smallest, "r2": shares}))


def judged(people: list) -> dict[str, float]:
    """R2 on the last third of the people of a read-out fitted to the others."""
    cut = len(people) * 2 // 3
    weights = readout.fit(readout.pooled(people[:cut]))
    return readout.r_squared(weights, readout.pooled(people[cut:]))


def arguments() -> argparse.Namespace:
    """People, poses each and the seed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=60)
    options.add_argument("--poses", type=int, default=20)
    options.add_argument("--seed", type=int, default=1)
    return options.parse_args()


if __name__ == "__main__":
    main()
