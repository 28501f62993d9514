"""Labels after the fact: nothing is rendered, and they are those of a rendered truth."""

import numpy as np
import pytest

from pipeline.corpus.plan import plan_clip, population
from pipeline.errors import StageError
from pipeline.exports import mediapipe
from pipeline.exports.labels import wanted, write_labels
from pipeline.params import parse_params
from pipeline.store.store import Store

# Points of MediaPipe's that are landmarks of iBUG's too: corners of eyes and mouth, the upper inner
# lip at the midline, tip and base of the nose.
SAME = {33: 36, 133: 39, 362: 42, 263: 45, 61: 48, 291: 54, 13: 62, 1: 30, 2: 33}


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
    asked = ["depth", "landmarks", "mediapipe", "arkit"]
    [path] = write_labels([clip], asked, store, tmp_path / "out")
    with np.load(path) as found:
        assert found["depth_m"].shape == (2, 64, 64)
        assert found["arkit"].shape == (2, 52)
        world = found["landmarks_m"]
        seen = np.concatenate([world, np.ones((2, 68, 1))], axis=-1) @ found["camera"].T
        pixels = seen[..., :2] / seen[..., 2:]
        assert np.abs(pixels - found["landmarks_px"]).max() < 0.05
        named = np.flatnonzero(~np.isnan(found["mediapipe_residual_px"]))
        assert np.array_equal(named, mediapipe.table()["point"])
        assert np.isnan(np.delete(found["mediapipe_m"], named, axis=1)).all()
        seen = np.concatenate([found["mediapipe_m"], np.ones((2, 478, 1))], axis=-1)
        pixels = seen[:, named] @ found["camera"].T
        pixels = pixels[..., :2] / pixels[..., 2:]
        assert np.abs(pixels - found["mediapipe_px"][:, named]).max() < 0.01
        apart = found["mediapipe_px"][:, [*SAME]] - found["landmarks_px"][:, [*SAME.values()]]
        assert np.nanmax(np.linalg.norm(apart, axis=-1)) < 1.5  # of 64 px
    assert not [*tmp_path.rglob("*.mp4")]
    begun = path.stat().st_mtime_ns
    [again] = write_labels([clip], asked, store, tmp_path / "out")
    assert again.stat().st_mtime_ns > begun
