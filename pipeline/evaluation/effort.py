"""How much work a job of the folds is beside another one, for what is told of the time left.

It decides no byte. A seed that teaches four networks is four times one that teaches the study's.
"""

from pipeline.corpus.cost import step
from pipeline.evaluation.fold import Fold, thinned
from pipeline.store.store import Job


def effort(job: Job) -> float:
    """Steps of training over all epochs and networks, in those of the ConvLSTM."""
    fold: Fold = job.item.fold
    taught = [s for s in thinned(fold.table, fold.stride) if s.side == "train"]
    if not taught:
        return 0.0
    frames = taught[0].length
    steps = sum(step(one.network, one.parameters, frames) for one in fold.networks)
    return len(taught) * fold.train.epochs * steps
