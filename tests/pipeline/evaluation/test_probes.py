import numpy as np
import pytest

from pipeline.evaluation.probes import background, identity_features, probe_all, shrunk
from pipeline.records import FaceTrack, Person, Sample
from pipeline.study import Protocol

GROUPED = Protocol(unit="clip", together="group", test=0.15, leaky=False)
SHUFFLED = Protocol(unit="window", together="nothing", test=0.15, leaky=True)
LABELS = ("FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R")


def track(person, label, portrait=None):
    seen = Person(identity_id=portrait or person, age=40.0, sex="male", ethnicity="asian")
    clip = f"{person}-{label}-{portrait}"
    return FaceTrack(
        clip_id=clip, kind="avatar", label=label, identity_id=person, portrait_id=portrait,
        driving_clip_id=clip, person=seen, detector="haar", boxes=[], cohort="cast", trained=True,
    )  # fmt: skip


def corpus(told=None, people=12):
    """Tracks, windows and crops of people who perform all five; `told` marks a crop by label."""
    rng = np.random.default_rng(0)
    tracks = {t.clip_id: t for n in range(people) for t in [track(f"p{n}", x) for x in LABELS]}
    crops, samples = {}, []
    for clip, row in tracks.items():
        crops[clip] = rng.integers(0, 255, (6, 32, 32), dtype=np.uint8)
        if told:
            told(crops[clip][0], LABELS.index(row.label))
        samples += [
            Sample(sample_id=f"{clip}-{start}", clip_id=clip, start=start, length=4,
                   label=row.label, group=row.identity_id, side="train")
            for start in range(3)
        ]  # fmt: skip
    return samples, tracks, crops


def test_nothing_to_tell_is_chance_in_whole_groups_and_memory_in_windows():
    made = corpus()
    clean, leaky = (probe_all(rules, *made, (200, 1)) for rules in (GROUPED, SHUFFLED))
    for name, row in clean.items():
        assert row["accuracy_ci95"][0] <= 0.35, name
        assert row["accuracy"] == pytest.approx(0.2, abs=0.15), name
        assert (row["chance"], row["n_test"]) == (0.2, 60)
    assert leaky["first_frame"]["accuracy"] > 0.9
    assert leaky["first_frame"]["n_test"] == 180


def test_a_display_that_shows_in_the_corners_is_found():
    def stain(frame, label):
        frame[:4, :4] = 50 * label

    row = probe_all(GROUPED, *corpus(stain), (200, 1))
    assert row["background"]["accuracy"] > 0.5
    assert row["identity"]["accuracy"] < 0.35


def test_a_display_that_shows_in_the_face_is_not_background():
    def stain(frame, label):
        frame[14:18, 4 + 5 * label : 9 + 5 * label] = 255 if label % 2 else 0

    row = probe_all(GROUPED, *corpus(stain), (200, 1))
    assert row["first_frame"]["accuracy"] > 0.5
    assert row["background"]["accuracy"] < 0.4


def test_a_portrait_seen_once_names_its_clip():
    rows = identity_features([track("a", "FD1", "x"), track("a", "FD2-L", "y"), track("a", "FD1")])
    assert len(np.unique(rows, axis=0)) == 3


def test_readings_do_not_change_with_light():
    frame = np.random.default_rng(1).integers(0, 200, (64, 64), dtype=np.uint8)
    np.testing.assert_allclose(shrunk(frame + 55), shrunk(frame), atol=1e-6)
    assert len(background(frame)) == pytest.approx(256 * (1 - np.pi / 4), abs=8)
