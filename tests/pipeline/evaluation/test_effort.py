import pytest

from pipeline.corpus.cost import BESIDE, step
from pipeline.evaluation import folds
from pipeline.evaluation.effort import effort
from pipeline.params import EvaluateParams, TrainParams
from pipeline.study import Folds


def test_a_job_of_more_networks_windows_or_epochs_is_more_work(line):
    ask = Folds(folds=2, seeds=3, networks=["tutorial"], stride=2, train={"epochs": 2}, whole=1)
    params = {"train": TrainParams(epochs=6), "evaluate": EvaluateParams(bootstrap=100)}
    study = line.study.model_copy(update={"folds": ask})
    found = folds.jobs(line.workspace, study, line.params.model_copy(update=params))
    work = {job.name: effort(job) for job in found}
    own, beside = (
        step(one.network, one.parameters, study.input.frames) for one in found[0].item.fold.networks
    )
    alone = work["fold 1 seed 3"]
    assert alone > 0
    assert work["fold 1 seed 1"] == pytest.approx(alone * (own + beside) / own)
    assert work["fold 1 seed 1 whole"] > 3 * alone  # of thrice the epochs, and more windows


def test_a_plan_counts_as_many_seeds_of_the_other_networks_as_are_taught():
    assert BESIDE == folds.BESIDE
