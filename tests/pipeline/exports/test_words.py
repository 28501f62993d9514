from pathlib import Path

from pipeline.exports.words import BIAS, Words
from pipeline.study import read_study

MAIN = read_study(Path(__file__).parents[3] / "studies" / "deterioration" / "study.yaml")


def test_the_main_study_says_that_it_has_no_negative(study):
    said = [limit for limit in Words(MAIN).limits if "no negative class" in limit]
    assert said == ["The task display has no negative class: finding or none is another task."]
    assert not any("task turn" in limit for limit in Words(study).limits)


def test_a_study_with_negatives_does_not():
    task = MAIN.tasks["display"].model_copy(update={"detect": ["FD1"]})
    plain = MAIN.model_copy(update={"tasks": {"display": task}})
    assert not any("no negative class" in limit for limit in Words(plain).limits)
    unasked = task.model_copy(update={"detect": []})
    silent = MAIN.model_copy(update={"tasks": {"display": unasked}})
    assert not any("no negative class" in limit for limit in Words(silent).limits)


def test_leaky_protocols_are_named():
    assert "published" in Words(MAIN).limits[-1]
    sound = MAIN.model_copy(update={"protocols": {"clean": MAIN.protocols["clean"]}})
    assert Words(sound).limits[-1] == BIAS


def test_what_is_re_created_and_defined_elsewhere_is_cited():
    words = Words(MAIN)
    assert "re-creates Al-Tekreeti et al., Informatics 2024, 11(3):59" in words.citation
    assert "Madrigal-Garcia et al., Crit Care Med 2018;46:1057-1062" in words.citation
    assert "re-creates" not in Words(MAIN.model_copy(update={"published": None})).citation
    assert MAIN.question in words.description


def test_conditions_are_keywords(study):
    assert "myasthenia" in Words(study).keywords
