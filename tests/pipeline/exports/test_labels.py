"""Labels after the fact: nothing is rendered, and they are those of a rendered truth."""

import numpy as np
import pytest

from pipeline.corpus.plan import plan_clip, population
from pipeline.errors import StageError
from pipeline.exports.labels import wanted, write_labels
from pipeline.params import parse_params
from pipeline.store.store import Store


def test_an_unknown_label_names_the_nearest():
    with pytest.raises(StageError, match="there is no label 'dpeth'; the nearest is 'depth'"):
        wanted(["dpeth"])
    assert wanted(["arkit", "depth"]) == ["depth", "arkit"]


def test_labels_of_a_clip_that_was_never_rendered(assets, tmp_path):
    params = parse_params({"seed": 3, "plan": {"frames": 2, "fps": 1, "size": 64}})
    person = population(params, "corpus", 0, 0)
    clip = plan_clip(params, person, "0/smiling", "smiling", 2)
    store = Store(tmp_path, "render")
    (tmp_path / "assets").symlink_to(assets.root)
    [path] = write_labels([clip], ["depth", "landmarks", "arkit"], store, tmp_path / "out")
    with np.load(path) as found:
        assert found["depth_m"].shape == (2, 64, 64)
        assert found["arkit"].shape == (2, 52)
        world = found["landmarks_m"]
        seen = np.concatenate([world, np.ones((2, 68, 1))], axis=-1) @ found["camera"].T
        pixels = seen[..., :2] / seen[..., 2:]
        assert np.abs(pixels - found["landmarks_px"]).max() < 0.05
    assert not [*tmp_path.rglob("*.mp4")]
    begun = path.stat().st_mtime_ns
    [again] = write_labels([clip], ["depth", "landmarks", "arkit"], store, tmp_path / "out")
    assert again.stat().st_mtime_ns > begun
