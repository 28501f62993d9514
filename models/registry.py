"""Every classifier network by name, with its own configuration: the one place that lists them."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from models.cnn3d import CNN3D, CNN3DConfig
from models.cnnbilstm import CNNBiLSTM, CNNBiLSTMConfig
from models.cnnlstm import CNNLSTM, CNNLSTMConfig
from models.convlstm import ConvLSTMClassifier, ConvLSTMConfig
from models.errors import ModelError, nearest
from models.flowcnn import FlowCNN, FlowCNNConfig
from models.framecnn import FrameCNN, FrameCNNConfig
from models.inception1 import InceptionV1, InceptionV1Config
from models.lightcnn import LightCNN, LightCNNConfig
from models.minixception import MiniXception, MiniXceptionConfig
from models.mobilenet import MobileNetV2, MobileNetV2Config
from models.network import Network, Sizes
from models.normcnn import NormCNN, NormCNNConfig
from models.resnet34 import ResNet34, ResNet34Config
from models.tutorial import TutorialConfig, TutorialConvLSTM
from models.vgg16 import VGG16, VGG16Config


class Model(NamedTuple):
    """A network and the frozen dataclass that configures it."""

    network: type[Network]
    config: type[Any]


MODELS = {
    "convlstm": Model(ConvLSTMClassifier, ConvLSTMConfig),
    "tutorial": Model(TutorialConvLSTM, TutorialConfig),
    "framecnn": Model(FrameCNN, FrameCNNConfig),
    "cnnlstm": Model(CNNLSTM, CNNLSTMConfig),
    "cnn3d": Model(CNN3D, CNN3DConfig),
    "minixception": Model(MiniXception, MiniXceptionConfig),
    "mobilenetv2": Model(MobileNetV2, MobileNetV2Config),
    "lightcnn": Model(LightCNN, LightCNNConfig),
    "flowcnn": Model(FlowCNN, FlowCNNConfig),
    "normcnn": Model(NormCNN, NormCNNConfig),
    "cnnbilstm": Model(CNNBiLSTM, CNNBiLSTMConfig),
    "resnet34": Model(ResNet34, ResNet34Config),
    "vgg16": Model(VGG16, VGG16Config),
    "inception1": Model(InceptionV1, InceptionV1Config),
}


def check(name: str, parameters: Mapping[str, Any] | None = None) -> Any:
    """The configuration that a study's `parameters` give the model `name`; builds no network.

    What is left out takes its default. ModelError names an unknown model or parameter and the
    nearest known one, or a value out of its range.
    """
    if name not in MODELS:
        raise ModelError(f"there is no model '{name}'; {nearest(name, MODELS)}")
    config = MODELS[name].config
    known, given = [field.name for field in fields(config)], dict(parameters or {})
    decided = [field.name for field in fields(Sizes)]
    for key in given:
        if key in decided:
            raise ModelError(f"{name}: '{key}' is no parameter; the study's data decide it")
        if key not in known:
            raise ModelError(f"{name} has no parameter '{key}'; {nearest(str(key), known)}")
    try:
        return config(**given)
    except ModelError as error:
        raise ModelError(f"{name}: {error}") from error


def build(
    name: str,
    *,
    classes: int,
    channels: int,
    size: int,
    frames: int,
    parameters: Mapping[str, Any] | None = None,
) -> Network:
    """A new network, its initial weights drawn from torch's generator.

    The data decide `classes`, `channels` of a frame, its `size` (pixels a side) and the `frames` of
    a window; `parameters` are fields of the model's configuration. Raises ModelError as `check`.
    """
    config = check(name, parameters)
    return MODELS[name].network(Sizes(classes, channels, size, frames), config)
