import numpy as np
import pytest

from pipeline.faces.duplicates import find_duplicates, look


def looks(**clips):
    return {name: look(frames) for name, frames in clips.items()}


def test_other_clips_of_one_face_are_no_duplicates(astronaut):
    made = looks(a=astronaut(), b=astronaut(right=-8), c=astronaut(zoom=0.2), d=astronaut(down=8))
    assert find_duplicates(made) == {}


@pytest.mark.parametrize("change", ["none", "darker", "noise"])
def test_the_later_copy_is_found_and_names_the_first(astronaut, change):
    frames = astronaut()
    copy = {
        "none": frames,
        "darker": (frames * 0.6).astype(np.uint8),
        "noise": (frames + np.random.default_rng(0).normal(0, 6, frames.shape)).clip(0, 255),
    }[change]
    found = find_duplicates(looks(b=copy.astype(np.uint8), a=frames, c=astronaut(down=8)))
    assert list(found) == ["b"]
    assert found["b"].reason == ("duplicate" if change == "none" else "near_duplicate")
    assert " a" in found["b"].detail


def test_three_copies_leave_one(astronaut):
    frames = astronaut()
    assert sorted(find_duplicates(looks(c=frames, a=frames, b=frames))) == ["b", "c"]


def test_clips_of_other_lengths_are_not_compared(astronaut):
    assert find_duplicates(looks(a=astronaut(), b=astronaut()[:8])) == {}
