"""Films that no portrait can follow: a cut, a face that leaves the view."""

import numpy as np
import pytest
import skimage.data

from pipeline.errors import ClipError
from pipeline.faces.framing import frame_face
from pipeline.motion.shots import Shots


@pytest.fixture(scope="module")
def still():
    return frame_face(skimage.data.astronaut(), 128)


def looked(frames, fps=8):
    shots = Shots("film.mp4", fps, 10)
    for start in range(0, len(frames), 3):
        shots.look(np.stack(frames[start : start + 3]))
    shots.end()


def test_a_film_of_one_face_passes(still):
    looked([np.roll(still, number, axis=1) for number in range(6)])


@pytest.mark.parametrize("at", [1, 4, 6])
def test_a_cut_is_told_with_its_frame(still, at):
    with pytest.raises(ClipError, match=rf"film\.mp4 has a cut at frame {10 + at} \("):
        looked([still] * at + [255 - still] * (7 - at), fps=1000)  # one look for a face


def test_a_face_that_leaves_the_view_is_told_with_its_frame(still):
    gone = [np.roll(still, -14 * number, axis=1) for number in range(9)]
    for number, frame in enumerate(gone):
        frame[:, 128 - 14 * number :] = still[:, :1]
    with pytest.raises(ClipError, match=r"the face leaves the view of film\.mp4 at frame 1\d \("):
        looked(gone)
