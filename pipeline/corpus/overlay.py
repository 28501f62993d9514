"""A clip's truth drawn on its frames: landmarks, unit bars a side, head and gaze, openings.

The person's own left is on the picture's right, so the bars stand that way round too.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from pipeline.corpus.render import Truth
from pipeline.errors import ClipError
from pipeline.media.video import Frames

FACE = 512  # pixels a side of the enlarged frame
PANEL = 320  # pixels of the bars beside it
PAPER, INK, QUIET = (255, 255, 255), (31, 35, 40), (150, 156, 164)
MARK, HEAD, GAZE, DONE = (0, 200, 120), (230, 60, 60), (40, 120, 255), (70, 110, 190)
ROW, TOP, BAR = 17, 34, 110  # pixels: height of a bar's row, of the heading, longest bar
# Runs of the 68 iBUG points that are joined: jaw, brows, nose, lids, lips; True closes the run.
_RUNS = (
    (range(17), False), (range(17, 22), False), (range(22, 27), False), (range(27, 31), False),
    (range(31, 36), False), (range(36, 42), True), (range(42, 48), True), (range(48, 60), True),
    (range(60, 68), True),
)  # fmt: skip
_NEEDED = (
    "units", "intended", "executed", "head_deg", "gaze_deg", "camera", "landmarks_px",
    "landmarks_visible", "aperture_mm", "mouth_mm",
)  # fmt: skip


def draw_overlay(frames: Frames, truth: Truth) -> Frames:
    """(T, FACE, FACE + PANEL, 3) uint8 RGB of (T, S, S, 3) uint8 frames and their truth.

    Raises ClipError when an array of `docs/formats/clip.md` is missing or of other length.
    """
    _check(frames, truth)
    drawn = []
    for number, frame in enumerate(frames):
        face = cv2.resize(frame, (FACE, FACE), interpolation=cv2.INTER_CUBIC)
        _draw_face(face, truth, number, FACE / len(frame))
        drawn.append(np.concatenate([face, _panel(truth, number)], axis=1))
    return np.stack(drawn)


def _check(frames: Frames, truth: Truth) -> None:
    if missing := [name for name in _NEEDED if name not in truth]:
        raise ClipError(f"the truth of this clip lacks {', '.join(missing)}; render it again")
    if len(frames) != len(truth["executed"]):
        raise ClipError(
            f"{len(frames)} frames have truth of {len(truth['executed'])}; render the clip again"
        )


def _draw_face(face: np.ndarray, truth: Truth, number: int, scale: float) -> None:
    """Landmarks (hidden ones hollow) and the directions of head and eyes, drawn in place."""
    points = truth["landmarks_px"][number] * scale
    for run, closed in _RUNS:
        cv2.polylines(face, [_fixed(points[run])], closed, MARK, 1, cv2.LINE_AA, shift=4)
    for point, visible in zip(points, truth["landmarks_visible"][number], strict=True):
        cv2.circle(
            face, _fixed(point).tolist(), 3 << 4, MARK, -1 if visible else 1, cv2.LINE_AA, shift=4
        )
    head, gaze = truth["head_deg"][number], truth["gaze_deg"][number]
    camera = truth["camera"]
    _arrow(face, points[30], _seen(camera, head[0], head[1]), HEAD)
    for eye in (points[36:42], points[42:48]):
        turned = _seen(camera, head[0] + gaze[0], head[1] + gaze[1])
        _arrow(face, eye.mean(axis=0), turned, GAZE)


def _seen(camera: np.ndarray, yaw: float, pitch: float) -> np.ndarray:
    """(2,) right and down, as the camera sees it, of a unit vector that way out of the face.

    Head and gaze add as angles here: fit for an arrow, not for measurement.
    """
    y, p = np.radians([yaw, pitch])
    direction = np.array([np.sin(y) * np.cos(p), -np.cos(y) * np.cos(p), np.sin(p)])
    axes = camera[:2, :3] - np.outer(_centre(camera), camera[2, :3])
    return np.asarray(axes @ direction / np.linalg.norm(axes, axis=1))


def _centre(camera: np.ndarray) -> np.ndarray:
    """(2,) pixels where the optical axis meets the picture."""
    return np.asarray(camera[:2, :3] @ camera[2, :3] / (camera[2, :3] @ camera[2, :3]))


def _arrow(face: np.ndarray, start: np.ndarray, way: np.ndarray, colour: Sequence[int]) -> None:
    tail, tip = _fixed(np.stack([start, start + 90 * way])).tolist()
    cv2.arrowedLine(face, tail, tip, colour, 2, cv2.LINE_AA, shift=4, tipLength=0.2)


def _fixed(points: np.ndarray) -> np.ndarray:
    """Sixteenths of a pixel, as OpenCV draws between pixels."""
    return np.round(np.asarray(points) * 16).astype(np.int32)


def _panel(truth: Truth, number: int) -> np.ndarray:
    """(FACE, PANEL, 3) of the frame's bars and figures."""
    panel = np.full((FACE, PANEL, 3), PAPER, np.uint8)
    middle = PANEL // 2
    _write(panel, "own right", (middle - BAR - 20, 20), QUIET)
    _write(panel, "own left", (middle + 60, 20), QUIET)
    for row, name in enumerate(truth["units"]):
        y = TOP + ROW * row
        _write(panel, f"{name:>2}", (middle - 9, y + 11), INK)
        for column, way in ((0, 1), (1, -1)):  # the last axis of units is own left, own right
            start = middle + way * 20
            for kind, colour, thick in (("executed", DONE, -1), ("intended", INK, 1)):
                length = round(BAR * float(truth[kind][number, row, column]))
                if length:
                    corners = (start, y + 2), (start + way * length, y + ROW - 5)
                    cv2.rectangle(panel, *corners, colour, thick)
    _figures(panel, truth, number)
    return panel


def _figures(panel: np.ndarray, truth: Truth, number: int) -> None:
    yaw, pitch, roll = truth["head_deg"][number]
    across, up = truth["gaze_deg"][number]
    left, right = truth["aperture_mm"][number]
    y = TOP + ROW * len(truth["units"]) + 14
    _write(panel, f"head yaw {yaw:+.0f} pitch {pitch:+.0f} roll {roll:+.0f} deg", (16, y), HEAD)
    _write(panel, f"gaze yaw {across:+.0f} pitch {up:+.0f} deg", (16, y + ROW), GAZE)
    opened = f"lids {right:.1f} | {left:.1f} mm   lips {truth['mouth_mm'][number]:.1f} mm"
    _write(panel, opened, (16, y + 2 * ROW), INK)
    _write(panel, f"frame {number}   outline: intended", (16, y + 3 * ROW), QUIET)


def _write(panel: np.ndarray, text: str, at: tuple[int, int], colour: Sequence[int]) -> None:
    cv2.putText(panel, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.4, colour, 1, cv2.LINE_AA)
