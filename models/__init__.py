"""Classifiers of windows and of single pictures in torch, behind one numpy door.

`load(path)` gives a `Classifier`. `MODELS` is the registry of networks: `check` reads a study's
parameters, `build` makes a new network.
"""

from models.classifier import Classifier, load, to_grey, to_tensor, window_sizes
from models.cnn3d import CNN3D, CNN3DConfig
from models.cnnbilstm import CNNBiLSTM, CNNBiLSTMConfig
from models.cnnlstm import CNNLSTM, CNNLSTMConfig
from models.convlstm import ConvLSTM, ConvLSTMClassifier, ConvLSTMConfig
from models.errors import ModelError
from models.export import export_onnx
from models.framecnn import FrameCNN, FrameCNNConfig
from models.inception1 import InceptionV1, InceptionV1Config
from models.lightcnn import LightCNN, LightCNNConfig
from models.minixception import MiniXception, MiniXceptionConfig
from models.mobilenet import MobileNetV2, MobileNetV2Config
from models.network import Network, Sizes
from models.normcnn import NormCNN, NormCNNConfig
from models.picture import PictureNetwork
from models.registry import MODELS, build, check
from models.resnet34 import ResNet34, ResNet34Config
from models.vgg16 import VGG16, VGG16Config

__all__ = [
    "CNN3D",
    "CNNLSTM",
    "MODELS",
    "VGG16",
    "CNN3DConfig",
    "CNNBiLSTM",
    "CNNBiLSTMConfig",
    "CNNLSTMConfig",
    "Classifier",
    "ConvLSTM",
    "ConvLSTMClassifier",
    "ConvLSTMConfig",
    "FrameCNN",
    "FrameCNNConfig",
    "InceptionV1",
    "InceptionV1Config",
    "LightCNN",
    "LightCNNConfig",
    "MiniXception",
    "MiniXceptionConfig",
    "MobileNetV2",
    "MobileNetV2Config",
    "ModelError",
    "Network",
    "NormCNN",
    "NormCNNConfig",
    "PictureNetwork",
    "ResNet34",
    "ResNet34Config",
    "Sizes",
    "VGG16Config",
    "build",
    "check",
    "export_onnx",
    "load",
    "to_grey",
    "to_tensor",
    "window_sizes",
]
