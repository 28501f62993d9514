import numpy as np
import pytest

from pipeline.records import Sample
from pipeline.splits.twins import face, nearest_pairs


def sample(clip, side, group, start=0):
    return Sample(sample_id=f"sample-{clip}-{start}", clip_id=clip, start=start, length=8,
                  label="FD1", group=group, side=side)  # fmt: skip


@pytest.fixture(scope="module")
def faces(astronaut):
    """Two clips of a real face, one of them cut in time, and a stranger's."""
    rng = np.random.default_rng(0)
    stranger = np.kron(rng.integers(0, 255, (16, 16, 3)), np.ones((8, 8, 1))).astype(np.uint8)
    return {
        "a": face(astronaut()),
        "cut": face(astronaut(frames=32)[8:24]),
        "b": face(np.stack([np.roll(stranger, t, axis=1) for t in range(16)])),
    }


def test_the_most_alike_of_another_group_comes_first(faces):
    table = [sample("b", "test", "three"), sample("a", "test", "one"), sample("b", "train", "x"),
             sample("cut", "train", "two"), sample("cut", "train", "two", 1)]  # fmt: skip
    first, second = nearest_pairs(table, faces)
    assert (first.test.clip_id, first.train.clip_id, first.likeness) == ("b", "b", 1.0)
    assert (second.test.clip_id, second.train.sample_id) == ("a", "sample-cut-0")
    assert second.twins


def test_a_stranger_is_no_twin(faces):
    [pair] = nearest_pairs([sample("a", "test", "one"), sample("b", "train", "two")], faces)
    assert not pair.twins
    assert pair.likeness < 0.6


def test_who_shares_a_group_is_no_pair(faces):
    table = [sample("a", "test", "one"), sample("cut", "train", "one")]
    assert nearest_pairs(table, faces) == []
