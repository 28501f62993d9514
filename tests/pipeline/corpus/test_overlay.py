import numpy as np
import pytest

from pipeline.corpus.overlay import DONE, FACE, GAZE, HEAD, INK, MARK, PANEL, draw_overlay
from pipeline.errors import ClipError

SIZE, FRAMES = 64, 2
UNITS = ["12", "43"]


@pytest.fixture
def truth():
    """A face that looks at the camera, its landmarks on a grid, no unit active."""
    grid = np.stack(np.meshgrid(np.linspace(8, 56, 12), np.linspace(8, 56, 6)), -1).reshape(-1, 2)
    return {
        "units": np.array(UNITS),
        "intended": np.zeros((FRAMES, 2, 2), np.float32),
        "executed": np.zeros((FRAMES, 2, 2), np.float32),
        "head_deg": np.zeros((FRAMES, 3), np.float32),
        "gaze_deg": np.zeros((FRAMES, 2), np.float32),
        "camera": np.array([[SIZE, SIZE / 2, 0, 0], [0, SIZE / 2, -SIZE, 0], [0, 1, 0, 1.0]]),
        "landmarks_px": np.repeat(grid[None, :68], FRAMES, axis=0).astype(np.float32),
        "landmarks_visible": np.ones((FRAMES, 68), bool),
        "aperture_mm": np.full((FRAMES, 2), 9, np.float32),
        "mouth_mm": np.zeros(FRAMES, np.float32),
    }  # fmt: skip


def drawn(truth):
    return draw_overlay(np.zeros((FRAMES, SIZE, SIZE, 3), np.uint8), truth)


def where(picture, colour):
    """(n, 2) columns and rows of exactly that colour."""
    rows, columns = np.nonzero((picture == colour).all(axis=-1))
    return np.stack([columns, rows], axis=1)


def test_frames_and_panel_stand_side_by_side(truth):
    film = drawn(truth)
    assert film.shape == (FRAMES, FACE, FACE + PANEL, 3)
    assert film.dtype == np.uint8


def test_a_visible_landmark_is_filled_and_a_hidden_one_hollow(truth):
    truth["landmarks_visible"][1, 20] = False
    column, row = np.round(truth["landmarks_px"][0, 20] * FACE / SIZE).astype(int)
    truth["landmarks_px"][1, 17:22, 1] = truth["landmarks_px"][0, 17:22, 1]
    seen, hidden = ((f[row - 2, column] == MARK).all() for f in drawn(truth))
    assert seen
    assert not hidden


def test_own_left_bar_stands_right_and_grows_with_intensity(truth):
    truth["executed"][0, 0] = 0.5, 0.0
    truth["executed"][1, 0] = 1.0, 0.0
    half, full = (where(frame, DONE) for frame in drawn(truth))
    assert half[:, 0].min() > FACE + PANEL / 2
    assert np.ptp(full[:, 0]) == pytest.approx(2 * np.ptp(half[:, 0]), abs=2)


def test_intended_is_an_outline_around_what_is_executed(truth):
    truth["intended"][0, 0] = 1.0, 1.0
    truth["executed"][0, 0] = 0.2, 1.0
    bars = drawn(truth)[0][30:50, FACE:]
    left, right = np.split(bars, 2, axis=1)[::-1]
    assert len(where(left, DONE)) < 0.3 * len(where(right, DONE))
    assert len(where(left, INK)) > 100


@pytest.mark.parametrize(("kind", "colour"), [("head_deg", HEAD), ("gaze_deg", GAZE)])
def test_turning_to_the_own_left_points_to_the_pictures_right(truth, kind, colour):
    truth[kind][0, 0], truth[kind][1, 0] = 30, -30
    to_left, to_right = (where(frame[:, :FACE], colour)[:, 0].mean() for frame in drawn(truth))
    assert to_left > to_right + 20


def test_looking_up_points_up(truth):
    truth["head_deg"][0, 1], truth["head_deg"][1, 1] = 20, -20
    up, down = (where(frame[:, :FACE], HEAD)[:, 1].mean() for frame in drawn(truth))
    assert up < down - 10


def test_missing_truth_is_named(truth):
    del truth["camera"], truth["mouth_mm"]
    with pytest.raises(ClipError, match="lacks camera, mouth_mm; render it again"):
        drawn(truth)


def test_truth_of_another_clip_is_refused(truth):
    with pytest.raises(ClipError, match="3 frames have truth of 2"):
        draw_overlay(np.zeros((3, SIZE, SIZE, 3), np.uint8), truth)
