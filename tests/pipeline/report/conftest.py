"""A study unlike the main one, with hand-made figures: two tasks, two models, folds, a cohort."""

import shutil
from dataclasses import replace

import numpy as np
import pytest

from pipeline.evaluation.metrics import scores
from pipeline.evaluation.plots import write_plots
from pipeline.files import write_json
from pipeline.study import parse_study

WARD = {
    "name": "ward",
    "title": "Weak or well",
    "question": "Does a smile show weakness?",
    "cohorts": {"home": 9, "away": 4},
    "arms": [
        {"label": "well", "cohorts": ["home", "away"], "expressions": ["happiness", "fear"]},
        {"label": "weak", "cohorts": ["home", "away"], "expressions": ["happiness", "fear"],
         "conditions": [{"kind": "myasthenia", "severity": [0.1, 0.9]}]},
        {"label": "asleep", "cohorts": ["home"], "expressions": ["asleep"], "trained": False},
    ],
    "input": {"frames": 4, "size": 48},
    "tasks": {
        "diagnosis": {"among": ["well", "weak"], "positive": ["weak"], "detect": ["positive"]},
        "kind": {"among": ["well", "weak"], "detect": ["well", "weak"]},
    },
    "protocols": {
        "shuffled": {"unit": "window", "together": "nothing", "test": 0.2, "leaky": True},
        "folds": {"unit": "person", "together": "person", "folds": 3, "leaky": False},
        "unseen": {"unit": "clip", "together": "person", "test_cohorts": ["away"], "leaky": False},
    },
    "models": {"convlstm": {}, "cnn3d": {"tasks": ["diagnosis"]}},
    "published": {
        "source": "Somebody et al. 2025",
        "claims": [
            {"task": "diagnosis", "protocol": "folds", "figures": {"auc": 0.75, "accuracy": 0.8},
             "ci95": {"auc": [0.68, 0.81]}},
        ],
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def line(line, tmp_path_factory):
    """A copy of the line, for reports to be written into."""
    root = shutil.copytree(line.workspace.root, tmp_path_factory.mktemp("reports") / "line")
    return replace(line, workspace=replace(line.workspace, root=root))


@pytest.fixture(scope="session")
def ward(split_line):
    """The study WARD: puppets and splits by the real stages, figures drawn at random."""
    made = split_line(parse_study(WARD, "a test"))
    workspace, study = made.workspace, made.study
    rows = [_row(study, *trial) for trial in study.trials()]
    probes = [_probe(study, task, name) for task in study.tasks for name in study.protocols]
    write_json(workspace.evaluation, {"results": rows, "probes": probes})
    records = {}
    for task, model, name in study.trials():
        for draw in study.protocols[name].draws(name):
            write_json(workspace.model(task, model, draw).with_suffix(".json"), _record())
            records.setdefault((task, model, name), []).append(_record())
    write_plots(workspace.plots, rows, dict.fromkeys(records, _answers()), records)
    return made


def _row(study, task, model, protocol):
    rules = study.protocols[protocol]
    labels = ["negative", "positive"] if task == "diagnosis" else ["weak", "well"]
    rng = np.random.default_rng(0)
    truth, people = np.arange(20) % 2, [f"person {n // 4}" for n in range(20)]
    figures = scores(truth, rng.dirichlet([1, 1], 20), people, labels, (100, 0))
    part = {"accuracy": 0.5, "accuracy_ci95": [0.3, 0.7], "n": 9, "n_people": 5}
    names = ("label", "kind", "age", "sex", "ethnicity", "skin_tone")
    figures |= {f"by_{name}": {f"a {name}": part} for name in names}
    found = {"auc": 0.7, "auc_ci95": [0.6, 0.8], "n_finding": 10, "n_other": 10}
    figures["detection"] = found if task == "diagnosis" else None
    bad = {"unit": "px", "rows": [{"strength": 1, "n": 20, "accuracy": 0.4,
                                   "accuracy_ci95": [0.3, 0.5]}]}  # fmt: skip
    return {
        "task": task, "model": model, "protocol": protocol, "leaky": rules.leaky,
        "unit": rules.unit, "labels": labels, "by_window": figures, "by_clip": figures,
        **({"by_person": figures} if rules.unit == "person" else {}),
        "calibration": {"temperature": 1.5, "ece": 0.1, "ece_uncalibrated": 0.2, "bins": [
            {"confidence": 0.6, "accuracy": 0.5, "n": 20}]},
        "corruption": None if rules.leaky else {"blur": bad},
        "asked_only": {"asleep": {"n": 9, "called": {labels[0]: 0.75, labels[1]: 0.25},
                                  "unknown": 0.444, "unknown_ci95": [0.2, 0.7]}},
    }  # fmt: skip


def _probe(study, task, protocol):
    row = {"accuracy": 0.522, "accuracy_ci95": [0.4, 0.6], "chance": 0.5, "n_test": 40}
    probes = dict.fromkeys(("identity", "background", "first_frame"), row)
    leaky = study.protocols[protocol].leaky
    return {"task": task, "protocol": protocol, "leaky": leaky, **probes}


def _record():
    curve = [{"epoch": n, "loss": 1 / n, "validation_loss": 1.2 / n} for n in (1, 2)]
    windows = {"originals": 40, "copies": 4, "validation": 6}
    return {"curve": curve, "best_epoch": 2, "validation_unit": "person", "windows": windows,
            "precision": "float32"}  # fmt: skip


def _answers():
    return [
        {"label": label, "probabilities": {"weak": share, "well": 1 - share}}
        for label, share in (("weak", 0.9), ("well", 0.4), ("weak", 0.3))
    ]
