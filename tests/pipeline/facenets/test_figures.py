import numpy as np
import pytest

from pipeline.facenets.figures import Seen, by_group, examine, groups_of, summary
from pipeline.faces.alignment import AlignmentDetector, landmark_box
from pipeline.records import Person


def someone(age=30.0, sex="female", ethnicity="african"):
    return Person(identity_id="identity-0", age=age, sex=sex, ethnicity=ethnicity)


class Finds:
    """A detector that finds the boxes it is given."""

    def __init__(self, *boxes):
        self.boxes = np.array(boxes).reshape(-1, 4)

    def find(self, frame):
        return self.boxes


class Reads(Finds, AlignmentDetector):
    """One that reads all points `off` px to the right of the truth."""

    def __init__(self, truth, off):
        Finds.__init__(self, landmark_box(truth))
        self.points = truth + np.array([off, 0])

    def landmarks(self, frame, box):
        return self.points, 1.0


def test_a_face_that_is_found_where_it_is(stills):
    truth = stills.landmarks[0].astype(float)
    seen = examine(Finds(landmark_box(truth)), stills.frames[0], truth)
    assert seen.overlap == pytest.approx(1)
    assert seen.error is None


def test_landmarks_are_measured_in_px_and_by_the_eyes(stills):
    truth = stills.landmarks[0].astype(float)
    seen = examine(Reads(truth, 2.0), stills.frames[0], truth)
    assert seen.error_px == pytest.approx(2)
    assert seen.error == pytest.approx(2 / np.linalg.norm(truth[36] - truth[45]))


@pytest.mark.parametrize("boxes", [(), ([0.0, 0.0, 20.0, 20.0],)])
def test_a_face_that_is_not_found_counts_as_missed(stills, boxes):
    truth = stills.landmarks[0].astype(float)
    seen = examine(Finds(*boxes), stills.frames[0], truth)
    assert summary([seen]) == {"frames": 1, "found": 0.0}


def test_every_group_has_its_own_figures():
    seen = [
        Seen(groups_of(someone()), 0.9, 0.02, 1.0),
        Seen(groups_of(someone(sex="male")), 0.7, 0.04, 2.0),
        Seen(groups_of(someone(age=70.0)), 0.0),
    ]  # fmt: skip
    groups = by_group(seen)
    assert list(groups) == ["all", "african", "age 60+", "age under 40", "female", "male"]
    assert groups["all"] == {
        "frames": 3, "found": 0.6667, "overlap": 0.8, "landmark_error": 0.03,
        "worst_tenth": 0.038, "landmark_error_px": 1.5,
    }  # fmt: skip
    assert groups["age 60+"] == {"frames": 1, "found": 0.0}
