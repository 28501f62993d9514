"""Pictures for a detector to search: no face, one or two, of any size, before anything."""

import cv2
import numpy as np

from pipeline.facenets.fan import mirrored
from pipeline.facenets.looks import look, pasted
from pipeline.facenets.stills import Stills
from pipeline.facenets.textures import window
from pipeline.facenets.views import placed, seen, turned
from pipeline.faces.alignment import landmark_box

SIDE = 128  # px that a BlazeFace sees
NOBODY, TWO = 0.15, 0.15  # shares of pictures without a face and with two
FACELESS = 0.12  # of the people: heads and shoulders whose face is painted over
WHOLE = 0.4  # of the single faces: the render as it is, backdrop and all
SIZES = {1: (0.18, 1.15), 2: (0.18, 0.4)}  # of the picture, by how many share it
TURN = 10.0  # degrees, beyond the render's own tilt
OUT = 0.15  # of its size by which a face may leave the picture


def scene(
    stills: Stills, textures: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """(SIDE, SIDE, 3) uint8 RGB and the landmarks (F, 68, 2) px of its faces."""
    picture = window(textures, SIDE, rng)
    chance = rng.random()
    people = 0 if chance < NOBODY else 2 if chance < NOBODY + TWO else 1
    faces = []
    for number in range(people):
        picture, points = _with_person(picture, stills, textures, (number, people), rng)
        faces += points
    return look(picture, textures, rng), np.array(faces).reshape(-1, 68, 2)


def _with_person(
    picture: np.ndarray, stills: Stills, textures: np.ndarray, place: tuple[int, int],
    rng: np.random.Generator,
) -> tuple[np.ndarray, list[np.ndarray]]:  # fmt: skip
    """The picture with one more person, number `place[0]` of `place[1]` side by side."""
    chosen = int(rng.integers(len(stills)))
    points = stills.landmarks[chosen].astype(np.float64)
    view = _view(landmark_box(points), place, rng)
    whole = place[1] == 1 and rng.random() < WHOLE
    border = cv2.BORDER_REPLICATE if whole else cv2.BORDER_CONSTANT
    person = seen(stills.frames[chosen], view, SIDE, border)
    points = placed(points, view)
    faceless = rng.random() < FACELESS
    if faceless:
        person = _painted_over(person, points, window(textures, SIDE, rng))
    mask = np.full((SIDE, SIDE), 255, np.uint8)
    if not whole:
        mask = seen(stills.masks[chosen], view, SIDE, border)
        columns = np.arange(SIDE) * place[1] // SIDE == place[0]
        mask = mask * columns[None]
    picture = pasted(person, mask, picture)
    if place[1] == 1 and rng.random() < 0.5:
        picture, points = np.ascontiguousarray(picture[:, ::-1]), mirrored(points, SIDE)
    return picture, [] if faceless else [points]


def _view(box: np.ndarray, place: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """An affine map that puts the box somewhere into its share of the picture."""
    number, people = place
    least, most = SIZES[people]
    size = SIDE * np.exp(rng.uniform(np.log(least), np.log(most)))
    scale = size / (box[2] - box[0])
    room = np.array([SIDE / people, SIDE])
    low, high = size * (0.5 - OUT), room - size * (0.5 - OUT)
    centre = rng.uniform(np.minimum(low, room / 2), np.maximum(high, room / 2))
    centre[0] += number * room[0]
    upright = np.column_stack([scale * np.eye(2), centre - scale * (box[:2] + box[2:]) / 2])
    return turned(upright, rng.normal(0, TURN), centre)


def _painted_over(person: np.ndarray, points: np.ndarray, texture: np.ndarray) -> np.ndarray:
    mask = np.zeros((SIDE, SIDE), np.uint8)
    left, top, right, bottom = map(float, landmark_box(points))
    oval = (((left + right) / 2, (top + bottom) / 2), (right - left, bottom - top), 0.0)
    cv2.ellipse(mask, oval, (255,), -1)
    return pasted(texture, mask, person)
