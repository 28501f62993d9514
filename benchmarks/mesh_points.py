"""Which point of our mesh each of MediaPipe's 478 is: `python benchmarks/mesh_points.py`.

People of a population of their own are rendered at rest and with the jaw open, straight and turned.
MediaPipe's landmarker (docs/judge.md) names 478 points in each picture. Each is laid onto the
nearest skin that the camera sees, as a triangle of the mesh and shares of its corners. Of all
places that the first people give a point, the one nearest to all others stands in the table.
Further people, who gave none, tell how far it lies from where the landmarker sees it.
`--out pipeline/exports/mesh478.json` writes the table that `pallor labels mediapipe` reads.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from judges import Landmarker, require_tools
from scipy.spatial import cKDTree

from avatars import clip as avatar
from avatars import optics, raster
from avatars.assets import find
from avatars.worker import parse_spec
from flows.workspace import home
from pipeline.corpus.plan import plan_clip, population
from pipeline.corpus.render import render_specs, spec_of
from pipeline.params import load_params, parse_params
from pipeline.store.store import Store

POINTS = 478
IRISES = range(468, POINTS)  # they lie on eyes, which are no skin
OPEN = {"26": [1.0, 1.0], "25": [1.0, 1.0]}  # the lips apart: a shut mouth's are one line
TURNS = ({}, {"51": [0.4, 0.4]}, {"52": [0.4, 0.4]})  # 15 degrees
POSES = [turn | mouth for mouth in ({}, OPEN) for turn in TURNS]
SIDE = 768  # px of the z-buffer that points are laid onto
REACH = 0.012 * SIDE  # px from a point to the skin that it may be laid onto
FACING = 0.35  # cosine below which skin is seen too aslant to say where a point lies on it
AT = 128  # px a side of the frames whose pixels a residual is told in
GOOD = 2.0  # px of residual with which a point is named


class Seen(NamedTuple):
    """A frame: the (478, 2) points in px of a square picture of SIDE, and the view they are in."""

    points: np.ndarray
    shot: raster.Shot
    opened: bool


class Place(NamedTuple):
    """A point of the skin: three vertices of the base mesh, and the shares of each."""

    corners: np.ndarray
    shares: np.ndarray


def main() -> None:
    """Print how far points lie from where they are seen, and write the table."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--people", type=int, default=8, help="who say where points are")
    page.add_argument("--judged", type=int, default=6, help="further ones who say how far off")
    page.add_argument("--size", type=int, default=192)
    page.add_argument("--out", type=Path)
    options = page.parse_args()
    require_tools()
    people = list(seen(options.people + options.judged, options.size))
    table = places(people[: options.people])
    found = residuals(table, people[options.people :])
    named = [n for n in table if n in found and max(found[n]) <= GOOD]
    worst = [max(found[n]) for n in named]
    print(f"{len(table)} points lie on skin, {len(named)} within {GOOD} px at {AT} px")
    if options.out:
        options.out.write_text(written(table, found, named))
    print(json.dumps({
        "points": len(table), "named": len(named), "left_out": sorted({*range(POINTS)} - {*named}),
        "residual_px": round(float(np.median(worst)), 2), "worst_px": round(max(worst), 2),
    }))  # fmt: skip


def seen(count: int, size: int) -> Iterator[list[Seen]]:
    """The frames of each person in which the landmarker sees a face."""
    params = parse_params(load_params(Path("params.yaml")).model_dump() | {"plan": {"size": size}})
    specs = []
    for number in range(count):
        clip = plan_clip(params, population(params, "mesh", number), f"mesh/{number}", "neutral", 1)
        specs.append(spec_of(clip) | {"stills": POSES, "frames": len(POSES), "samples": 8})
    landmarker, assets = Landmarker(), find(home())
    for row, (frames, _) in zip(specs, render_specs(specs, home(), Store(home(), "judge")),
                                strict=True):  # fmt: skip
        spec = replace(parse_spec(row), size=SIDE)
        course = avatar.play(spec, assets)
        faces = [landmarker.look(frame) for frame in frames]
        yield [
            Seen(face.points * SIDE / size,
                 raster.shoot(avatar.view(spec, course.person, posed)._replace(strands=())),
                 number >= len(TURNS))
            for number, (face, posed) in enumerate(zip(faces, course.posed, strict=True)) if face
        ]  # fmt: skip
    landmarker.close()


def places(people: Sequence[list[Seen]]) -> dict[int, Place]:
    """Where points lie on the skin: of all that frames say, what is nearest to all the others."""
    mean = np.mean([skin(frames[0].shot)[1] for frames in people], axis=0)
    said: dict[int, list[Place]] = {}
    for frame in (frame for frames in people for frame in frames):
        for point, place in laid(frame).items():
            said.setdefault(point, []).append(place)
    most = max(map(len, said.values()))
    return {
        point: nearest_to_all(found, mean)
        for point, found in sorted(said.items())
        if point not in IRISES and len(found) > most / 4
    }


def laid(frame: Seen) -> dict[int, Place]:
    """Each point on the nearest skin that is seen in a frame, unless that is far or aslant."""
    number, _, ids = skin(frame.shot)
    pixels = np.flatnonzero(frame.shot.part == number)
    pixels = pixels[facing(frame.shot, pixels, number) > FACING]
    centres = np.stack([pixels % SIDE + 0.5, pixels // SIDE + 0.5], axis=1)
    far, row = cKDTree(centres).query(frame.points)
    return {
        point: Place(ids[frame.shot.triangle[pixels[r]]], frame.shot.shares[pixels[r]])
        for point, (d, r) in enumerate(zip(far, row, strict=True))
        if d <= REACH
    }


def skin(shot: raster.Shot) -> tuple[int, np.ndarray, np.ndarray]:
    """The number of the skin among a view's parts, its vertices (V, 3) and triangles (n, 3)."""
    number = [part.name for part in shot.view.parts].index("skin")
    corners, vertices = raster.corners(shot.view, number)
    return number, vertices, corners


def facing(shot: raster.Shot, pixels: np.ndarray, number: int) -> np.ndarray:
    """(n,) cosine between the skin's normal at pixels and the way to the camera."""
    corners, vertices = raster.corners(shot.view, number)
    a, b, c = (vertices[corners[shot.triangle[pixels], corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    back = optics.axes(shot.view.camera)[0][2]
    return np.abs(normal @ back) / np.maximum(np.linalg.norm(normal, axis=1), 1e-12)


def nearest_to_all(found: Sequence[Place], mean: np.ndarray) -> Place:
    """The place whose distances to the others, on the mean person, have the least sum."""
    at = np.stack([place.shares @ mean[place.corners] for place in found])
    apart = np.linalg.norm(at[:, None] - at[None], axis=2).sum(axis=1)
    return found[int(apart.argmin())]


def residuals(table: dict[int, Place], people: Sequence[list[Seen]]) -> dict[int, list[float]]:
    """Median px at AT between a point of the table and where it is seen: mouth shut, mouth open."""
    apart: dict[int, tuple[list[float], list[float]]] = {point: ([], []) for point in table}
    for frame in (frame for frames in people for frame in frames):
        number, vertices, _ = skin(frame.shot)
        world = {n: place.shares @ vertices[place.corners] for n, place in table.items()}
        points = np.stack(list(world.values()))
        hidden = raster.hidden(
            frame.shot.view._replace(parts=[frame.shot.view.parts[number]]), points, 0.002
        )
        at, _ = optics.project(points, frame.shot.view.camera)
        for (point, where), away in zip(zip(table, at, strict=True), hidden, strict=True):
            if not away:
                far = np.linalg.norm(where - frame.points[point]) * AT / SIDE
                apart[point][frame.opened].append(float(far))
    return {
        point: [float(np.median(found)) for found in both]
        for point, both in apart.items()
        if all(both)
    }


def written(
    table: dict[int, Place], found: dict[int, list[float]], named: Sequence[int]
) -> str:  # fmt: skip
    """The table as pipeline/exports/mediapipe.py reads it, a line a point."""
    rows = [
        {"point": n, "vertices": table[n].corners.tolist(),
         "shares": table[n].shares.round(6).tolist(), "residual_px": round(max(found[n]), 2)}
        for n in named
    ]  # fmt: skip
    return "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n"


if __name__ == "__main__":
    main()
