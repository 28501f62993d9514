import pytest

from pipeline.report.protocols import SHARED, drawn, overlap, proofs
from pipeline.study import Protocol

GROUP = {"unit": "clip", "together": "group", "leaky": False}


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({**GROUP, "test": 0.15}, "15 % of the corpus is tested, drawn in whole groups of people"),
        ({"unit": "window", "together": "nothing", "leaky": True, "test": 0.5},
         "50 % of the corpus is tested, drawn in single windows"),
        ({**GROUP, "folds": 5, "repeats": 3},
         "5 folds of whole groups of people, each tested once, 3 times"),
        ({**GROUP, "test_cohorts": ["away", "far"]},
         "tested on away and far, trained on everybody else"),
        ({**GROUP, "together": "person", "counts": {"train": 8, "validation": 2, "test": 1}},
         "8 clips to train, 2 clips to validation, 1 clip to test, drawn in whole people"),
    ],
)  # fmt: skip
def test_every_way_of_drawing_has_a_sentence(rules, sentence):
    assert drawn(Protocol.model_validate(rules)) == sentence


def proof(shared, nearest):
    side = {"train": 9, "test": 3, "shared": shared}
    return dict.fromkeys(SHARED, side) | {
        "shared_frames": 2 * shared, "nearest": {"median": nearest},
    }  # fmt: skip


def test_overlap_is_told_of_what_is_held_together():
    rules = Protocol.model_validate({**GROUP, "test": 0.5})
    assert overlap(rules, proof(0, 0.1)) == "0 of 3 tested groups of people on both sides"
    alone = rules.model_copy(update={"together": "person"})
    assert overlap(alone, proof(2, 0.1)) == "2 of 3 tested people on both sides"


def test_folds_are_added_up(ward):
    by_draw = {draw: proof(0, 0.3) for _, draw in ward.study.draws()}
    by_draw |= {"folds-1": proof(1, 0.2), "folds-2": proof(2, 0.1)}
    found = proofs(ward.study, by_draw)
    assert found["folds"]["person"] == {"test": 9, "shared": 3}
    assert (found["folds"]["shared_frames"], found["folds"]["nearest"]) == (6, 0.1)
    assert (found["folds"]["draws"], found["unseen"]["draws"]) == (3, 1)
