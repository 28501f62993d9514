import numpy as np
import pytest

from avatars import covering, occluders, optics, passes
from avatars.errors import AvatarError
from avatars.person import Person
from avatars.raster import View
from avatars.surface import Surface
from avatars.targets import Targets
from avatars.units import UNITS

SIZE = 96
REST = np.zeros((len(UNITS), 2))
EYES, MOUTH, BROWS = range(36, 48), range(60, 68), range(17, 27)


@pytest.fixture(scope="module")
def dressed(identity, assets):
    targets = Targets(assets.targets())
    return {name: Person(identity, assets, targets, [name]) for name in occluders.OCCLUDERS}


def worn(person):
    return [part.name for part in person.parts if part.texture is None]


def test_everything_is_sound_and_close_to_the_head(dressed, person):
    face = person.neutral.parts["skin"][np.unique(person.quads)]
    for name, who in dressed.items():
        assert worn(who)
        for part in worn(who):
            vertices = who.neutral.parts[part]
            assert np.isfinite(vertices).all()
            assert part in passes.LABELS
            far = np.linalg.norm(vertices[:, None] - face[None, ::7], axis=-1).min(axis=1)
            assert far.max() < (0.25 if name == "pillow" else 0.12)  # m: hoses hang free


def test_head_and_jaw_carry_what_is_worn(dressed):
    for name, who in dressed.items():
        turned = who.posed(REST, np.array([30.0, 0, 0]), np.zeros(2)).parts
        moved = [np.abs(turned[p] - who.neutral.parts[p]).max() for p in worn(who)]
        assert (max(moved) == 0) if name == "pillow" else (max(moved) > 0.02)
    opened = REST.copy()
    opened[list(UNITS).index("27")] = 1.0
    mask = dressed["oxygen_mask"]
    dropped = mask.posed(opened, np.zeros(3), np.zeros(2)).parts["oxygen_mask"]
    assert (mask.neutral.parts["oxygen_mask"] - dropped)[:, 2].max() > 0.004
    frame = dressed["glasses"].posed(opened, np.zeros(3), np.zeros(2)).parts["glasses"]
    assert np.allclose(frame, dressed["glasses"].neutral.parts["glasses"])


def hidden(who, scene):
    camera = optics.projection(scene.camera, who.centre, SIZE)
    view = View(who.parts, who.neutral.parts, camera, SIZE)
    return covering.hidden(view, who.neutral)


def test_what_is_hidden_is_what_the_table_says(dressed, person, scene):
    behind = {name: hidden(who, scene) for name, who in dressed.items()}
    assert not hidden(person, scene).any()
    assert behind["eye_pads"][EYES].all()
    assert behind["endotracheal_tube"][MOUTH].any()
    assert not behind["glasses"][EYES].any()
    assert not behind["nasal_cannula"][EYES].any()
    assert not behind["pillow"].any()
    # A clear mask shows the mouth; its rim and valve hide little of it.
    assert behind["oxygen_mask"][MOUTH].sum() < 4
    for name, marks in behind.items():
        if name != "eye_pads":
            assert not marks[EYES].any()


def test_segmentation_sees_it_and_looks_through_lenses(dressed, scene):
    for name, who in dressed.items():
        camera = optics.projection(scene.camera, who.centre, SIZE)
        labels = passes.rasterise(who.parts, who.neutral.parts, camera, SIZE).labels
        seen = {passes.LABELS[index] for index in np.unique(labels)}
        assert name in seen
        assert "lenses" not in seen
        assert "eyes" in seen or name == "eye_pads"


def test_the_order_of_names_does_not_matter(identity, assets):
    targets = Targets(assets.targets())
    one, other = (
        Person(identity, assets, targets, names)
        for names in (("glasses", "pillow"), ("pillow", "glasses"))
    )
    assert worn(one) == worn(other)


def test_unknown_occluder_names_the_nearest():
    with pytest.raises(
        AvatarError, match="no occluder 'oxigen_mask'; the nearest is 'oxygen_mask'"
    ):
        occluders.check(["oxigen_mask"])


def test_rays_leave_a_cube_where_it_ends():
    corners = np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)], float)
    quads = np.array([[0, 1, 3, 2], [4, 5, 7, 6], [0, 1, 5, 4], [2, 3, 7, 6], [0, 2, 6, 4],
                      [1, 3, 7, 5]])  # fmt: skip
    cube = Surface(corners, quads)
    aside = cube.outermost(np.zeros((2, 3)), np.array([[1.0, 0, 0], [0.0, 0.6, 0.8]]))
    assert np.allclose(aside, [[1, 0, 0], [0, 0.75, 1]])
    front = cube.front(np.array([0.5, 4.0]), np.array([-0.5, 0.0]))
    assert np.allclose(front[0], [0.5, -0.5, 1])
    assert np.isnan(front[1]).all()
