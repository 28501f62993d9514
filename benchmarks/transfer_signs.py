"""What the outside judge reads from a short film against its first frame, and whose face it is."""

from dataclasses import dataclass

import numpy as np
from judges import Face, Landmarker, Likeness

# Of MediaPipe's 478 points; "left" is the person's own.
BROW, CHIN, NOSE = 10, 152, 1
OUTER_EYES = (33, 263)  # own right, own left
INNER_LIPS = (13, 14)
INNER_POINTS = 468  # the ten after these are irises, which shut lids hide
SHUT = (
    0.3  # rise of eyeBlink: of two people's true clips read in 7 of 10 with unit 43, none without
)
PARTED = 0.03  # of the face's height that the inner lips part
DOWN = 0.02  # rise of mouthFrown, over the judge's own jitter in a clip
TURNED = 0.06  # of the eyes' distance that the nose moves against them


@dataclass(frozen=True)
class Film:
    """T frames as the judge sees them; None where it finds no face."""

    faces: list[Face | None]
    looks: list[np.ndarray | None]

    def signs(self) -> dict[str, float] | None:
        """`closed`, `parted`, `down` 0 or 1, `turn` -1, 0 or 1 (own left); None without a face."""
        seen = [face for face in self.faces if face is not None]
        if len(seen) < 2 or self.faces[0] is None:
            return None
        rows = np.array([_measures(face) for face in seen])
        change = rows - rows[0]
        turn = change[np.abs(change[:, 3]).argmax(), 3]
        shut, parted, down = change[:, :3].max(axis=0)
        return {
            "closed": float(shut > SHUT), "parted": float(parted > PARTED),
            "down": float(down > DOWN), "turn": float(np.sign(turn) * (abs(turn) > TURNED)),
        }  # fmt: skip


class Judge:
    """Landmarker and embedding, frame by frame."""

    def __init__(self) -> None:
        self._landmarker, self._likeness = Landmarker(), Likeness()

    def look(self, frames: np.ndarray) -> Film:
        """A film of frames (T, S, S, 3) uint8."""
        faces = [self._landmarker.look(np.ascontiguousarray(frame)) for frame in frames]
        pairs = zip(frames, faces, strict=True)
        return Film(faces, [self._likeness.look(f, face) if face else None for f, face in pairs])

    def close(self) -> None:
        """End the landmarker's threads."""
        self._landmarker.close()


def apart(one: np.ndarray | None, other: np.ndarray | None) -> float:
    """Distance of two embeddings; NaN where a face was not found."""
    return float("nan") if one is None or other is None else float(np.linalg.norm(one - other))


def points_apart(one: Face | None, other: Face | None) -> float:
    """Mean distance in px of two faces' points; NaN where a face was not found."""
    if one is None or other is None:
        return float("nan")
    offset = one.points[:INNER_POINTS] - other.points[:INNER_POINTS]
    return float(np.linalg.norm(offset, axis=-1).mean())


def _measures(face: Face) -> tuple[float, float, float, float]:
    shapes, points = face.shapes, face.points
    height = np.linalg.norm(points[CHIN] - points[BROW])
    right, left = points[list(OUTER_EYES)]
    return (
        (shapes["eyeBlinkLeft"] + shapes["eyeBlinkRight"]) / 2,
        float(np.linalg.norm(np.subtract(*points[list(INNER_LIPS)])) / height),
        (shapes["mouthFrownLeft"] + shapes["mouthFrownRight"]) / 2,
        float((points[NOSE] - (right + left) / 2)[0] / np.linalg.norm(left - right)),
    )
