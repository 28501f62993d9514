"""The flow that training reads off surfaces, against the exact flow of the passes."""

import numpy as np
import pytest

from avatars import flow, lattice, optics, raster
from avatars.identity import sample_identity
from avatars.person import Person
from avatars.raster import View
from avatars.scene import sample_scene
from avatars.targets import Targets
from avatars.units import UNITS
from fomm.errors import MotionError
from fomm.exact import Surfaces, exact_flow
from fomm.geometry import grid

SIZE = 64
TURNED = np.array([18.0, 4.0, 2.0])


@pytest.fixture(scope="module")
def shots(assets):
    """Somebody at rest, and turned with shut eyes and an open mouth."""
    identity = sample_identity(2, np.random.default_rng(1), np.random.default_rng(3))
    person = Person(identity, assets, Targets(assets.targets()))
    scene = sample_scene(np.random.default_rng(4))
    camera = optics.projection(scene.camera, person.centre, SIZE)
    found = []
    for units, head in (((), np.zeros(3)), (("26", "43"), TURNED)):
        executed = np.zeros((len(UNITS), 2))
        for name in units:
            executed[list(UNITS).index(name)] = 1.0
        posed = person.posed(executed, head, np.zeros(2))
        view = View(person.parts, posed.parts, camera, SIZE, posed.strands)
        found.append(raster.shoot(view))
    return found


@pytest.fixture(scope="module")
def surfaces(shots):
    arrays = lattice.record(shots)
    return Surfaces(**{name.removeprefix("surface_"): array for name, array in arrays.items()})


def on_cells(shots, first, second):
    """Flow and visibility of the passes at the pixel nearest to each cell, as `exact_flow`'s."""
    found = flow.flow(shots[first], shots[second])
    side = SIZE // lattice.COARSE
    near = np.rint(np.arange(side) * (SIZE - 1) / (side - 1)).astype(int)
    at = np.ix_(near, near)
    return found.displacement[at], found.visible[at]


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 0)])
def test_it_is_the_flow_of_the_passes(shots, surfaces, first, second):
    found = exact_flow(surfaces, np.array([first]), np.array([second]))
    displacement, visible = on_cells(shots, first, second)
    side = visible.shape[0]
    moved = (found.where[0] - grid(side, side, found.where)).numpy() * (SIZE - 1) / 2
    seen = found.visible[0, 0].numpy() > 0
    skin = (surfaces.cells[first] >= 0) & seen & visible
    assert skin.sum() > 100
    # The cell lies up to half a pixel off the pixel that the passes ask.
    assert np.median(np.abs(moved - displacement)[skin]) < 0.1
    known = found.known[0, 0].numpy() > 0
    assert (seen == visible)[known].mean() > 0.9


def test_a_frame_is_where_it_is(surfaces):
    found = exact_flow(surfaces, np.array([1]), np.array([1]))
    side = surfaces.cells.shape[1]
    known = found.known[0, 0] > 0
    off = (found.where[0] - grid(side, side, found.where)).abs().amax(-1)
    assert off[known].max() < 2e-3
    assert found.visible[0, 0][known].mean() > 0.97
    assert 0.2 < found.person.mean() < 0.9


def test_surfaces_of_other_shapes_are_refused(surfaces):
    with pytest.raises(MotionError, match=r"depth must be \(2, 64, 64\), got \(1, 64, 64\)"):
        Surfaces(**{**vars(surfaces), "depth": surfaces.depth[:1]})
