"""Clips to blind raters and back, with two raters who disagree."""

import json

import pytest

from pipeline.errors import StageError
from pipeline.exports.rating import blind, read_ratings, summary, write_tasks

CLIPS = ["clip-a0", "clip-a1", "clip-b0", "clip-b1"]
TRUTH = {"clip-a0": "FD1", "clip-a1": "FD2-L", "clip-b0": "FD1", "clip-b1": "FD2-L"}
SEED = 5


@pytest.fixture
def tasks(study, tmp_path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    write_tasks(dict.fromkeys(CLIPS, film), study, SEED, tmp_path / "out", "ward/1")
    return json.loads((tmp_path / "out" / "tasks.json").read_text())


def rated(tasks, **answers):
    """What Label Studio exports: the tasks with an annotation of each rater who answered."""
    found = []
    for number, task in enumerate(tasks):
        clip = next(c for c in CLIPS if blind(c, SEED) == task["data"]["item"])
        annotations = [
            {"id": number, "completed_by": by, "was_cancelled": False, "result": [
                {"from_name": "label", "to_name": "video", "type": "choices",
                 "value": {"choices": [said[clip]]}}]}
            for by, said in answers.items() if clip in said
        ]  # fmt: skip
        found.append({"id": number, "annotations": annotations, **task})
    return found


def read(rows, tmp_path, study):
    path = tmp_path / "rated.json"
    path.write_text(json.dumps(rows))
    return read_ratings(path, CLIPS, study, SEED)


def test_a_task_tells_nothing_but_where_its_film_is(tasks, tmp_path):
    assert len(tasks) == 4
    for task in tasks:
        name = task["data"]["item"]
        video = f"/data/local-files/?d=ward/1/clips/{name}.mp4"
        assert task == {"data": {"item": name, "video": video}}
        assert (tmp_path / "out" / "clips" / f"{name}.mp4").read_bytes() == b"film"
    written = (tmp_path / "out" / "tasks.json").read_text()
    assert not any(word in written for word in (*CLIPS, "FD1", "FD2", "identity"))
    config = (tmp_path / "out" / "config.xml").read_text()
    assert '<Choice value="FD2-L"/>' in config
    assert '<Choice value="cannot tell"/>' in config


def test_two_raters_who_disagree_give_no_label(tasks, tmp_path, study):
    rows = rated(tasks, ada=TRUTH, ben={**TRUTH, "clip-b1": "FD1"})
    found = read(rows, tmp_path, study)
    assert found.agreed == {clip: TRUTH[clip] for clip in CLIPS[:3]}
    assert found.disputed == {"clip-b1": {"ada": "FD2-L", "ben": "FD1"}}
    said = summary(found, TRUTH)
    assert "rater ada: 4 of 4 clips as the plan labels them" in said
    assert "rater ben: 3 of 4 clips as the plan labels them" in said
    assert "raters ada and ben agree on 3 of 4 clips, Cohen's kappa 0.50" in said
    assert "clip-b1: rater ada says FD2-L, rater ben says FD1; no label is taken from them" in said


def test_a_rater_may_be_unsure_skip_or_come_with_an_address(tasks, tmp_path, study):
    rows = rated(tasks, ada={"clip-a0": "cannot tell"})
    rows[0]["annotations"].append({"completed_by": {"email": "c@example.org"}, "result": [],
                                   "was_cancelled": True})  # fmt: skip
    found = read(rows, tmp_path, study)
    assert found.agreed == {"clip-a0": "cannot tell"}
    assert len(found.rows) == 1


def test_what_does_not_fit_is_one_sentence(tasks, tmp_path, study):
    good = rated(tasks, ada=TRUTH)
    unknown = [{**good[0], "data": {"item": "nobody"}}]
    with pytest.raises(StageError, match="rates 'nobody', which is no clip of this corpus"):
        read(unknown, tmp_path, study)
    with pytest.raises(StageError, match="'FD2' of clip-a0 is no label; the nearest is 'FD2-L'"):
        read(rated(tasks, ada={"clip-a0": "FD2"}), tmp_path, study)
    twice = rated(tasks, ada={"clip-a0": "FD1"})
    for row in twice:
        row["annotations"] *= 2
    with pytest.raises(StageError, match="rater ada rated clip-a0 twice"):
        read(twice, tmp_path, study)
    with pytest.raises(StageError, match="no export of Label Studio"):
        read({"rows": []}, tmp_path, study)
