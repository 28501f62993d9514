import numpy as np
import pytest

from pipeline.corpus.plan import population
from pipeline.media.video import write_clip
from pipeline.motion.grid import load_grid, training_clips
from pipeline.params import Params
from pipeline.store.store import Job, Store


def small(**changes):
    base = Params()
    return base.model_copy(update={"motion": base.motion.model_copy(update=changes)})


@pytest.fixture(scope="module")
def clips():
    return training_clips(small(identities=6, performances=3))


def test_every_person_performs_every_motion_alike(clips):
    assert len(clips) == 18
    assert len({c.person.identity_id for c in clips}) == 6
    for motion in range(3):
        column = clips[motion::3]
        assert len({(c.expression, c.seed) for c in column}) == 1


def test_nobody_of_the_corpus_or_the_portraits_trains_the_model(clips):
    trained = {c.identity["age"] for c in clips}
    for name in ("corpus", "portraits"):
        others = {population(Params(), name, number).age for number in range(25)}
        assert trained.isdisjoint(others)


def test_grid_is_read_back_in_order(tmp_path):
    store, params = Store(tmp_path, "motion"), small(identities=6, performances=2, frames=2)
    jobs = [Job(f"{number:02d}key", str(number), None) for number in range(12)]
    for number, job in enumerate(jobs):
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", np.full((2, 32, 32, 3), number, np.uint8), 1)
            np.savez(folder / "clip.npz", landmarks_px=np.full((2, 68, 2), number, np.float32))
    frames, marks = load_grid(jobs, store, params)
    assert frames.shape == (6, 2, 2, 32, 32, 3)
    assert marks.shape == (6, 2, 2, 68, 2)
    assert frames[4, 1, 0, 0, 0, 0] == marks[4, 1, 0, 0, 0] == 9
