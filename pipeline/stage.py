"""The stages of the line as records: the one table that all else about stages derives from.

The runner, the work store's names, dvc.yaml, the lineage tables, removal, the parts that other
machines make and what a run may give up all read `STAGES`. This module imports no room.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.workspace import Workspace

EXACT = "bit for bit on any machine"
ALIKE = "bit for bit on one kind of processor"


@dataclass(frozen=True)
class Output:
    """What a stage writes: a name of Workspace, or a path below the root (it holds a slash).

    What is not `cached` by DVC is committed in git.
    """

    name: str
    cached: bool = True
    kind: Literal["outs", "metrics", "plots"] = "outs"


@dataclass(frozen=True)
class Stage:
    """One stage: what it reads and writes, and how it is run.

    `module` has `make(workspace, study, params)`, or, where `chunk` is set, `jobs(workspace, study,
    params)`, `work(jobs, store)` and `assemble(jobs, store, workspace)`.
    """

    name: str
    module: str
    outputs: tuple[Output, ...]
    rebuildable: str  # whether the same inputs give the same bytes, as far as it was seen
    inputs: tuple[str, ...] = ()  # names as in Output
    sources: Mapping[str, str] = field(
        default_factory=dict
    )  # parameter that names a path > default
    params: tuple[str, ...] = ()  # names in params.yaml
    study: tuple[str, ...] = ()  # names in the study's file
    chunk: int | str = 0  # items a task, or the parameter that says so
    items: str = ""  # the output that holds one file an item, named by its id
    may_give_up: bool = False  # the run goes on without items that fail for good
    makes: tuple[str, ...] = ()  # the kinds of artefact that lineage traces back to this stage
    scope: Literal["study", "line"] = "study"  # made once a study, or once for all
    frozen: bool = False  # its outputs are committed; `make <name>` makes them anew

    @property
    def heavy(self) -> bool:
        """Is it made of items, in chunks?"""
        return bool(self.chunk)

    @property
    def apart(self) -> bool:
        """Do its items follow from the plan alone, so that another machine can make some?"""
        return self.heavy and self.inputs == ("plan",)

    def key(self, study: str) -> str:
        """Its name in dvc.lock and in run records, as part of a study."""
        return self.name if self.scope == "line" else f"{self.name}@{study}"

    def chunk_size(self, params: "Params") -> int:
        """How many items a task makes."""
        if isinstance(self.chunk, int):
            return self.chunk
        value: object = params
        for part in self.chunk.split("."):
            value = getattr(value, part)
        assert isinstance(value, int)
        return value


def place(name: str, workspace: "Workspace") -> Path:
    """The path of an input or output."""
    if "/" in name:
        return workspace.root / name
    found = getattr(workspace, name)
    assert isinstance(found, Path)
    return found


def code_file(stage: str) -> Path:
    """Where the closure of a stage's code stands in a workspace; DVC asks for its `digest`."""
    return Path("code") / f"{stage}.json"


def name_of(key: str) -> str:
    """The stage behind a key of dvc.lock: `render@deterioration` is of `render`."""
    return key.partition("@")[0]


def study_of(key: str) -> str | None:
    """The study in a key of dvc.lock; None for what is made once for all."""
    return key.partition("@")[2] or None


def before(stage: Stage) -> list[Stage]:
    """The stages whose work is in what `stage` writes, itself last, in the order of the line."""
    wanted, found = _read(stage), [stage]
    for earlier in reversed(STAGES.values()):
        if wanted & {output.name for output in earlier.outputs}:
            wanted |= _read(earlier)
            found.append(earlier)
    return found[::-1]


def _read(stage: Stage) -> set[str]:
    return {*stage.inputs, *(path for path in stage.sources.values() if "/" in path)}


def behind(kind: str) -> list[Stage]:
    """The stages whose work is in artefacts of a kind ("clip", "sample", "model"), in order."""
    return next((before(stage) for stage in STAGES.values() if kind in stage.makes), [])


FACENETS, MOTION = "checkpoints/facenets", "checkpoints/motion"
WEIGHTS = tuple(f"{FACENETS}/{name}" for name in ("blazeface.pth", "anchors.npy", "2DFAN1.pth.tar"))
CHECKPOINT = f"{MOTION}/blend-128.safetensors"

_ALL = (
    Stage(
        "settings", "pipeline.settings",
        inputs=("study_file", "params"),
        outputs=(Output("settings", cached=False),),
        rebuildable=EXACT,
    ),
    Stage(
        "plan", "pipeline.corpus.plan",
        sources={"portraits.source": "portraits"},
        params=("seed", "plan", "render.samples", "portraits.source"),
        study=("name", "cohorts", "arms", "portraits", "input", "tasks", "protocols"),
        outputs=(Output("plan", cached=False),),
        makes=("identity", "camera", "expression"),
        rebuildable=EXACT,
    ),
    Stage(
        "render", "pipeline.corpus.render",
        inputs=("plan",),
        params=("deterministic",),
        outputs=(Output("clips"),),
        chunk="render.chunk", items="clips", may_give_up=True, makes=("clip",),
        rebuildable=f"{ALIKE}; `pallor verify --rebuild N` does it",
    ),
    Stage(
        "portraits", "pipeline.motion.portraits",
        inputs=("plan",), sources={"portraits.source": "portraits"},
        params=("deterministic", "plan.size", "portraits.source"),
        outputs=(Output("portraits"),),
        chunk=9,  # stills a Blender process: as long as a few clips
        items="portraits", may_give_up=True, makes=("portrait",),
        rebuildable=ALIKE,
    ),
    Stage(
        "motion", "pipeline.motion.training",
        inputs=(f"{MOTION}/first.safetensors", f"{MOTION}/first.json"),
        params=(
            "seed", "plan.fps", "plan.size", "motion.warm", "motion.identities",
            "motion.expressions", "motion.performances", "motion.frames", "motion.samples",
            "motion.steps", "motion.batch", "motion.learning_rate", "motion.network",
            "motion.device", "motion.perceptual", "motion.colour_cast", "motion.blur",
            "motion.jpeg",
        ),
        outputs=(
            Output(CHECKPOINT, cached=False),
            Output(f"{MOTION}/record.json", cached=False),
        ),
        chunk=9,  # short clips a Blender process: about as long as a chunk of the corpus
        scope="line", frozen=True,
        rebuildable="no: trained on two threads, whose sums have no fixed order; its file is "
        "committed",
    ),
    Stage(
        "facenets", "pipeline.facenets.train",
        params=("seed", "plan.fps", "plan.size", "facenets"),
        outputs=(
            *(Output(path, cached=False) for path in WEIGHTS),
            Output(f"{FACENETS}/record.json", cached=False),
        ),
        chunk=12,  # people a Blender process: about as long as a chunk of the corpus
        scope="line", frozen=True,
        rebuildable="no: trained on two threads, as motion is; its files are committed",
    ),
    Stage(
        "transfer", "pipeline.motion.transfer",
        inputs=("plan", "clips", "portraits"), sources={"motion.checkpoint": CHECKPOINT},
        params=("deterministic", "transfer", "motion.checkpoint"),
        outputs=(Output("transferred"),),
        chunk=4,  # clips a task: they share the checkpoint and, mostly, the driving clip
        items="transferred", may_give_up=True, makes=("transfer",),
        rebuildable=f"{ALIKE} (one torch thread)",
    ),
    Stage(
        "faces", "pipeline.faces.faces",
        inputs=("plan", "clips", "transferred", *WEIGHTS),
        params=("deterministic", "faces"), study=("input.size",),
        outputs=(Output("faces"),),
        chunk=8,  # clips a task: some ten seconds of work
        items="faces",
        rebuildable="bit for bit with the same detector and weights (`faces/detector.json`)",
    ),
    Stage(
        "manifest", "pipeline.faces.manifest",
        inputs=("clips", "transferred", "faces"),
        outputs=(Output("manifest", cached=False),),
        rebuildable=EXACT,
    ),
    Stage(
        "split", "pipeline.splits.split",
        inputs=("faces",),
        params=("seed",), study=("input", "protocols", "cohorts", "arms"),
        outputs=(Output("split"), Output("proof", cached=False, kind="metrics")),
        rebuildable=EXACT,
    ),
    Stage(
        "oversample", "pipeline.splits.oversample",
        inputs=("split", "faces"),
        params=("seed", "oversample"), study=("arms", "input", "tasks", "protocols"),
        outputs=(Output("oversampled"), Output("balance", cached=False, kind="metrics")),
        makes=("sample",),
        rebuildable=EXACT,
    ),
    Stage(
        "train", "pipeline.training.train",
        inputs=("oversampled", "faces"),
        params=("seed", "training_seed", "deterministic", "train"),
        study=("arms", "input", "mirror", "tasks", "protocols", "models"),
        outputs=(Output("models"),),
        chunk=1, makes=("model",),
        rebuildable=f"{ALIKE} (one torch thread); another may end elsewhere",
    ),
    Stage(
        "evaluate", "pipeline.evaluation.evaluate",
        inputs=("plan", "clips", "models", "split", "faces", *WEIGHTS),
        params=("seed", "deterministic", "evaluate"),
        study=("arms", "input", "mirror", "tasks", "protocols", "models"),
        outputs=(
            Output("predictions"),
            Output("evaluation", cached=False, kind="metrics"),
            Output("plots", cached=False, kind="plots"),
        ),
        makes=("metric",),
        rebuildable="bit for bit from the same models; figures to six digits elsewhere",
    ),
    Stage(
        "folds", "pipeline.evaluation.folds",
        inputs=("clips", "faces"),
        params=("seed", "deterministic", "oversample", "train", "evaluate"),
        study=("arms", "input", "mirror", "tasks", "protocols", "models", "folds"),
        outputs=(Output("folds", cached=False, kind="metrics"),),
        chunk=1,
        rebuildable=f"{ALIKE} (one torch thread); figures to six digits",
    ),
    Stage(
        "report", "pipeline.report.report",
        inputs=(
            "plan", "clips", "portraits", "transferred", "faces", "models", "proof", "balance",
            "evaluation", "folds", "plots",
            "manifest",  # nothing of it is shown: the last stage asks for all that is recorded
        ),
        study=("name", "title", "question", "cohorts", "arms", "portraits", "input", "tasks",
               "protocols", "models", "folds", "published"),
        outputs=(
            Output("report"),
            Output("sheet", cached=False),
            Output("counts", cached=False, kind="metrics"),
        ),
        rebuildable=ALIKE,
    ),
)  # fmt: skip
STAGES: dict[str, Stage] = {stage.name: stage for stage in _ALL}
