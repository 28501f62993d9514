"""A study: one clinical question as data, from who performs what to which figure is claimed.

Four records carry everything that differs between studies (docs/formats/study.md): the `Study`,
its `Arm`s (who performs what, and the label that follows), its `Task`s (what is asked of a sample)
and its `Protocol`s (how sides are drawn, and whether people stand on both).
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from pipeline.arm import Arm
from pipeline.errors import StudyError
from pipeline.naming import nearest, sentence_of
from pipeline.params import merged
from pipeline.task import MEASURES, Label, Name, Part, Span, Task, unless_set

Unit = Literal["window", "clip", "person"]


class Input(Part):
    """What a network sees of a clip: windows of `frames` square crops."""

    frames: int = Field(8, ge=1)  # of a window; 1 for studies of single pictures
    stride: int = Field(1, ge=1)  # frames from one window to the next
    size: int = Field(64, ge=16, multiple_of=16)  # pixels a side of the crop
    channels: Literal[1, 3] = 1  # grey, or RGB where skin colour matters
    reference: Label | Literal["none"] = "none"  # the arm whose frames of the same subject compare


class Counts(Part):
    """How many units stand on each side."""

    train: int = Field(ge=1)
    validation: int = Field(ge=1)
    test: int = Field(ge=1)


class Protocol(Part):
    """How sides are drawn: one of `test` (a fraction), `folds`, `test_cohorts` or `counts`.

    `together` is what never stands on two sides: nothing, a clip, the person seen, or the whole
    group of people whom portraits and driving clips tie. Figures are told by `unit` of analysis.
    Of `cohorts` alone people take part (all). Of each label's windows a share `copies` is copied
    before sides are drawn, so that a copy may be tested whose original was learnt from. Two classes
    are told apart at the threshold that was best on the test sides of the protocol
    `threshold_from`, else at one half.
    """

    unit: Unit
    together: Literal["nothing", "clip", "person", "group"]
    leaky: bool  # known to put the same people on both sides
    test: float | None = Field(None, gt=0, lt=1)
    folds: int | None = Field(None, ge=2)
    repeats: int = Field(1, ge=1)
    test_cohorts: list[Name] | None = Field(None, min_length=1)
    counts: Counts | None = None
    cohorts: list[Name] | None = Field(None, min_length=1, exclude_if=unless_set)
    copies: float = Field(0.0, ge=0, le=1, exclude_if=unless_set)
    threshold_from: Name | None = Field(None, exclude_if=unless_set)

    @model_validator(mode="after")
    def _one_way(self) -> "Protocol":
        ways = [
            name for name in ("test", "folds", "test_cohorts", "counts")
            if getattr(self, name) is not None
        ]  # fmt: skip
        if len(ways) != 1:
            raise ValueError(f"give one of test, folds, test_cohorts, counts; got {ways or 'none'}")
        if self.together in ("nothing", "clip") and not self.leaky:
            raise ValueError(
                f"it holds {self.together} together, so a person may stand on both sides: "
                "set leaky to true, or hold person or group together"
            )
        if self.copies and self.together != "nothing":
            raise ValueError(
                f"copies stand on any side, but it holds {self.together} together: take copies "
                "out, or set together to nothing"
            )
        return self

    def draws(self, name: str) -> list[str]:
        """The names of its draws: its own name, or one a fold and repeat."""
        if self.folds is None:
            return [name]
        return [f"{name}-{number}" for number in range(1, self.folds * self.repeats + 1)]


class Model(Part):
    """One network of the registry: its own `parameters`, and what of `train` is other for it.

    `network` is its name there, by default the model's own, so that one network may stand in a
    study twice: one with the `reference` of the study's input, one that does not see it.
    """

    network: str | None = Field(None, exclude_if=unless_set)
    reference: bool = Field(True, exclude_if=bool)
    parameters: dict[str, Any] = Field({})
    train: dict[str, Any] = Field({})
    tasks: list[Name] | None = None  # None: every task


class Folds(Part):
    """The figure of record: every person tested by a model that never met them, again and again.

    Whole groups of people stand in `folds`; each fold is learnt anew with each of `seeds`. The
    study's first network is taught, and `networks` of the registry beside it. The recipe is cheaper
    than the line's: training windows start every `stride` frames, and `train` is laid over the
    parameters of that name. In the first `whole` folds the line's own recipe is run too, once.
    """

    folds: int = Field(5, ge=2)  # four fifths teach: as near to the clean split's as is cheap
    seeds: int = Field(5, ge=2)  # the fewest that tell seeds' spread from luck
    networks: list[Name] = Field([])
    stride: int = Field(4, ge=1)  # neighbouring windows differ by one frame of eight
    train: dict[Name, Any] = Field({})
    whole: int = Field(2, ge=0)  # two trainings of full cost say whether the mean moves


class Claim(Part):
    """One published figure set, as shares of 1, with the row of ours that it stands beside."""

    task: Name
    protocol: Name
    model: Name | None = None
    figures: dict[Name, float]
    ci95: dict[Name, Span] = Field({})


class Published(Part):
    """What a paper reports; facts with their source."""

    source: str
    note: str = ""
    clips: int | None = None
    test_fraction: float | None = None
    claims: list[Claim] = Field([])


class Study(Part):
    """One clinical question as data. `cohorts` are numbers of people, who are numbered through.

    `mirror` names the label that a face has in a mirror; labels that are not named keep theirs.
    `params` are parameters of the line (params.yaml) that are other in this study.
    """

    name: Name
    title: str
    question: str
    cohorts: dict[Name, Annotated[int, Field(ge=1)]] = Field(min_length=1)
    arms: list[Arm] = Field(min_length=1)
    portraits: int = Field(0, ge=0)  # static faces that take over a clip's motion
    input: Input = Input()
    mirror: dict[Label, Label] = Field({})
    tasks: dict[Name, Task] = Field(min_length=1)
    protocols: dict[Name, Protocol] = Field(min_length=1)
    models: dict[Name, Model] = Field(min_length=1)
    folds: Folds | None = None  # none: the study has no such figure
    published: Published | None = None
    params: dict[str, Any] = Field({})

    @property
    def labels(self) -> list[str]:
        """Every label once, in the order of the arms."""
        return list(dict.fromkeys(arm.label for arm in self.arms))

    @property
    def people(self) -> int:
        """How many people there are in all cohorts."""
        return sum(self.cohorts.values())

    @property
    def planned_clips(self) -> int:
        """Avatar clips and transferred ones."""
        performed = (
            self.cohorts.get(cohort, 0)
            * len(arm.expressions)
            * arm.repeats
            * max(1, len(arm.cameras))
            for arm in self.arms
            for cohort in arm.cohorts
        )
        return sum(performed) + self.portraits

    @property
    def measured(self) -> list[str]:
        """The targets asked for that are measured on what the face executes."""
        asked = set().union(*(task.targets for task in self.tasks.values()))
        return [name for name in MEASURES if name in asked]

    def network(self, model: str) -> str:
        """The network of the registry behind a model of the study."""
        return self.models[model].network or model

    def numbers(self, cohort: str) -> range:
        """The numbers of a cohort's people; cohorts follow each other in the file's order."""
        first = 0
        for name, count in self.cohorts.items():
            if name == cohort:
                return range(first, first + count)
            first += count
        raise StudyError(f"studies/{self.name}: there is no cohort '{cohort}'")

    def mirrored(self, label: str) -> str:
        """The label of the mirrored face; a swap is said in one direction or in both."""
        back = {right: left for left, right in self.mirror.items()}
        return self.mirror.get(label, back.get(label, label))

    def mirror_of(self, task: str) -> dict[str, str]:
        """Class > class of the mirrored face, for the classes whose mirror image has one."""
        asked = self.tasks[task]
        if any(selection.targets for selection in asked.selections):  # a mirror keeps targets
            alike = all(self.mirrored(label) == label for label in self.labels)
            names = asked.classes or ("negative", "positive")
            return {name: name for name in names} if alike else {}
        images: dict[str, set[str | None]] = {}
        for label in self.labels:
            if name := asked.class_of(label, {}):
                image = asked.class_of(self.mirrored(label), {})
                images.setdefault(name, set()).add(image)
        pairs = {name: found.pop() for name, found in images.items() if len(found) == 1}
        return {name: image for name, image in pairs.items() if image}

    def trials(self) -> list[tuple[str, str, str]]:
        """Every trained network: (task, model, protocol)."""
        return [
            (task, name, protocol)
            for task in self.tasks
            for name, model in self.models.items()
            if model.tasks is None or task in model.tasks
            for protocol in self.protocols
        ]

    def draws(self) -> list[tuple[str, str]]:
        """Every draw of every protocol: (protocol, draw)."""
        return [(n, draw) for n, protocol in self.protocols.items() for draw in protocol.draws(n)]


def read_study(path: Path) -> Study:
    """The study of a file; StudyError says in one sentence what is wrong with it."""
    return parse_study(study_values(path), str(path))


def study_values(path: Path) -> Any:
    """The values of a study's file, laid over those of the study that it is `like`.

    Raises StudyError for a file that is missing or no YAML, and for a likeness to no study, to
    itself or to one that is like another.
    """
    values = _values(path)
    if not isinstance(values, dict) or "like" not in values:
        return values
    own = {key: value for key, value in values.items() if key != "like"}
    return merged(_values(parent_file(path, values["like"])), own)


def parent_file(path: Path, like: Any) -> Path:
    """The file of the study that the one of `path` is `like`; StudyError where there is none."""
    studies = path.parent.parent
    known = sorted(file.parent.name for file in studies.glob("*/study.yaml"))
    if like == path.parent.name:
        raise StudyError(f"{path}: like is '{like}', the study itself; name another one")
    if like not in known:
        raise StudyError(f"{path}: like is '{like}', but there is no such study; "
                         f"{nearest(str(like), known)}")  # fmt: skip
    file = studies / str(like) / path.name
    values = _values(file)
    if isinstance(values, dict) and (first := values.get("like")):
        raise StudyError(f"{path}: like is '{like}', which is itself like '{first}'; name that one")
    return file


def _values(path: Path) -> Any:
    if not path.is_file():
        raise StudyError(f"{path} is missing; docs/add-a-study.md says how to write one")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise StudyError(f"{path} is not YAML: {' '.join(str(error).split())}") from error


def parse_study(values: Any, where: str) -> Study:
    """Typed study; StudyError names the key, what is wrong and the nearest known key."""
    if not isinstance(values, dict):
        raise StudyError(f"{where} must hold sections, got {type(values).__name__}")
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        raise StudyError(f"{where}: {sentence_of(error, Study)}") from error
    return study
