import numpy as np

from avatars import landmarks, pose
from avatars.expression import Activation, Expression, perform
from avatars.units import UNITS

NOSE, CHIN = 30, 8
REST = np.zeros((len(UNITS), 2))


def test_yaw_turns_to_the_own_left(person):
    turned = person.posed(REST, np.array([30.0, 0, 0]), np.zeros(2)).landmarks
    assert turned[NOSE, 0] > person.neutral.landmarks[NOSE, 0] + 0.02  # m, +x is the own left


def test_pitch_looks_up_and_roll_tilts_left(person):
    up = person.posed(REST, np.array([0, 20.0, 0]), np.zeros(2)).landmarks
    assert up[NOSE, 2] > person.neutral.landmarks[NOSE, 2]
    tilted = person.posed(REST, np.array([0, 0, 20.0]), np.zeros(2)).landmarks
    assert tilted[27, 0] > person.neutral.landmarks[27, 0]


def test_head_goes_forward_and_back_without_turning(person):
    for amount in (35.0, -25.0):
        moved = person.posed(REST, np.zeros(3), np.zeros(2), amount)
        shift = moved.landmarks - person.neutral.landmarks
        assert np.allclose(shift[17:], [0, -amount / 1000, 0], atol=0.002)  # m, -y is forward
        trunk = person.base.weights[:, 0] > 0.999
        assert np.allclose(moved.parts["skin"][trunk], person.neutral.parts["skin"][trunk])


def test_units_57_and_58_are_performed_in_millimetres():
    for unit, far in (("57", 35.0), ("58", -25.0)):
        course = Activation(unit, "both", (1.0, 1.0), (0.3, 0.6, 1.2, 1.6))
        given = perform(Expression("", "", "CC0-1.0", (course,)), 20, 10, np.random.default_rng(3))
        assert given.shift_mm[0] == 0
        assert np.isclose(given.shift_mm[9], far)
        assert np.abs(given.head_deg).max() < 5  # sway only
        assert not given.intended.any()


def test_rotations_are_rigid():
    turn = pose.rotation(31, -12, 8)
    assert np.allclose(turn @ turn.T, np.eye(3))


def test_shoulders_stay(person):
    base = person.base
    still = base.weights[:, 0] > 0.999
    vertices = base.mesh.vertices
    maps = pose.chain_transforms(base, vertices, np.array([35.0, 10, 5]))
    assert np.allclose(pose.skin(vertices, base.weights, maps)[still], vertices[still])


def test_gaze_turns_the_eyes_only(person):
    aside = person.posed(REST, np.zeros(3), np.array([25.0, 0.0]))
    assert np.abs(aside.parts["eyes"] - person.neutral.parts["eyes"]).max() > 0.003
    assert np.allclose(aside.landmarks, person.neutral.landmarks)


def test_eyes_turn_about_their_own_middle(person):
    rest, aside = (
        person.posed(REST, np.zeros(3), np.array([yaw, 0.0])).parts["eyes"] for yaw in (0.0, 25.0)
    )
    moved = pose.eye_centres(aside * [1, 1, -1]) - pose.eye_centres(rest * [1, 1, -1])
    assert np.abs(moved).max() < 1e-6  # m
    points = np.random.default_rng(4).normal(size=(2, 50, 3))
    balls = 0.1 * points / np.linalg.norm(points, axis=-1, keepdims=True)
    middles = np.array([[0.3, 7.0, 1.2], [-0.3, 7.1, 1.1]])
    found = pose.eye_centres((balls + middles[:, None]).reshape(-1, 3))
    assert np.allclose(found, middles)


def test_apertures_are_millimetres(person):
    assert (person.neutral.apertures > 6).all()
    assert (person.neutral.apertures < 14).all()
    assert person.neutral.mouth < 4
    assert len(person.neutral.landmarks) == landmarks.COUNT


def test_both_eyes_look_at_one_point():
    centres = np.array([[0.31, 7.0, 1.2], [-0.31, 7.0, 1.2]])
    for gaze, distance in (((0.0, 0.0), 6.0), ((20.0, -10.0), 9.0)):
        angles = pose.converging(centres, np.array(gaze), distance)
        rays = np.stack([pose.rotation(*pair)[:, 2] for pair in angles])
        point = centres.mean(axis=0) + distance * pose.rotation(*gaze)[:, 2]
        away = point - centres
        assert np.allclose(np.cross(rays, away), 0, atol=1e-9)
    assert angles[0, 0] < 20 < angles[1, 0]  # the left eye turns inwards, to the own right
    far = pose.converging(centres, np.array([5.0, 3.0]), 1e6)
    assert np.allclose(far, [5.0, 3.0], atol=1e-3)


def test_a_breath_lifts_the_shoulders_and_the_head_by_less(person):
    lifted = person.posed(REST, np.zeros(3), np.zeros(2), breath_mm=1.0)
    rise = 1000 * (lifted.parts["skin"] - person.neutral.parts["skin"])[:, 2]
    trunk = person.base.weights[:, 0] > 0.999
    used = np.unique(person.quads)
    assert np.allclose(rise[used][trunk[used]], 1.0)
    nose = 1000 * (lifted.landmarks - person.neutral.landmarks)[NOSE, 2]
    assert 0.3 < nose < 0.5
