"""A head of hair: where it grows, where it never goes, and what is refused."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from avatars import basemesh, hair, hairroots, hairstyles, landmarks
from avatars.errors import AvatarError
from avatars.face import Face
from avatars.hairfield import Field
from avatars.hairstyles import STYLES
from avatars.identity import sample_identity
from avatars.pose import chain_transforms
from avatars.targets import Targets


def people(count, seed=7):
    for number in range(count):
        order = np.random.default_rng(seed)
        yield sample_identity(number, order, np.random.default_rng([seed, number]))


@pytest.fixture(scope="module")
def targets(assets):
    return Targets(assets.targets())


@pytest.fixture(scope="module")
def wearers(assets, targets):
    base = basemesh.load(assets)
    made = []
    for identity, style in zip(people(len(STYLES)), STYLES, strict=True):
        identity = replace(identity, hair=style)
        made.append(hair.Wearer(identity, base, Face(identity, base, targets).neutral, assets))
    return made


@pytest.fixture(scope="module")
def worn(wearers):
    return [hair.wear(wearer) for wearer in wearers]


def placed(strands, wearer):
    """(n, k, 3) dm of strands on the neutral face."""
    return strands.points + strands.roots.on(wearer.neutral)[:, None]


def test_every_style_grows_and_is_finite(worn, wearers):
    assert {wearer.identity.hair for wearer in wearers} == set(STYLES)
    for grown in worn:
        for strands in grown:
            assert len(strands.points) > 100
            assert np.isfinite(strands.points).all()


def test_no_hair_before_an_open_eye(worn, wearers):
    """Seen from the front: nothing of scalp, brows or beard within the ellipse of the lids.

    `tests/pipeline/corpus/test_soundness.py` asks for drawn people, pixel by pixel.
    """
    for grown, wearer in zip(worn, wearers, strict=True):
        marks = landmarks.locate(wearer.neutral)
        for strands in grown:
            points = placed(strands, wearer).reshape(-1, 3)
            for eye in (marks[36:42], marks[42:48]):
                low, high = eye.min(axis=0), eye.max(axis=0)
                away = (2 * points - low - high)[:, :2] / (high - low)[:2]
                within = (np.linalg.norm(away, axis=1) < 1) & (points[:, 2] > low[2] - 0.1)
                assert not within.any(), (strands.name, wearer.identity.hair)


def test_no_root_under_an_ear(worn, wearers, assets):
    for grown, wearer in zip(worn, wearers, strict=True):
        ears = [wearer.neutral[ids] for ids in hairroots.ears(assets)]
        assert not hairroots.under(grown[0].roots.on(wearer.neutral), ears).any()


def test_hair_lies_outside_the_skin(worn, wearers, assets):
    for grown, wearer in list(zip(worn, wearers, strict=True))[:6]:
        quads = wearer.base.mesh.quads[wearer.base.skin]
        field = Field(wearer.neutral, quads, hairroots.ears(assets))
        points = placed(grown[0], wearer)[:, 1:].reshape(-1, 3)
        assert np.quantile(field.read(points)[0], 0.01) > -0.02  # dm


def test_hair_turns_with_the_head_and_hanging_ends_stay(worn, wearers):
    number = [wearer.identity.hair for wearer in wearers].index("long")
    wearer, strands = wearers[number], worn[number][0]
    maps = chain_transforms(wearer.base, wearer.neutral, np.array([30.0, 0, 0]))
    rest, turned = placed(strands, wearer), strands.posed(wearer.neutral, maps)
    top = rest[..., 1] > 8
    rigid = rest @ maps[-1, :, :3].T + maps[-1, :, 3]
    assert np.allclose(turned[top], rigid[top])
    low = rest[..., 1] < landmarks.locate(wearer.neutral)[8, 1] - 0.75
    assert low.any()
    assert np.allclose(turned[low], rest[low])


def test_a_beard_follows_the_skin(wearers, assets, targets):
    wearer = wearers[0]
    wearer = wearer._replace(identity=replace(wearer.identity, beard="full"))
    beard = hair.wear(wearer)[-1]
    still = chain_transforms(wearer.base, wearer.neutral, np.zeros(3))
    moved = wearer.neutral + np.array([0.0, -0.1, 0.0])
    apart = beard.posed(moved, still) - beard.posed(wearer.neutral, still)
    assert np.allclose(apart, [0.0, -0.1, 0.0])


def test_grey_and_density_are_the_persons(wearers):
    wearer = wearers[1]
    dark = replace(wearer.identity, hair_grey=0.0, hair_colour=[0.01, 0.01, 0.01], hair_density=1.0)
    grown = hair.wear(wearer._replace(identity=dark))[0]
    assert grown.colours.max() < 0.05
    white = replace(dark, hair_grey=1.0, hair_density=0.5)
    thin = hair.wear(wearer._replace(identity=white))[0]
    assert thin.colours.min() > 0.2
    assert len(thin.points) < 0.6 * len(grown.points)


def test_unknown_style_names_the_nearest():
    with pytest.raises(AvatarError, match="no hair style 'curley'; the nearest is 'curly'"):
        hairstyles.require("curley")


def test_unknown_beard_names_the_nearest(wearers):
    identity = replace(wearers[0].identity, beard="mustache")
    with pytest.raises(AvatarError, match="no beard 'mustache'; the nearest is 'moustache'"):
        hair.wear(wearers[0]._replace(identity=identity))


def test_hair_over_the_memory_limit_is_one_sentence(wearers):
    identity = replace(wearers[0].identity, hair="long", hair_density=9.0)
    with pytest.raises(AvatarError, match=r"'long' at density 9.0 needs .* lower hair_density"):
        hair.wear(wearers[0]._replace(identity=identity))


@pytest.mark.parametrize("style", STYLES)
def test_styles_fit_into_memory_at_twice_their_density(style):
    assert 2 * STYLES[style].strands * STYLES[style].joints < hair.MOST_POINTS


DIGEST = """
import hashlib, sys
from pathlib import Path
import numpy as np
from avatars import basemesh, hair
from avatars.assets import Assets
from avatars.face import Face
from avatars.hairfield import Field
from avatars.identity import sample_identity
from avatars.targets import Targets
assets = Assets(Path(sys.argv[1]))
base = basemesh.load(assets)
identity = sample_identity(3, np.random.default_rng(7), np.random.default_rng([7, 3]))
neutral = Face(identity, base, Targets(assets.targets())).neutral
worn = hair.wear(hair.Wearer(identity, base, neutral, assets))
print(hashlib.sha256(b"".join(s.points.tobytes() + s.colours.tobytes() for s in worn)).hexdigest())
"""


def test_same_bytes_in_processes_of_one_and_two_threads(assets):
    found = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
        run = subprocess.run(
            [sys.executable, "-c", DIGEST, str(assets.root)],
            env=environment, cwd=Path(hair.__file__).parents[1], check=True, capture_output=True,
        )  # fmt: skip
        found.add(run.stdout)
    assert len(found) == 1
