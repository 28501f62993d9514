"""Checkpoints of the motion model: the published pickles and our own safetensors.

Published files are untrusted pickles on many hosts, so only torch's weights-only reader opens
them. Training form: `generator`, `kp_detector`, `discriminator`, three optimizers, `epoch`;
pruned form: `generator` and `kp_detector`. Own form: safetensors with keys `generator.<key>` and
`kp_detector.<key>` in float32 or float16.
"""

import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from fomm.config import CONFIGS, MotionConfig, named_config
from fomm.errors import CheckpointError
from fomm.model import MotionModel

State = dict[str, Tensor]
COMPONENTS = ("kp_detector", "generator")
_UNREADABLE = (
    OSError, RuntimeError, EOFError, ValueError, KeyError, zipfile.BadZipFile, SafetensorError
)  # fmt: skip


def load_checkpoint(
    path: str | os.PathLike[str],
    config: str | MotionConfig = "vox-256",
) -> MotionModel:
    """The motion model of a checkpoint file, on the CPU, in float32, ready to animate.

    `config` names the networks (`vox-256`, `vox-adv-256`, `compact-128`, `blend-128`), or is
    `auto`: the known ones whose shapes fit.
    CheckpointError when the file is missing, unreadable, holds code, or is of other networks.
    """
    states = read_components(Path(path))
    chosen = _fitting(states, Path(path)) if config == "auto" else named_config(config)
    model = MotionModel(chosen)
    for name in COMPONENTS:
        if name not in states:
            raise CheckpointError(f"{path} holds no '{name}'; it holds {_some(sorted(states))}")
        load_component(getattr(model, name), states[name], f"{path}: {name}")
    return model.eval()


def read_components(path: Path) -> dict[str, State]:
    """The state dicts of a checkpoint file by component, whatever its form."""
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; give the path of a motion checkpoint")
    if _is_safetensors(path):
        return _read_safetensors(path)
    content = _read_pickle(path)
    if not isinstance(content, dict):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a checkpoint")
    return {str(name): value for name, value in content.items() if _is_state(value)}


def load_component(network: nn.Module, state: State, where: str) -> None:
    """Fill `network` with `state`; CheckpointError names missing, extra and misshapen keys."""
    wanted = network.state_dict()
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    bent = [
        f"{key} {tuple(state[key].shape)} for {tuple(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in state and state[key].shape != tensor.shape
    ]
    faults = [("lacks", missing), ("has the unknown", extra), ("has the wrong shape of", bent)]
    found = [f"{what} {_some(keys)}" for what, keys in faults if keys]
    if found:
        raise CheckpointError(f"{where} does not fit the networks: it {', '.join(found)}")
    broken = [key for key, tensor in state.items() if not torch.isfinite(tensor).all()]
    if broken:
        raise CheckpointError(f"{where} has numbers that are not finite in {_some(broken)}")
    network.load_state_dict(state)


def save_checkpoint(path: Path, model: MotionModel, half: bool = False) -> None:
    """Write the model as safetensors, `half` in float16; the bytes depend on the weights only.

    The caller names a temporary path and renames it.
    """
    tensors = {
        f"{name}.{key}": (tensor.half() if half and tensor.is_floating_point() else tensor)
        for name in COMPONENTS
        for key, tensor in getattr(model, name).state_dict().items()
    }
    tensors = {key: tensor.cpu().contiguous() for key, tensor in tensors.items()}
    # One entry only: safetensors writes several in an order that changes from run to run.
    save_file(tensors, path, metadata={"config": model.config.name})


def _fitting(states: dict[str, State], path: Path) -> MotionConfig:
    """The first known configuration whose key-point detector and last layer fit the state."""
    shapes = _outline(states)
    for config in CONFIGS.values():
        with torch.device("meta"):  # shapes alone, no memory
            model = MotionModel(config)
        own = _outline({name: getattr(model, name).state_dict() for name in COMPONENTS})
        if shapes == {key: own.get(key) for key in shapes}:
            return config
    raise CheckpointError(f"{path} fits none of the known networks: {', '.join(CONFIGS)}")


def _outline(states: dict[str, State]) -> dict[str, torch.Size]:
    """Shapes that tell configurations apart; a fault elsewhere is told by the key it is at."""
    shapes = {key: tensor.shape for key, tensor in states.get("kp_detector", {}).items()}
    last = states.get("generator", {}).get("final.weight")
    return shapes if last is None else shapes | {"final.weight": last.shape}


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as stream:
        head = stream.read(9)  # eight bytes of length, then the header's brace
    return head[8:] == b"{" and int.from_bytes(head[:8], "little") < path.stat().st_size


def _read_safetensors(path: Path) -> dict[str, State]:
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise CheckpointError(f"{path} is a broken safetensors file: {error}") from error
    states: dict[str, State] = {}
    for name, tensor in tensors.items():
        component, _, key = name.partition(".")
        value = tensor.float() if tensor.is_floating_point() else tensor
        states.setdefault(component, {})[key] = value
    return states


def _read_pickle(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        reason = str(error).strip().splitlines()[0]
        raise CheckpointError(
            f"{path} is refused: it is no plain weights file, and may hold code ({reason})"
        ) from error
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} cannot be read as a checkpoint: {error}") from error


def _is_state(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(key, str) and isinstance(t, Tensor) for key, t in value.items())
    )


def _some(names: list[str]) -> str:
    """Up to three names, and how many more there are."""
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) + rest) or "nothing"
