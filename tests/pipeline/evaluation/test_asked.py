"""What a study asks beyond figures, on puppets; and that the unseen cohort decides nothing."""

from dataclasses import replace

import numpy as np
import pytest

from models import load
from pipeline.evaluation.answers import Answers, Looks
from pipeline.evaluation.asked import called, known_doubt
from pipeline.evaluation.results import Results
from pipeline.evaluation.threshold import best_threshold
from pipeline.files import read_jsonl
from pipeline.records import Sample
from pipeline.splits.tables import read_samples, read_tracks

MODELS = ("framecnn", "alone")


def rows(made):
    return {
        (row["model"], row["protocol"]): row for row in Results.read(made.workspace.evaluation).rows
    }


def test_cohorts_say_who_takes_part(asking):
    cohort = {track.clip_id: track.cohort for track in read_tracks(asking.workspace.faces)}
    for draw in ("known-1", "known-2"):
        table = read_samples(asking.workspace.samples(draw))
        assert {cohort[sample.clip_id] for sample in table} == {"cast"}


def test_what_sees_no_reference_has_a_channel_set_less(asking):
    channels = {
        model: load(asking.workspace.model("diagnosis", model, "unseen")).network.sizes.channels
        for model in MODELS
    }
    assert channels == {"framecnn": 6, "alone": 3}
    assert {load(asking.workspace.model("diagnosis", m, "unseen")).name for m in MODELS} == {
        "framecnn"
    }


def test_a_threshold_is_chosen_on_the_protocol_it_is_from(asking):
    for model in MODELS:
        clips = {}
        for draw in ("known-1", "known-2"):
            for row in read_jsonl(asking.workspace.answers("diagnosis", model, draw)):
                key = (row["clip_id"], row["label"] == "positive")
                clips.setdefault(key, []).append(row["probabilities"]["positive"])
        truth = np.array([positive for _, positive in clips])
        score = np.array([sum(said) / len(said) for said in clips.values()])
        for protocol in ("known", "unseen"):
            limit = rows(asking)[model, protocol]["threshold"]["value"]
            assert limit == pytest.approx(best_threshold(truth, score), abs=1e-6)


def test_the_unseen_cohort_decides_no_weight_temperature_threshold_or_figure(asking, spoilt):
    for model in MODELS:
        for draw in ("known-1", "known-2", "unseen"):
            paths = [m.workspace.model("diagnosis", model, draw) for m in (asking, spoilt)]
            assert paths[0].read_bytes() == paths[1].read_bytes(), (model, draw)
        known = [rows(made)[model, "known"] for made in (asking, spoilt)]
        assert known[0] == known[1]
        unseen = [rows(made)[model, "unseen"] for made in (asking, spoilt)]
        assert unseen[0]["threshold"] == unseen[1]["threshold"]
        assert unseen[0]["calibration"]["temperature"] == unseen[1]["calibration"]["temperature"]
        assert unseen[0]["by_clip"] != unseen[1]["by_clip"]


def test_each_part_that_is_hidden_has_its_loss_with_an_interval(asking):
    for row in rows(asking).values():
        assert set(row["hidden"]) == {"mouth", "start"}
        for found in row["hidden"].values():
            for name in ("accuracy", "auc"):
                low, high = found[f"{name}_ci95"]
                assert 0 <= low <= found[name] <= high <= 1
                whole = row["by_clip"][name]
                assert found[name] + found[f"{name}_lost"] == pytest.approx(whole, abs=1e-5)


def test_errors_are_told_by_every_group_and_add_up(asking):
    for row in rows(asking).values():
        assert set(row["errors_by"]) == {"condition", "setting", "light", "sex"}
        assert set(row["errors_by"]["condition"]) == {"none", "palsy"}
        for values in row["errors_by"].values():
            assert sum(found["n"] for found in values.values()) == row["by_clip"]["n_test"]
            right = sum(found["n"] * found["accuracy"] for found in values.values())
            assert right / row["by_clip"]["n_test"] == pytest.approx(
                row["by_clip"]["accuracy"], abs=1e-5
            )
            for found in values.values():
                low, high = found["accuracy_ci95"]
                assert low <= found["accuracy"] <= high


def test_a_dose_is_the_severity_that_was_drawn(asking):
    for row in rows(asking).values():
        doses = row["dose"]
        assert doses["of"] == "severity"
        assert (
            sum(part["n"] for part in doses["bins"])
            == row["by_clip"]["per_class"]["positive"]["support"]
        )
        assert all(0.4 <= part["low"] <= part["high"] <= 1 for part in doses["bins"])


def test_what_is_called_has_an_interval_over_people(asking):
    asked = rows(asking)["framecnn", "unseen"]["asked_only"]
    assert set(asked) == {"odd"}
    for name, share in asked["odd"]["called"].items():
        low, high = asked["odd"]["called_ci95"][name]
        assert low <= share <= high


def test_a_study_that_asks_nothing_has_nothing_of_it(toy, line):
    for made in (toy, line):
        found = Results.read(made.workspace.evaluation)
        assert found.strength == {}
        for row in found.rows:
            assert not {"threshold", "dose", "hidden", "errors_by"} & row.keys()


def test_how_many_strangers_are_answered_unknown_needs_enough_groups(asking):
    answers = Answers(
        [Sample(sample_id=f"s{n}", clip_id=f"c{n}", start=0, length=4, label="ab"[n % 2],
                group="", side="test") for n in range(40)],
        np.tile([[0.8, 0.2], [0.3, 0.7]], (20, 1)), ("a", "b"), 1.0,
    )  # fmt: skip
    first = read_tracks(asking.workspace.faces)[0]

    def looks(people, trained):
        tracks = {}
        for n in range(40):
            who = f"p{n % people}"
            tracks[f"c{n}"] = first.model_copy(update={
                "clip_id": f"c{n}", "identity_id": who, "driving_clip_id": f"c{n}",
                "portrait_id": None, "label": "odd", "trained": trained,
                "person": first.person.model_copy(update={"identity_id": who}),
            })  # fmt: skip
        return Looks(tracks, {}, {})

    doubt = known_doubt(answers, looks(20, True))
    assert doubt.groups == 20
    assert doubt.unsure == pytest.approx(0.3)
    odd = replace(answers, probabilities=np.tile([[0.6, 0.4], [0.9, 0.1]], (20, 1)))
    found = called(odd, looks(20, False), 0.5, (100, 0), doubt)["odd"]
    assert found["unknown"] == 0.5  # 0.4 is less sure than any known face, 0.1 is not
    assert found["unknown_ci95"][0] <= 0.5 <= found["unknown_ci95"][1]
    few = known_doubt(answers, looks(4, True))
    assert "unknown" not in called(odd, looks(4, False), 0.5, (100, 0), few)["odd"]
