"""Typed parameters of the line; every default carries its reason, unknown keys are refused."""

from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.errors import ParamsError

ExcludedId = Annotated[str, Field(pattern=r"^(identity|portrait)-[0-9a-f]{10}$")]


class Section(BaseModel):
    """A frozen part of params.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PlanParams(Section):
    """What is to be rendered."""

    identities: int = Field(25, ge=2)  # 125 published clips over five displays
    expressions: list[str] = ["FD1", "FD2-L", "FD2-R", "FD3-L", "FD3-R"]  # Madrigal-Garcia 2018
    frames: int = Field(16, ge=2)  # with fps: two seconds, onset to offset
    fps: int = Field(8, ge=1)  # slow displays: 8 frames a second lose nothing of the motion
    size: int = Field(128, ge=32, multiple_of=4)  # what the compact motion model was trained at
    reseed: dict[int, int] = {}  # identity number > salt: draws that one person anew
    exclude: list[ExcludedId] = []  # ids of identities and portraits that `pallor forget` wrote


class RenderParams(Section):
    """How avatar frames are rendered."""

    samples: int = Field(8, ge=1)  # >= 39.0 dB to 1,024 samples (10 people); 6: 37.9 dB
    chunk: int = Field(5, ge=1)  # clips a Blender process renders before a fresh one takes over


class PortraitParams(Section):
    """Static faces for motion transfer."""

    count: int = Field(51, ge=1)  # 176 published clips less 125
    source: str = "portraits"  # folder with register.csv; missing faces are rendered stills


class MotionParams(Section):
    """The motion model's checkpoint and its training."""

    checkpoint: str = "motion/blend-128.safetensors"  # committed, so a clone need not retrain
    warm: bool = True  # go on from motion/first.safetensors; from nothing costs twice as much
    identities: int = Field(48, ge=6)  # people of the training clips, none of them in the corpus
    performances: int = Field(9, ge=1)  # motions; each person performs each: cross-identity truth
    frames: int = Field(6, ge=2)  # of a training clip, over two seconds: onset, apex and offset
    samples: int = Field(4, ge=1)  # fewer than the corpus': training averages the noise away
    steps: int = Field(4000, ge=1)  # of the whole: 35 minutes with bf16 units, 95 without
    batch: int = Field(4, ge=1)  # more steps in the same time: four faces already differ enough
    learning_rate: float = Field(2e-4, gt=0)  # the paper's; 4e-4 shook trained key points


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

    # auto: published weights at hand, else own, of facenets/: they jitter half as much as cascades.
    detector: Literal["auto", "face-alignment", "own", "haar"] = "auto"
    crop: int = Field(64, ge=16)  # pixels a side; lids and lips are still several pixels high
    margin: float = Field(0.1, ge=0)  # of the box: keeps chin and brows when heads turn; haar: 0.2


class SplitParams(Section):
    """Windows and sides."""

    test_fraction: float = Field(0.15, gt=0, lt=1)  # 85/15 as published
    window: int = Field(8, ge=1)  # frames a sample: half a clip, every window sees the apex
    stride: int = Field(1, ge=1)  # 9 windows a clip: the ~1,500 units the published figure implies


class OversampleParams(Section):
    """Balance of the training side."""

    # random: copies; smote: blends of near windows; none. The published method is not stated.
    method: Literal["random", "smote", "none"] = "random"
    neighbours: int = Field(5, ge=1)  # of a window, to blend it with (Chawla et al. 2002)


class TrainParams(Section):
    """The ConvLSTM and its optimisation."""

    hidden: int = Field(24, ge=4, multiple_of=4)  # state channels; 16 left errors on known clips
    epochs: int = Field(20, ge=1)  # at most; what two cores do in some four minutes
    patience: int = Field(10, ge=1)  # epochs no better on the validation part that end it
    batch: int = Field(32, ge=1)  # windows a step
    learning_rate: float = Field(3e-3, gt=0)  # Adam, cosine decay to zero
    dropout: float = Field(0.2, ge=0, lt=1)  # 150 training clips over-fit without
    device: Literal["cpu", "cuda"] = "cpu"  # a GPU gives other last bits, so it is asked for
    class_weights: bool = False  # weigh a class by its rarity; oversampling leaves none rare
    validation_fraction: float = Field(0.1, gt=0, lt=1)  # of the training side: two people or so


class EvaluateParams(Section):
    """Intervals."""

    bootstrap: int = Field(1000, ge=100)  # resamples of identities: 95 % ends steady to a point


class Params(Section):
    """All of params.yaml; `seed` is the root of every other seed."""

    seed: int = 7
    plan: PlanParams = PlanParams()
    render: RenderParams = RenderParams()
    portraits: PortraitParams = PortraitParams()
    motion: MotionParams = MotionParams()
    facenets: FacenetParams = FacenetParams()
    transfer: TransferParams = TransferParams()
    faces: FaceParams = FaceParams()
    split: SplitParams = SplitParams()
    oversample: OversampleParams = OversampleParams()
    train: TrainParams = TrainParams()
    evaluate: EvaluateParams = EvaluateParams()


def nearest(name: str, known: list[str]) -> str:
    """`the nearest is 'x'` when some known name is close to `name`, else the list of them."""
    close = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"the nearest is '{close[0]}'" if close else f"known: {', '.join(known)}"


def parse_params(values: dict[str, Any], where: str = "params.yaml") -> Params:
    """Typed parameters; ParamsError names the key, what is wrong and the nearest known key."""
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise ParamsError(f"{where}: {_sentence(error)}") from error


def load_params(path: Path = Path("params.yaml")) -> Params:
    """The parameters of a YAML file; ParamsError when it is missing or does not fit."""
    if not path.is_file():
        raise ParamsError(f"{path} is missing; run inside a Pallor clone")
    try:
        values = yaml.safe_load(path.read_text()) or {}
    except yaml.YAMLError as error:
        raise ParamsError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise ParamsError(f"{path} must hold sections, got {type(values).__name__}")
    return parse_params(values, str(path))


def _sentence(error: ValidationError) -> str:
    first = error.errors()[0]
    keys = [str(part) for part in first["loc"]]
    if first["type"] == "extra_forbidden":
        section: Any = Params
        for key in keys[:-1]:
            section = section.model_fields[key].annotation
        hint = nearest(keys[-1], list(section.model_fields))
        return f"unknown parameter '{'.'.join(keys)}'; {hint}"
    return f"'{'.'.join(keys)}' is {first['input']!r}: {first['msg'].lower()}"
