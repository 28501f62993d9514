"""A population built without rendering, and how sound it is: `python benchmarks/identities.py`.

Prints the time an identity takes and every person who fails `soundness.py`.
"""

import argparse
import json
import time
from dataclasses import astuple
from pathlib import Path

import numpy as np
from soundness import examine

from avatars.assets import find
from avatars.identity import sample_identity
from avatars.person import Person
from avatars.targets import Targets


def main() -> None:
    """Build and examine; end with one JSON line."""
    options = arguments()
    assets = find(Path(".pallor"))
    targets = Targets(assets.targets())
    spent, cpu, measured, faulty = [], [], [], 0
    for number in range(options.people):
        wall, busy = time.perf_counter(), time.process_time()
        rng = np.random.default_rng([options.seed, number])
        identity = sample_identity(number, np.random.default_rng(options.seed), rng)
        person = Person(identity, assets, targets)
        spent.append(time.perf_counter() - wall)
        cpu.append(time.process_time() - busy)
        found = examine(person)
        measured.append(astuple(found)[1:])
        faulty += bool(found.faults)
        for fault in found.faults:
            print(f"person {number}: {fault}", flush=True)
    area, turned, seen, beyond, shut = np.transpose(measured)
    print(json.dumps({
        "people": options.people, "faulty": faulty,
        "seconds_per_identity": float(np.median(spent)),
        "cpu_seconds_per_identity": float(np.median(cpu)),
        "smallest_area": float(area.min()), "largest_turned_share": float(turned.max()),
        "largest_beyond_mm": float(beyond.max()),
        "fewest_open_px": int(seen.min()), "most_shut_px": int(shut.max()),
    }))  # fmt: skip


def arguments() -> argparse.Namespace:
    """How many people and from which seed."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--people", type=int, default=1000)
    options.add_argument("--seed", type=int, default=1)
    return options.parse_args()


if __name__ == "__main__":
    main()
