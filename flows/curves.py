"""Trainings as curves while they go: DVCLive writes them to `live/`, which enters no hash.

The train stage prints a line an epoch. Here its output is read on its way to the terminal, so no
code of the stage knows of it. `dvc plots show live/...` and any reader of TSV see the curves grow.
Without DVCLive (the extra `tracking`) nothing is written.
"""

import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pipeline.files import read_jsonl
from pipeline.study import Study
from pipeline.workspace import Workspace

LIVE = Path("live")
# As pipeline.training.train prints it; a test holds the two together.
EPOCH = re.compile(
    r"train (?P<task>\S+) (?P<model>\S+) (?P<draw>\S+) (?P<epoch>\d+)/\d+: "
    r"loss (?P<loss>[\d.]+|nan), accuracy (?P<accuracy>[\d.]+), "
    r"validation (?P<validation_loss>[\d.]+|nan), (?P<validation_accuracy>[\d.]+)$"
)
FIGURES = ("loss", "accuracy", "validation_loss", "validation_accuracy")


class Curves:
    """The trainings of one study, each in `live/<study>/<task>/<model>/<draw>`."""

    def __init__(self, study: str, root: Path = LIVE) -> None:
        self.study, self.root = study, root
        self._lives: dict[Path, Any] = {}  # DVCLive's loggers by folder

    def hear(self, line: str) -> None:
        """Take one printed line; those that are no epoch mean nothing here."""
        if not (found := EPOCH.match(line)):
            return
        epoch = int(found["epoch"])
        live = self._live(self.folder(found["task"], found["model"], found["draw"]), epoch)
        live.step = epoch
        for name in FIGURES:
            live.log_metric(name, float(found[name]))
        live.sync()

    def answered(self, workspace: Workspace, study: Study) -> None:
        """Add each network's confusion matrix on its test side, as data."""
        for task, model, protocol in study.trials():
            for draw in study.protocols[protocol].draws(protocol):
                rows = read_jsonl(workspace.answers(task, model, draw))
                live = self._live(self.folder(task, model, draw), epoch=2)
                labels, said = ([row[key] for row in rows] for key in ("label", "predicted"))
                live.log_sklearn_plot("confusion_matrix", labels, said)

    def folder(self, task: str, model: str, draw: str) -> Path:
        """Where a training's curves are."""
        return self.root / self.study / task / model / draw

    def _live(self, folder: Path, epoch: int) -> Any:
        """DVCLive's logger of a folder; a first epoch begins it anew."""
        from dvclive import Live

        if folder not in self._lives:
            live = Live(str(folder), resume=epoch > 1, save_dvc_exp=False, dvcyaml=None)
            self._lives[folder] = live
        return self._lives[folder]


@contextmanager
def followed(study: str) -> Iterator[None]:
    """Follow the trainings that the block and its processes print; their lines go on as they are.

    What goes wrong here is said in one line, and the run goes on.
    """
    if find_spec("dvclive") is None:
        yield
        return
    curves = Curves(study)
    with _overheard(_Careful(curves.hear).take):
        yield


def figures_of(workspace: Workspace, study: Study) -> None:
    """Add the figures of a finished evaluation, where the curves are followed at all."""
    if find_spec("dvclive") is not None:
        curves = Curves(workspace.study)
        _Careful(lambda _: curves.answered(workspace, study)).take("")


class _Careful:
    """Hands lines on until one fails."""

    def __init__(self, take: Callable[[str], None]) -> None:
        self._take: Callable[[str], None] | None = take

    def take(self, line: str) -> None:
        if self._take is None:
            return
        try:
            self._take(line)
        except Exception as error:  # a figure for looking at must not end a run
            self._take = None
            said = f"{type(error).__name__}: {error}"
            print(f"{LIVE}: curves are not written on ({said})", file=sys.stderr, flush=True)


@contextmanager
def _overheard(take: Callable[[str], None]) -> Iterator[None]:
    """`take` each line that this process and its children write to standard output."""
    sys.stdout.flush()
    real, (ours, theirs) = os.dup(1), os.pipe()
    os.dup2(theirs, 1)
    os.close(theirs)
    reader = threading.Thread(target=_pass_on, args=(ours, real, take), daemon=True)
    reader.start()
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(real, 1)  # closes our end of the pipe, so the reader ends
        reader.join(timeout=10)
        os.close(real)


def _pass_on(source: int, target: int, take: Callable[[str], None]) -> None:
    with os.fdopen(source, "rb") as lines:
        for line in lines:
            os.write(target, line)
            take(line.decode(errors="replace").rstrip("\n"))
