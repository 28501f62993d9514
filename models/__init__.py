"""Sequence classifiers in torch, behind one numpy door.

`load(path)` gives a `Classifier`; `MODELS` is the registry of networks, `build` makes a new one.
"""

from models.classifier import MODELS, Classifier, build, load, to_grey, to_tensor
from models.cnn3d import CNN3D, CNN3DConfig
from models.cnnlstm import CNNLSTM, CNNLSTMConfig
from models.convlstm import ConvLSTM, ConvLSTMClassifier, ConvLSTMConfig
from models.errors import ModelError
from models.export import export_onnx
from models.framecnn import FrameCNN, FrameCNNConfig
from models.precision import precision

__all__ = [
    "CNN3D",
    "CNNLSTM",
    "MODELS",
    "CNN3DConfig",
    "CNNLSTMConfig",
    "Classifier",
    "ConvLSTM",
    "ConvLSTMClassifier",
    "ConvLSTMConfig",
    "FrameCNN",
    "FrameCNNConfig",
    "ModelError",
    "build",
    "export_onnx",
    "load",
    "precision",
    "to_grey",
    "to_tensor",
]
