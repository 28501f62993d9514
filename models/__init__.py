"""Sequence classifiers in torch, behind one numpy door.

`load(path)` gives a `Classifier`; `MODELS` is the registry of networks, `build` makes a new one.
"""

from models.classifier import MODELS, Classifier, build, load, to_grey, to_tensor
from models.convlstm import ConvLSTM, ConvLSTMClassifier, ConvLSTMConfig
from models.errors import ModelError
from models.framecnn import FrameCNN, FrameCNNConfig
from models.precision import precision

__all__ = [
    "MODELS",
    "Classifier",
    "ConvLSTM",
    "ConvLSTMClassifier",
    "ConvLSTMConfig",
    "FrameCNN",
    "FrameCNNConfig",
    "ModelError",
    "build",
    "load",
    "precision",
    "to_grey",
    "to_tensor",
]
