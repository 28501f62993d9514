"""First order motion model (Siarohin et al., NeurIPS 2019), written from the paper.

model = fomm.load_checkpoint("motion/compact-128.safetensors", config="compact-128")
frames = model.animate(portrait, driving)
"""

from fomm.checkpoint import load_checkpoint, save_checkpoint
from fomm.config import CONFIGS, MotionConfig
from fomm.errors import CheckpointError, MotionError
from fomm.fast import Prepared, prepare
from fomm.generator import Generated
from fomm.keypoints import KeyPoints
from fomm.model import MotionModel, Portrait

__all__ = [
    "CONFIGS",
    "CheckpointError",
    "Generated",
    "KeyPoints",
    "MotionConfig",
    "MotionError",
    "MotionModel",
    "Portrait",
    "Prepared",
    "load_checkpoint",
    "prepare",
    "save_checkpoint",
]
