import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from avatars import expression
from pipeline.corpus.plan import person_of, population
from pipeline.facenets import stills
from pipeline.params import Params
from pipeline.store.store import Store


def small(**changes):
    base = Params()
    return base.model_copy(update={"facenets": base.facenets.model_copy(update=changes)})


def test_nobody_of_the_other_populations_is_learned_from():
    trained = {job.item[1].identity_id for job in stills.jobs(small(identities=37))}
    for name in ("corpus", "portraits", "motion"):
        others = (population(Params(), name, number) for number in range(48))
        assert trained.isdisjoint(person_of(other).identity_id for other in others)


def test_one_more_person_leaves_the_others_as_they_were():
    fewer, more = (stills.jobs(small(identities=n)) for n in (37, 38))
    assert [job.key for job in fewer] == [job.key for job in more[:37]]


def test_a_persons_stills_differ_in_scene_and_pose():
    specs, _ = stills.jobs(small(identities=37))[0].item
    assert len({str(spec["scene"]) for spec in specs}) == 4
    assert len({str(spec["stills"]) for spec in specs}) == 4


@given(seed=st.integers(0, 2**32))
def test_every_pose_can_be_held(seed):
    performance = expression.hold([stills.pose(np.random.default_rng(seed))])
    assert np.abs(performance.head_deg).max() > 0
    assert np.abs(performance.head_deg).max() <= 38


def test_stills_are_rendered_and_read_back_with_their_truth(tmp_path, assets):
    params = small(identities=37, stills=2, samples=1)
    params = params.model_copy(update={"plan": params.plan.model_copy(update={"size": 48})})
    (tmp_path / "assets").symlink_to(assets.root)
    store, todo = Store(tmp_path, "facenets"), stills.jobs(params)[:1]
    stills.work(todo, store)
    made = stills.load(todo, store)
    assert made.frames.shape == (2, 48, 48, 3)
    assert len(made) == len(made.people) == 2
    for points, mask in zip(made.landmarks, made.masks, strict=True):
        x, y = points[30].astype(int)
        assert mask[y, x] == 255
        assert mask[0, 0] == 0
