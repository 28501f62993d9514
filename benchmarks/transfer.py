"""Motion transfer: how faithful, how fast. `python benchmarks/transfer.py [--sheet FILE.png]`.

Two models, the chosen one and the one its training began from, perform people whom neither was
trained on. The answer is rendered: the same person in the same motion. The people are rendered once
and kept in the work store (a quarter of an hour on two cores); no training is needed. What films
show is read by the outside judge (docs/judge.md), its reading of the truth beside it. Ends with one
JSON line: the new model's figures, then the same of the earlier model under `before`.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from judges import require_tools
from perception import Perception
from transfer_people import FRAMES, Judged, judged
from transfer_signs import Film, Judge, apart, points_apart
from transfer_speed import measure

import fomm
from flows.workspace import home
from fomm.exact import ExactFlow, exact_flow
from pipeline.motion.fidelity import psnr
from pipeline.motion.training import FIRST
from pipeline.params import load_params

SHOWN = 0.5  # executed intensity at the apex: the clip has the unit
HIDDEN = 0.05  # below: it has not; what lies between (a smile's parted lips) counts for neither
YAWED = 10.0  # degrees: the head is turned
SIGNS = (("eyes_closed", "43", "closed"), ("lips_parted", "25", "parted"),
         ("mouth_corner_down", "15", "down"))  # fmt: skip
Row = dict[str, float]


def fidelity(people: Judged, models: dict[str, fomm.MotionModel]) -> dict[str, dict]:
    """By model, and for the rendered truth: means and rates over all clips."""
    judge, perception = Judge(), Perception()
    truths = {case: judge.look(people.films.frames[case]) for case in _cases(people)}
    found = {"truth": _rates(people, {case: film.signs() for case, film in truths.items()})}
    for name, model in models.items():
        rows: list[Row] = []
        signs = {}
        for case in _cases(people):
            cross = _made(people, model, case, _driver(people, case))
            film = judge.look(cross)
            signs[case] = film.signs()
            rows.append(
                _pictures(people.films.frames[case], cross, perception)
                | _kept(film, truths[case], truths[_driver(people, case)])
                | _own(people, model, case, judge, truths[case])
            )
        found[name] = _rates(people, signs) | _means(rows)
    judge.close()
    return found


def _cases(people: Judged) -> Iterator[tuple[int, int]]:
    return iter(np.ndindex(people.films.frames.shape[:2]))


def _driver(people: Judged, case: tuple[int, int]) -> tuple[int, int]:
    """The next person in the same motion."""
    return (case[0] + 1) % len(people.films.frames), case[1]


def _made(
    people: Judged, model: fomm.MotionModel, case: tuple[int, int], driver: tuple[int, int]
) -> np.ndarray:
    return model.animate(people.films.frames[case][0], people.films.frames[driver])


def _pictures(truth: np.ndarray, made: np.ndarray, perception: Perception) -> Row:
    still = np.broadcast_to(truth[0], truth.shape)
    return {
        "psnr_gain_db": psnr(made, truth) - psnr(still, truth),
        "perceptual_distance": perception.distance(made[1:], truth[1:]),
    }


def _kept(film: Film, truth: Film, driver: Film) -> Row:
    """Share of the moved frames whose face is nearer to the portrait's than to the driver's."""
    pairs = [
        (apart(look, truth.looks[0]), apart(look, other))
        for look, other in zip(film.looks[1:], driver.looks[1:], strict=True)
    ]
    known = [own < other for own, other in pairs if not np.isnan([own, other]).any()]
    return {
        "identity_kept": float(np.mean(known)) if known else float("nan"),
        "faces_found": float(np.mean([face is not None for face in film.faces])),
    }


def _own(
    people: Judged, model: fomm.MotionModel, case: tuple[int, int], judge: Judge, truth: Film
) -> Row:
    """Driven by the person's own clip: flow, face and points of the frames with a turned head."""
    times = [t for t in range(1, FRAMES) if abs(people.yaw[case][t]) > YAWED]
    if not times:
        return {}
    frames = people.films.frames[case]
    film = judge.look(_made(people, model, case, case)[times])
    pairs = [(film.looks[n], truth.looks[t]) for n, t in enumerate(times)]
    faces = [(film.faces[n], truth.faces[t]) for n, t in enumerate(times)]
    return {
        "flow_epe_turned": _flow_error(people, model, case, times, frames),
        "identity_to_truth": _mean([apart(*pair) for pair in pairs]),
        "landmark_error_px": _mean([points_apart(*pair) for pair in faces]),
    }


def _flow_error(
    people: Judged, model: fomm.MotionModel, case: tuple[int, int], times: list[int],
    frames: np.ndarray,
) -> float:  # fmt: skip
    """Mean px between the model's flow and the exact one over skin that the source shows."""
    points = model.keypoints(frames[[0, *times]])
    motion = model.generate(frames[0], points[:1], points[1:])
    first = int(np.ravel_multi_index((*case, 0), people.films.frames.shape[:3]))
    surfaces = people.films.surfaces
    assert surfaces is not None  # training clips have them
    target = first + np.array(times)
    exact: ExactFlow = exact_flow(surfaces, target, np.full(len(times), first))
    skin = torch.from_numpy(surfaces.cells[target] >= 0)
    off = (motion.deformation - exact.where).norm(dim=-1) * (surfaces.size - 1) / 2
    return float(off[skin & (exact.visible[:, 0] > 0)].mean())


def _rates(people: Judged, signs: dict[tuple[int, int], Row | None]) -> dict[str, float | None]:
    """Shares of clips in which the judge reads a sign, where it is and where it is not."""
    seen = {case: row for case, row in signs.items() if row is not None}
    found = {}
    for name, unit, sign in SIGNS:
        level = people.units[unit]
        found[f"{name}_rate"] = _mean([r[sign] for c, r in seen.items() if level[c] >= SHOWN])
        found[f"{name}_absent"] = _mean([r[sign] for c, r in seen.items() if level[c] <= HIDDEN])
    extreme = {case: people.yaw[case][np.abs(people.yaw[case]).argmax()] for case in seen}
    turned = [r["turn"] == np.sign(extreme[c]) for c, r in seen.items() if abs(extreme[c]) > YAWED]
    found["head_turn_rate"] = _mean(turned)
    return found


def _means(rows: list[Row]) -> dict[str, float | None]:
    names = sorted({name for row in rows for name in row})
    return {name: _mean([row[name] for row in rows if name in row]) for name in names}


def _mean(values: list) -> float | None:
    """To four places; None, JSON's null, when no clip asks the question."""
    known = [float(value) for value in values if not np.isnan(value)]
    return round(float(np.mean(known)), 4) if known else None


def _table(found: dict[str, dict]) -> None:
    names = sorted({name for figures in found.values() for name in figures})
    print(f"{'':>24}" + "".join(f"{column:>10}" for column in found))
    for name in names:
        cells = [found[column].get(name) for column in found]
        print(f"{name:>24}" + "".join(f"{'' if c is None else f'{c:.3f}':>10}" for c in cells))


def main() -> None:
    """Measure and print; the last line is one JSON object."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--home", type=Path, default=home(), help="folder of the work store")
    page.add_argument("--checkpoint", type=Path, help="default: motion.checkpoint")
    page.add_argument("--before", type=Path, default=FIRST, help="the model it is held against")
    page.add_argument("--people", type=int, default=12)
    page.add_argument("--threads", type=int, default=2, help="1: timed in processor seconds")
    page.add_argument("--rounds", type=int, default=3, help="pairs of timed clips a mode; 0: none")
    page.add_argument("--sheet", type=Path, help="draw the contact sheet into this PNG and stop")
    options = page.parse_args()
    if options.people < 2:
        page.error("--people must be 2 or more: each drives another")
    torch.set_num_threads(options.threads)
    params = load_params()
    chosen = {"before": options.before, "after": options.checkpoint or params.motion.checkpoint}
    models = {
        name: fomm.prepare(fomm.load_checkpoint(Path(path), config="auto")).model
        for name, path in chosen.items()
    }
    if not options.sheet:
        require_tools()  # before the people are rendered
        Perception()
    people = judged(options.home, params, options.people)
    if options.sheet:
        from transfer_sheet import draw_sheet

        draw_sheet(options.sheet, people, models)
        return
    found = fidelity(people, models)
    _table(found)
    speed = measure(options.rounds) if options.rounds else {}
    print(json.dumps(found["after"] | {"clips": int(np.prod(people.films.frames.shape[:2]))}
                     | {name: found[name] for name in ("before", "truth")} | speed))  # fmt: skip


if __name__ == "__main__":
    main()
