import numpy as np
import pytest

from pipeline.corpus.plan import population
from pipeline.corpus.render import clip_jobs, pass_jobs
from pipeline.media.video import write_clip
from pipeline.motion.grid import load_grid, training_clips
from pipeline.params import Params
from pipeline.store.store import Store


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


def test_another_population_performs_motions_of_its_own_and_trains_nothing(clips):
    judged = training_clips(small(identities=6, performances=3), "judged")
    faces = [[str(clip.identity) for clip in each] for each in (judged, clips)]
    assert set(faces[0]).isdisjoint(faces[1])
    assert {clip.seed for clip in judged}.isdisjoint(clip.seed for clip in clips)
    assert [clip.expression for clip in judged] == [clip.expression for clip in clips]


def test_grid_is_read_back_in_order(tmp_path, passes):
    store, params = Store(tmp_path, "motion"), small(identities=6, performances=2, frames=2)
    clips = training_clips(params)
    jobs = [*clip_jobs(clips), *pass_jobs(clips)]
    for place, job in enumerate(jobs):
        number = place % 12
        with store.making(job.key) as folder:
            write_clip(folder / "clip.mp4", np.full((2, 32, 32, 3), number, np.uint8), 1)
            np.savez(folder / "passes.npz", **passes(number))
    data = load_grid(jobs, store, params)
    assert data.frames.shape == (6, 2, 2, 32, 32, 3)
    assert data.landmarks.shape == (6, 2, 2, 68, 2)
    assert data.frames[4, 1, 0, 0, 0, 0] == data.landmarks[4, 1, 0, 0, 0] == 9
    assert data.surfaces.cells.shape == (24, 16, 16)
    assert data.surfaces.tracks.shape == (24, 2, 3)
