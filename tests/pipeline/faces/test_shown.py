from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.faces.detect import HaarDetector
from pipeline.faces.shown import lit_part, shown_part
from pipeline.media.video import read_clip

TURN = read_clip(Path(__file__).parents[2] / "data" / "faces" / "turn.mp4")  # 16 frames
FADE = np.linspace(0, 0.7, 4)[:, None, None, None]


def faded(ground):
    """Four frames that come up from a plain ground."""
    return (FADE * TURN[:4] + (1 - FADE) * ground).astype(np.uint8)


@pytest.mark.parametrize("ground", [0, 255])
def test_blank_and_faded_ends_are_left_out(ground):
    plain = np.full_like(TURN[:3], ground)
    film = np.concatenate([plain, faded(ground), TURN, faded(ground)[::-1], plain])
    assert lit_part(film) == (7, 23)
    part = shown_part(film, HaarDetector(), "film.mp4")
    assert np.array_equal(part.frames, TURN)
    assert part.notes == (
        "film.mp4: frames 7 to 22 of 30 are used; the others are black, faded or without a face",
    )


def test_an_ordinary_film_is_used_whole():
    part = shown_part(TURN, HaarDetector(), "film.mp4")
    assert (part.first, part.end, part.notes) == (0, 16, ())


def test_a_film_on_its_side_is_turned():
    part = shown_part(np.rot90(TURN, 1, axes=(1, 2)), HaarDetector(), "film.mp4")
    assert np.array_equal(part.frames, TURN)
    assert "lies on its side" in part.notes[0]


def test_a_film_of_nothing_says_so():
    with pytest.raises(ClipError, match=r"no face was found in film\.mp4"):
        shown_part(np.zeros_like(TURN), HaarDetector(), "film.mp4")
