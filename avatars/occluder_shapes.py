"""The shapes of what a ward puts on a face; sizes, in decimetres, are those of adult devices."""

from collections.abc import Callable

import numpy as np

from avatars import solids
from avatars.fitting import Fitting, Piece, band, smooth_ring
from avatars.solids import Solid

_HEAD, _TRUNK = -1, 0  # columns of the neck chain's weights


def glasses(fit: Fitting) -> list[Piece]:
    """Metal-rimmed spectacles with clear lenses."""
    rims, lenses = [], []
    eyes = [fit.marks[42:48].mean(axis=0), fit.marks[36:42].mean(axis=0)]
    nose = fit.cheek(np.array([[0.0, eyes[0][1] + 0.02]]), 0.0)[0]
    inner = max(nose[2] - 0.06, max(eye[2] for eye in eyes) + 0.10)
    outer = []
    for side, eye in zip((1.0, -1.0), eyes, strict=True):
        centre = np.array([side * max(abs(eye[0]), 0.30), eye[1] - 0.03, inner])
        turn = np.linspace(0, 2 * np.pi, 33)[:-1]
        x = 0.25 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.75
        y = 0.19 * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.75
        ring = centre + np.stack([x, y, -0.22 * np.abs(x) * (x * side > 0)], axis=1)
        rims.append(solids.tube(ring, 0.014, closed=True))
        shares = np.linspace(0.02, 1.0, 4)[:, None, None]
        lenses.append(solids.sheet((centre + shares * (ring - centre)).transpose(1, 0, 2), True))
        hinge = ring[int(np.argmax(side * (ring[:, 0]) + 0.4 * ring[:, 1]))]
        outer.append((side, hinge))
    bridge = np.array([[0.09, 0.03, -0.03], [0, 0.06, 0.05], [-0.09, 0.03, -0.03]])
    frame = [solids.tube(solids.curve(np.add(bridge, [0, eyes[0][1], inner]), 9), 0.014)]
    for side, hinge in outer:
        ear = fit.ear(side)
        bent = ear + np.array([0.0, -0.25, -0.22])
        wide = np.array([side * (abs(ear[0]) - 0.03), hinge[1], hinge[2] - 0.22])
        path = solids.curve(np.stack([hinge, wide, ear, bent]), 24)
        frame.append(solids.tube(path, 0.016))
    return [
        Piece("glasses", solids.join(*rims, *frame), "metal", "bones", _HEAD),
        Piece("lenses", solids.join(*lenses), "glass", "bones", _HEAD),
    ]


def nasal_cannula(fit: Fitting) -> list[Piece]:
    """A soft clear tube under the nose with two prongs, over both ears."""
    base = np.add(fit.marks[33], [0.0, -0.05, 0.06])
    across = np.array([[0.16, 0, -0.02], [0.0, -0.015, 0.0], [-0.16, 0, -0.02]]) + base
    parts = [solids.tube(solids.curve(across, 13), 0.034)]
    for side, end in ((1.0, across[0]), (-1.0, across[-1])):
        prong = np.array([[0.065, 0.0, 0.0], [0.06, 0.06, -0.015], [0.055, 0.13, -0.07]])
        parts.append(solids.tube(solids.curve(base + prong * [side, 1, 1], 7), 0.022))
        path = np.concatenate([end[None], fit.to_ear(end, side, 0.022)])
        parts.append(solids.tube(solids.curve(path, 48), 0.021))
    return [Piece("nasal_cannula", solids.join(*parts), "tubing", "skin", _HEAD)]


def oxygen_mask(fit: Fitting) -> list[Piece]:
    """A clear mask over nose and mouth with a rim, a valve and an elastic strap."""
    top, bottom = fit.marks[28, 1] - 0.02, fit.marks[8, 1] + 0.12
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    turn = np.linspace(0, 2 * np.pi, 41)[:-1]
    narrow = 0.40 - 0.13 * np.clip(np.sin(turn), 0, 1) ** 1.5
    edge = np.stack([narrow * np.cos(turn), middle + half * np.sin(turn)], axis=1)
    depth = smooth_ring(fit.cheek(edge, 0.02)[:, 2])
    rim = np.concatenate([edge, depth[:, None]], axis=1)
    tip = fit.marks[30, 2]
    apex = np.array([0.0, middle - 0.02, tip + 0.14])
    r = np.linspace(1, 0.03, 12)[:, None]
    dome = apex[:2] + r[..., None] * (rim[None, :, :2] - apex[:2])
    depth = apex[2] + (rim[None, :, 2] - apex[2]) * r**3.2
    shell = np.concatenate([dome, depth[..., None]], axis=-1).transpose(1, 0, 2)
    valve_at = np.add(apex, [0.0, -0.16, -0.02])
    valve = solids.tube(
        valve_at + np.array([[0, 0, -0.04], [0, -0.02, 0.05], [0, -0.10, 0.10]]), 0.10
    )
    hose = np.array([[0, -0.08, 0.08], [0.02, -0.35, 0.09], [0.12, -0.8, -0.05], [0.3, -1.4, -0.2]])
    pipe = solids.tube(solids.curve(valve_at + hose, 24), 0.045)
    edging = solids.tube(rim, 0.028, closed=True)
    return [
        Piece("oxygen_mask", solids.sheet(shell, closed=True), "clear", "jaw", _HEAD),
        Piece("oxygen_rim", solids.join(edging, valve, pipe), "tubing", "jaw", _HEAD),
        Piece("elastic", _strap(fit, rim), "elastic", "bones", _HEAD),
    ]


def _strap(fit: Fitting, rim: np.ndarray) -> Solid:
    """A thin band from the mask's sides round the back of the head, below the ears."""
    side = rim[np.argmax(rim[:, 0])]
    low = np.arctan2(side[0], side[2] - fit.middle[2])
    angles = np.linspace(low + 0.06, 2 * np.pi - low - 0.06, 60)
    rise = side[1] + 0.25 * np.sin((angles - low) / (2 * np.pi - 2 * low) * np.pi)
    return band(fit, angles, rise, 0.07, 0.02)


def endotracheal_tube(fit: Fitting) -> list[Piece]:
    """A tube out of the mouth's own left half with its connector, taped to both cheeks."""
    lips = np.add(fit.marks[[62, 66]].mean(axis=0), [0.10, 0.0, 0.0])
    out = np.array([[0, 0.01, -0.25], [0, 0, 0.0], [0.02, -0.04, 0.22], [0.06, -0.22, 0.42],
                    [0.09, -0.42, 0.50]])  # fmt: skip
    path = solids.curve(lips + out, 28)
    end = path[-1] + np.array([[0, 0.06, -0.02], [0.005, -0.02, 0.01], [0.01, -0.12, 0.03]])
    upper = fit.marks[[33, 51]].mean(axis=0)
    lower = fit.marks[[57, 8]].mean(axis=0)
    strips = [
        fit.patch(np.array([0.0, upper[1] - 0.005]), (0.84, 0.12), 0.012),
        fit.patch(np.array([0.30, lips[1] - 0.10]), (0.55, 0.11), 0.016, turn=-22),
        fit.patch(np.array([-0.22, lower[1]]), (0.55, 0.11), 0.012, turn=12),
    ]
    ring = solids.tube(path[11:17], 0.062)
    return [
        Piece("endotracheal_tube", solids.tube(path, 0.052), "tubing", "jaw", _HEAD),
        Piece("connector", solids.tube(end, 0.075), "blue", "jaw", _HEAD),
        Piece("tape", solids.join(*strips, ring), "tape", "skin", _HEAD),
    ]


def nasogastric_tube(fit: Fitting) -> list[Piece]:
    """A thin tube out of the own right nostril, taped to the nose and the cheek."""
    nostril = fit.marks[[32, 33]].mean(axis=0)
    nostril[0] = -abs(nostril[0])
    start = nostril + np.array([[0.0, 0.12, -0.06], [0.0, 0.0, 0.03], [-0.05, -0.07, 0.07]])
    path = solids.curve(np.concatenate([start, fit.to_ear(start[-1], -1.0, 0.024)]), 56)
    taped = path[np.argmin(np.abs(path[:, 0] + 0.36) + 10 * (path[:, 2] < 0.9))]
    nose = fit.patch(np.array([0.0, fit.marks[30, 1] + 0.12]), (0.16, 0.30), 0.012)
    flag = fit.patch(taped[:2], (0.22, 0.13), 0.05, turn=-12)
    wrap = solids.tube(path[4:9], 0.034)
    return [
        Piece("nasogastric_tube", solids.tube(path, 0.023), "yellowish", "skin", _HEAD),
        Piece("nasogastric_tape", solids.join(nose, flag, wrap), "tape", "skin", _HEAD),
    ]


def head_bandage(fit: Fitting) -> list[Piece]:
    """Gauze wound round forehead and back of the head in turns that cross."""
    brow = fit.marks[17:27, 1].max()
    crown = fit.head[:, 1].max()
    angles = np.linspace(0, 2 * np.pi, 73)[:-1]
    low = brow + 0.24
    turns = []
    for number, (rise, tilt, skew) in enumerate(
        ((0.0, 0.02, 0.05), (0.10, -0.14, -0.06), (0.16, 0.04, 0.02), (0.08, -0.06, 0.09))
    ):
        height = low + rise + tilt * (1 - np.cos(angles)) / 2 + skew * np.sin(angles)
        height = np.minimum(height, crown - 0.35)
        turns.append(band(fit, angles, height, 0.36, 0.05 + 0.012 * number))
    return [Piece("head_bandage", solids.join(*turns), "cloth", "bones", _HEAD)]


def eye_pads(fit: Fitting) -> list[Piece]:
    """A gauze pad over each eye under two strips of tape."""
    pads, strips = [], []
    for side, points in ((1.0, fit.marks[42:48]), (-1.0, fit.marks[36:42])):
        middle = points.mean(axis=0)[:2] + np.array([side * 0.03, 0.02])
        pads.append(fit.patch(middle, (0.44, 0.36), 0.09, oval=True))
        strips += [fit.patch(middle, (0.56, 0.10), 0.095, turn=turn) for turn in (24, -24)]
    return [
        Piece("eye_pads", solids.join(*pads), "cloth", "bones", _HEAD),
        Piece("eye_tape", solids.join(*strips), "tape", "bones", _HEAD),
    ]


def pillow(fit: Fitting) -> list[Piece]:
    """A hospital pillow that the head lies on; it stays when the head turns."""
    back = fit.head[:, 2].min()
    middle = np.array([0.0, fit.middle[1] - 0.1, back - 0.25])
    shape = solids.cushion(middle, np.array([1.65, 1.2, 0.6]), 0.4)
    return [Piece("pillow", shape, "linen", "bones", _TRUNK)]


MAKERS: dict[str, Callable[[Fitting], list[Piece]]] = {
    "glasses": glasses,
    "nasal_cannula": nasal_cannula,
    "oxygen_mask": oxygen_mask,
    "endotracheal_tube": endotracheal_tube,
    "nasogastric_tube": nasogastric_tube,
    "head_bandage": head_bandage,
    "eye_pads": eye_pads,
    "pillow": pillow,
}
