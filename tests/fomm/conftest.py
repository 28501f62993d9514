"""Golden files and the deterministic weights they were made with."""

import json
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch

import fomm
from fomm.data import Performances

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
def committed():
    """The motion model in the repository: its decoder blends."""
    path = DATA.parents[2] / "checkpoints" / "motion" / "blend-128.safetensors"
    return fomm.load_checkpoint(path, "auto")


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


@pytest.fixture(scope="session")
def performances():
    """(people, motions, length) > drawn faces that all perform the same motions, 128 px."""

    def make(people: int, motions: int, length: int, seed: int = 1):
        looks = [np.random.default_rng([seed, 0, i]) for i in range(people)]
        moves = [np.random.default_rng([seed, 1, i]) for i in range(motions)]
        looks = [_look(rng) for rng in looks]
        paths = [_path(rng, length) for rng in moves]
        drawn = [[[_draw(look, pose) for pose in path] for path in paths] for look in looks]
        frames = np.array([[[face for face, _ in clip] for clip in row] for row in drawn])
        landmarks = np.array([[[marks for _, marks in clip] for clip in row] for row in drawn])
        return Performances(frames, landmarks.astype(np.float32))

    return make


def _look(rng: np.random.Generator) -> dict:
    return {
        "skin": rng.uniform(0.45, 0.9) * np.array([1.0, 0.8, 0.68]),
        "hair": rng.uniform(0.1, 0.4, 3),
        "back": rng.uniform(0.2, 0.8, 3),
        "wide": rng.uniform(0.4, 0.5),
        "high": rng.uniform(0.55, 0.62),
        "eyes": rng.uniform(0.17, 0.21),
    }


def _path(rng: np.random.Generator, length: int) -> list[dict]:
    """From neutral to an apex: closure and opening in [0, 1], head moves as shares of the frame."""
    close, part, turn, rise = rng.integers(2), rng.integers(2), *rng.uniform(-0.15, 0.15, 2)
    return [
        {"close": s * close, "part": s * part, "x": s * turn, "y": s * rise}
        for s in np.sin(np.linspace(0, np.pi / 2, length))
    ]


def _draw(look: dict, pose: dict, size: int = 128) -> tuple[np.ndarray, np.ndarray]:
    g = (np.arange(size) + 0.5) / size * 2 - 1
    u, v = np.meshgrid(g - pose["x"], g - pose["y"])
    image = np.broadcast_to(look["back"], (size, size, 3))
    lid, lip = 0.01 + 0.07 * (1 - pose["close"]), 0.02 + 0.09 * pose["part"]
    parts = [
        ((0, -0.06, look["wide"] + 0.1, look["high"] + 0.12), look["hair"]),
        ((0, 0.02, look["wide"], look["high"]), look["skin"]),
        ((0, 0.1, 0.05, 0.12), 0.8 * look["skin"]),
        ((0, 0.36, 0.17, lip + 0.03), np.array([0.65, 0.3, 0.3])),
        ((0, 0.36, 0.14, lip), np.array([0.15, 0.05, 0.05])),
    ]
    for side in (-1, 1):
        parts.append(((side * look["eyes"], -0.12, 0.11, lid), np.array([0.95, 0.95, 0.95])))
        parts.append(((side * look["eyes"], -0.12, 0.05, min(0.05, lid)), look["hair"] * 0.5))
    for (x, y, a, b), colour in parts:
        inside = np.hypot((u - x) / a, (v - y) / b)
        mask = 1 / (1 + np.exp(np.clip(60 * min(a, b) * (inside - 1), -50, 50)))[..., None]
        image = image * (1 - mask) + mask * colour
    return np.rint(image * 255).astype(np.uint8), _marks(look, pose, lid, lip, size)


def _marks(look: dict, pose: dict, lid: float, lip: float, size: int) -> np.ndarray:
    """68 points in pixels; only jaw, nose, lids and lips are placed with care."""
    marks = np.zeros((68, 2))
    jaw = np.pi * np.arange(17) / 16
    marks[:17] = np.stack([-look["wide"] * np.cos(jaw), 0.02 + look["high"] * np.sin(jaw)], axis=-1)
    marks[17:27, 0], marks[17:27, 1] = np.linspace(-0.35, 0.35, 10), -0.28
    marks[27:36] = [0, 0.18]
    for start, x in ((36, -look["eyes"]), (42, look["eyes"])):
        across = np.array([-0.11, -0.04, 0.04, 0.11, 0.04, -0.04])
        marks[start : start + 6] = np.stack(
            [x + across, -0.12 + lid * np.array([0, -1, -1, 0, 1, 1])], -1
        )
    angle = np.pi + 2 * np.pi * np.arange(12) / 12
    marks[48:60] = np.stack([0.17 * np.cos(angle), 0.36 + (lip + 0.03) * np.sin(angle)], -1)
    angle = np.pi + 2 * np.pi * np.arange(8) / 8
    marks[60:68] = np.stack([0.14 * np.cos(angle), 0.36 + lip * np.sin(angle)], -1)
    return (marks + [pose["x"], pose["y"]] + 1) / 2 * size
