"""Typed parameters of the line; every default carries its reason, unknown keys are refused."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ParamsError, StageError
from pipeline.files import read_text
from pipeline.naming import sentence_of


def _no_tilde(name: str) -> str:
    if name.startswith("~"):  # DVC reads these too, and takes ~ for a folder's name
        raise ValueError("~ means nothing here; write the folder out")
    return name


Place = Annotated[str, AfterValidator(_no_tilde)]
ExcludedId = Annotated[str, Field(pattern=r"^(identity|portrait)-[0-9a-f]{10}$")]

# As avatars.passes.PASSES, which would bring the geometry's code to all who read a parameter.
Pass = Literal["segmentation", "depth", "normals", "vertices", "flow", "surface"]


class Section(BaseModel):
    """A frozen part of params.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class PlanParams(Section):
    """What is to be rendered."""

    frames: int = Field(16, ge=2)  # with fps: two seconds, onset to offset
    # Slow displays: 8 frames a second lose nothing of the motion.
    fps: int = Field(8, ge=1, le=1000)
    # What the compact motion model was trained at.
    size: int = Field(128, ge=32, le=4096, multiple_of=4)
    # Per-pixel truth of every clip (docs/formats/passes.md): megabytes a clip that the line leaves.
    passes: list[Pass] = []
    reseed: dict[int, int] = {}  # identity number > salt: draws that one person anew
    exclude: list[ExcludedId] = []  # ids of identities and portraits that `pallor forget` wrote


class RenderParams(Section):
    """How avatar frames are rendered."""

    samples: int = Field(8, ge=1)  # >= 39.0 dB to 1,024 samples (10 people); 6: 37.9 dB
    chunk: int = Field(5, ge=1)  # clips a Blender process renders before a fresh one takes over


class PortraitParams(Section):
    """Static faces for motion transfer."""

    source: Place = "portraits"  # folder with register.csv; missing faces are rendered stills


class MotionParams(Section):
    """The motion model's checkpoint and its training."""

    checkpoint: Place = "checkpoints/motion/blend-128.safetensors"  # committed: no clone retrains
    warm: bool = True  # go on from first.safetensors beside it; from nothing costs twice as much
    identities: int = Field(104, ge=6)  # a hundred to learn from, four held out; none in the corpus
    expressions: list[str] = []  # what people perform in turn; []: every expression that ships
    performances: int = Field(9, ge=1)  # motions; each person performs each: cross-identity truth
    frames: int = Field(4, ge=2)  # of a training clip, over two seconds: more people, fewer moments
    samples: int = Field(4, ge=1)  # fewer than the corpus': training averages the noise away
    steps: int = Field(1500, ge=1)  # of the whole: half an hour in float32 on two cores
    batch: int = Field(4, ge=1)  # more steps in the same time: four faces already differ enough
    learning_rate: float = Field(2e-4, gt=0)  # the paper's; 4e-4 shook trained key points
    network: Literal["blend-128", "blend-256"] = "blend-128"  # 256 px: for a GPU
    device: Literal["cpu", "cuda"] = "cpu"  # a GPU gives other last bits, so it is asked for
    # What photographs have and renders lack, and a loss of pictures' features: off, as in the
    # committed model's record. Worth trying: 0.05 each, 0.3 of pairs blurred, 0.3 through JPEG.
    perceptual: float = Field(0.0, ge=0)  # weight; its network's weights are in the extra judge
    colour_cast: float = Field(0.0, ge=0, le=1)  # standard deviation of a channel's log gain
    blur: float = Field(0.0, ge=0, le=1)  # share of pairs, 0.4 to 1.6 px
    jpeg: float = Field(0.0, ge=0, le=1)  # share of pairs, quality 20 to 85


class FacenetParams(Section):
    """face-alignment's own networks, trained on renders, and their stills."""

    identities: int = Field(180, ge=37)  # 36 held out, 8 left of each sex, group and age band
    stills: int = Field(4, ge=1)  # of a person, each in a scene of its own: poses cost no person
    samples: int = Field(4, ge=1)  # fewer than the corpus': noise is added in training anyway
    blazeface_steps: int = Field(2000, ge=1)  # ten minutes on two cores
    blazeface_batch: int = Field(24, ge=1)  # half of a step's time is drawing its pictures
    blazeface_rate: float = Field(2e-3, gt=0)  # Adam, cosine decay to zero
    fan_small_steps: int = Field(1200, ge=0)  # on half-size crops, a quarter of the cost each
    fan_small_batch: int = Field(6, ge=1)  # more steps in the same time
    fan_steps: int = Field(220, ge=1)  # on the size the library feeds; all of FAN: half an hour
    fan_batch: int = Field(4, ge=1)  # 3 s a step on two cores
    fan_rate: float = Field(1e-3, gt=0)  # Adam, one cosine decay over both sizes


class TransferParams(Section):
    """How a portrait takes over a clip's motion."""

    relative: bool = True  # keeps the portrait's face shape; clips start at neutral
    adapt_scale: bool = True  # a small face moves less far


class FaceParams(Section):
    """Detection, tracking and crop."""

    # auto: published weights at hand, else own (checkpoints/facenets): half the jitter of cascades.
    detector: Literal["auto", "face-alignment", "own", "haar"] = "auto"
    margin: float = Field(0.1, ge=0)  # of the box: keeps chin and brows when heads turn; haar: 0.2


class OversampleParams(Section):
    """Balance of the training side."""

    # random: copies; smote: blends of near windows; none. The published method is not stated.
    method: Literal["random", "smote", "none"] = "random"
    neighbours: int = Field(5, ge=1)  # of a window, to blend it with (Chawla et al. 2002)


class TrainParams(Section):
    """How a network is fitted; its own sizes stand in the study's file, under its name."""

    epochs: int = Field(20, ge=1)  # at most; what two cores do in some four minutes
    patience: int = Field(10, ge=1)  # epochs no better that end it, once it has begun to learn
    batch: int = Field(32, ge=1)  # windows a step
    learning_rate: float = Field(3e-3, gt=0)  # Adam, cosine decay to zero
    device: Literal["cpu", "cuda"] = "cpu"  # a GPU gives other last bits, so it is asked for
    class_weights: bool = False  # weigh a class by its rarity; oversampling leaves none rare
    validation_fraction: float = Field(0.1, gt=0, lt=1)  # of the training side: two people or so

    def with_changes(self, changes: dict[str, Any]) -> "TrainParams":
        """The same with what a study's model sets otherwise; ParamsError when it does not fit."""
        try:
            return TrainParams.model_validate(self.model_dump() | changes)
        except ValidationError as error:
            raise ParamsError(f"train of a model: {sentence_of(error, TrainParams)}") from error


class EvaluateParams(Section):
    """Intervals."""

    bootstrap: int = Field(1000, ge=100)  # resamples of identities: 95 % ends steady to a point


class Params(Section):
    """All of params.yaml; `seed` is the root of every other seed that is not given."""

    seed: int = 7
    # Of the networks alone: another one trains the same corpus anew. None: as `seed`.
    training_seed: int | None = None
    # The same bytes on every processor with AVX2, so that a stranger can check them; native counts
    # with all that a processor has.
    deterministic: Literal["portable", "native"] = "portable"
    plan: PlanParams = PlanParams()
    render: RenderParams = RenderParams()
    portraits: PortraitParams = PortraitParams()
    motion: MotionParams = MotionParams()
    facenets: FacenetParams = FacenetParams()
    transfer: TransferParams = TransferParams()
    faces: FaceParams = FaceParams()
    oversample: OversampleParams = OversampleParams()
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()

    @property
    def seed_of_training(self) -> int:
        """The root of the seeds of the networks of a single run."""
        return self.seed if self.training_seed is None else self.training_seed


def parse_params(values: dict[str, Any], where: str = "params.yaml") -> Params:
    """Typed parameters; ParamsError names the key, what is wrong and the nearest known key."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{where}: {sentence_of(error, Params)}") from error


def load_params(path: Path = Path("params.yaml"), other: dict[str, Any] | None = None) -> Params:
    """The parameters of a YAML file, those of a study (`Study.params`) put over them.

    Raises ParamsError when the file is missing or a value does not fit.
    """
    if not path.is_file():
        raise ParamsError(f"{path} is missing; run inside a Pallor clone")
    try:
        values = yaml.safe_load(read_text(path)) or {}
    except StageError as error:
        raise ParamsError(str(error)) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date of no calendar, too
        raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ParamsError(f"{path} must hold sections, got {type(values).__name__}")
    parse_params(values, str(path))
    return parse_params(merged(values, other or {}), "params of the study's file")


def merged(values: Any, other: Any) -> Any:
    """`values` with those of `other` on top, mapping by mapping."""
    if not isinstance(values, dict) or not isinstance(other, dict):
        return other
    return values | {name: merged(values.get(name, {}), value) for name, value in other.items()}
