"""Golden files and the deterministic weights they were made with."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

DATA = Path(__file__).parents[1] / "data" / "fomm"
TABLES = {
    "vox-256": "vox256_state_dict.json",
    "vox-adv-256": "vox_adv_256_state_dict.json",
    "compact-128": "compact_128_state_dict.json",
}
WRAP = (1 << 64) - 1
GAINS = [  # (component, part of the key, gain); the first that fits counts
    ("kp_detector", "jacobian.weight", 0.5),
    ("generator", "dense_motion_network.mask", 2.0),
    ("generator", "dense_motion_network.occlusion", 2.0),
    ("generator", "final.weight", 1.0),
    ("generator", "bottleneck", 0.7),
    ("discriminator", "", 1.4),
]


@pytest.fixture(scope="session", autouse=True)
def _two_threads():
    torch.set_num_threads(2)


@pytest.fixture(scope="session")
def table():
    """config name > component > key > shape."""
    return lambda config: json.loads((DATA / TABLES[config]).read_text())


@pytest.fixture(scope="session")
def golden():
    """name > the arrays of one golden file."""
    return lambda name: np.load(DATA / f"{name}.npz")


@pytest.fixture(scope="session")
def states(table):
    """(config, seed) > component > state dict, as the golden files' weights."""

    def make(config: str, seed: int) -> dict[str, dict[str, torch.Tensor]]:
        parts = table(config)
        # Spectral norm's vectors are not in the recipe: no golden file uses that discriminator.
        if config == "vox-256":
            parts.pop("discriminator")
        return {
            part: {k: torch.from_numpy(_tensor(part, k, shape, seed)) for k, shape in keys.items()}
            for part, keys in parts.items()
        }

    return make


@pytest.fixture(scope="session")
def saved(states, tmp_path_factory):
    """(config, seed) > a checkpoint file of those weights in the pruned form."""
    made = {}

    def save(config: str, seed: int) -> Path:
        if (config, seed) not in made:
            path = tmp_path_factory.mktemp("golden") / "checkpoint.pth.tar"
            torch.save(states(config, seed), path)
            made[config, seed] = path
        return made[config, seed]

    return save


@pytest.fixture(scope="session")
def uniform():
    """(name, shape) > the loss file's uniform numbers in [-1, 1)."""

    def draw(name: str, shape: tuple[int, ...]) -> torch.Tensor:
        values = _integers(f"loss/{name}", 31, int(np.prod(shape))) / 2.0**20
        return torch.from_numpy(values.reshape(shape).astype(np.float32))

    return draw


def _mix(z):
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WRAP
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WRAP
    return z ^ (z >> 31)


def _integers(name: str, seed: int, count: int) -> np.ndarray:
    """`count` splitmix64 numbers in [-2^20, 2^20) named by `name`."""
    start = _mix(((seed << 32) + zlib.crc32(name.encode())) & WRAP)
    u64 = np.uint64
    with np.errstate(over="ignore"):
        z = np.arange(1, count + 1, dtype=u64) * u64(0x9E3779B97F4A7C15) + u64(start)
        z = (z ^ (z >> u64(30))) * u64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> u64(27))) * u64(0x94D049BB133111EB)
        z = z ^ (z >> u64(31))
    return (z >> u64(43)).astype(np.int64) - (1 << 20)


def _tensor(part: str, key: str, shape: list[int], seed: int) -> np.ndarray:
    if key.endswith("num_batches_tracked"):
        return np.array(1000, dtype=np.int64)
    if key.endswith("down.weight"):
        return _gaussian(shape)
    name, count = f"{part}.{key}", int(np.prod(shape))
    if len(shape) == 4:
        return _convolution(
            _integers(name, seed, count).reshape(shape[0], -1), part, key, seed, shape
        )
    return _vector(key, _integers(name, seed, count).reshape(shape) / 2.0**20).astype(np.float32)


def _gaussian(shape: list[int]) -> np.ndarray:
    size = shape[-1]
    sigma = ({13: 4, 5: 2, 29: 8}[size] - 1) / 2
    x = np.arange(size) - (size - 1) / 2
    line = np.exp(-x * x / (2 * sigma**2))
    kernel = np.outer(line, line)
    return np.broadcast_to(kernel / kernel.sum(), shape).astype(np.float32)


def _convolution(v: np.ndarray, part: str, key: str, seed: int, shape: list[int]) -> np.ndarray:
    n = v.shape[1]
    centred = n * v - v.sum(axis=1, keepdims=True)
    scale = _gain(part, key, seed) * np.sqrt(3.0) / np.sqrt(float(n)) / (float(n) * (1 << 20))
    return (centred * scale).astype(np.float32).reshape(shape)


def _gain(part: str, key: str, seed: int) -> float:
    if (part, key) == ("kp_detector", "kp.weight"):
        return 0.5 if seed % 2 else 2.0
    for owner, piece, gain in GAINS:
        if owner == part and piece in key and not (piece == "bottleneck" and "conv1" in key):
            return gain
    return 2.0


def _vector(key: str, u: np.ndarray) -> np.ndarray:
    if key == "jacobian.bias":
        return np.tile([1.0, 0.0, 0.0, 1.0], len(u) // 4) + 0.15 * u
    if key.endswith("running_var"):
        return 1 + 0.5 * u
    if key.endswith("running_mean"):
        return 0.2 * u
    if ".norm" in key and key.endswith("weight"):
        return 1 + 0.2 * u
    return 0.1 * u
