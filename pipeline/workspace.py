"""Where a workspace keeps the files of a study: the one table of paths.

A workspace is a folder with `dvc.yaml`: a clone, or a copy of one. Everything that a study makes
lies below `data/<study>`, `metrics/<study>`, `plots/<study>` and `report/<study>`.
"""

from dataclasses import dataclass, replace
from pathlib import Path

MAIN = "deterioration"  # the study that commands mean when none is named


@dataclass(frozen=True)
class Workspace:
    """The paths of one study's files in the workspace at `root`.

    Items (clips, portraits, crops) stand in their folder under their id. Tables of samples stand
    under the name of their draw, models and predictions under task, model and draw.
    """

    study: str = MAIN
    root: Path = Path(".")

    @property
    def data(self) -> Path:
        return self.root / "data" / self.study

    @property
    def settings(self) -> Path:
        """The study and the parameters, with every default: what DVC compares."""
        return self.data / "settings.json"

    @property
    def plan(self) -> Path:
        return self.data / "plan.jsonl"

    @property
    def clips(self) -> Path:
        return self.data / "clips"

    @property
    def portraits(self) -> Path:
        return self.data / "portraits"

    @property
    def transferred(self) -> Path:
        return self.data / "transferred"

    @property
    def faces(self) -> Path:
        return self.data / "faces"

    @property
    def manifest(self) -> Path:
        """What every film shows, small enough for git."""
        return self.data / "manifest.jsonl"

    @property
    def split(self) -> Path:
        return self.data / "split"

    @property
    def oversampled(self) -> Path:
        return self.data / "oversampled"

    @property
    def models(self) -> Path:
        return self.data / "models"

    @property
    def predictions(self) -> Path:
        return self.data / "predictions"

    @property
    def metrics(self) -> Path:
        return self.root / "metrics" / self.study

    @property
    def proof(self) -> Path:
        return self.metrics / "split_proof.json"

    @property
    def balance(self) -> Path:
        return self.metrics / "balance.json"

    @property
    def evaluation(self) -> Path:
        return self.metrics / "evaluation.json"

    @property
    def folds(self) -> Path:
        """The figure of record: folds of people, learnt with several seeds."""
        return self.metrics / "folds.json"

    @property
    def counts(self) -> Path:
        return self.metrics / "counts.json"

    @property
    def plots(self) -> Path:
        return self.root / "plots" / self.study

    @property
    def report(self) -> Path:
        return self.root / "report" / self.study

    @property
    def sheet(self) -> Path:
        return self.study_folder / "contact-sheet.png"

    @property
    def study_folder(self) -> Path:
        return self.root / "studies" / self.study

    @property
    def study_file(self) -> Path:
        return self.study_folder / "study.yaml"

    @property
    def tombstones(self) -> Path:
        """One table for all studies: a removed face is removed from each."""
        return self.root / "data" / "tombstones.jsonl"

    @property
    def lock(self) -> Path:
        return self.root / "dvc.lock"

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    def samples(self, draw: str) -> Path:
        """The table of a draw of the split."""
        return self.split / f"{draw}.jsonl"

    def training_samples(self, task: str, draw: str) -> Path:
        """The table of a draw after oversampling for a task."""
        return self.oversampled / task / f"{draw}.jsonl"

    def model(self, task: str, model: str, draw: str) -> Path:
        """The weights; the training record lies beside them as .json."""
        return self.models / task / model / f"{draw}.safetensors"

    def answers(self, task: str, model: str, draw: str) -> Path:
        """The predictions of a model on its test side."""
        return self.predictions / task / model / f"{draw}.jsonl"

    def of(self, study: str) -> "Workspace":
        """The same workspace, another study's files."""
        return replace(self, study=study)
