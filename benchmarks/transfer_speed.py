"""The plain motion graph against the prepared one, paired in one process."""

import time
from statistics import median

import numpy as np
import torch
from torch import nn

import fomm
from fomm.keypoints import relative_motion
from fomm.model import MotionModel

FRAMES = 8  # of the clip that is timed
GAINS = {"kp_detector.kp": 0.5, "kp_detector.jacobian": 0.5, "generator.final": 1.0, "conv2": 0.7}


def measure(rounds: int, config: str = "vox-256") -> dict[str, object]:
    """Times and errors of the modes on random weights; prints a table."""
    model = random_model(config)
    size = model.config.size
    source, driving = _faces(size)
    plain = plain_animation(model, source, driving)
    found: dict[str, object] = {}
    for mode in ("exact", "fast"):
        made = fomm.prepare(model, mode)
        error = np.abs(made.model.animate(source, driving) - plain)
        ratio = _paired(model, made.model, source, driving, rounds)
        print(
            f"{mode:>6} is {made.mode} ({made.because}; {made.how}): {ratio:.2f} x faster than "
            f"the plain graph at {size} px, max error {error.max():.1e}, mean {error.mean():.1e}"
        )
        found |= {
            f"{mode}_speedup": round(ratio, 2), f"{mode}_is": made.mode,
            f"{mode}_max_error": float(error.max()), f"{mode}_mean_error": float(error.mean()),
        }  # fmt: skip
    return found


@torch.inference_mode()
def plain_animation(model: MotionModel, source: np.ndarray, driving: np.ndarray) -> np.ndarray:
    """Upstream's order of work: frame by frame, the source encoded anew for each."""
    image, clip = (_images(x) for x in (source, driving))
    points, initial = model.kp_detector(image), model.kp_detector(clip[:1])
    made = []
    for frame in clip.split(1):
        to = relative_motion(points, initial, model.kp_detector(frame))
        made.append(model.generator(image, points, to, model.align_corners).prediction)
    return torch.cat(made).permute(0, 2, 3, 1).numpy()


def _paired(
    plain: MotionModel, fast: MotionModel, source: np.ndarray, driving: np.ndarray, rounds: int
) -> float:
    """How many times faster `fast` makes the whole clip: the median of alternating rounds.

    Key points of the clip and the portrait's features are counted in, though a line that reuses
    them over portraits and clips does not pay for them each time.
    """
    ratios = []
    for _ in range(rounds):
        slow = _seconds(lambda: plain_animation(plain, source, driving))
        ratios.append(slow / _seconds(lambda: fast.animate(source, driving)))
    return median(ratios)


def _seconds(work) -> float:
    # One thread's own processor time is the same on a busy machine; several threads' is not.
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    work()
    return clock() - start


def random_model(config: str, seed: int = 11) -> MotionModel:
    """Weights that keep every layer's signal alive, so that errors show as in a trained model."""
    torch.manual_seed(seed)
    model = MotionModel(fomm.CONFIGS[config])
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Conv2d):
            gain = next((g for part, g in GAINS.items() if part in name), 2.0)
            weight = torch.randn_like(layer.weight)
            weight -= weight.mean(dim=(1, 2, 3), keepdim=True)  # else one colour drowns the rest
            layer.weight.data = weight * gain / weight[0].numel() ** 0.5
        elif isinstance(layer, nn.BatchNorm2d):
            layer.running_var.uniform_(0.5, 1.5)
            layer.running_mean.uniform_(-0.2, 0.2)
            layer.weight.data.uniform_(0.8, 1.2)
    return model.eval()


def _faces(size: int) -> tuple[np.ndarray, np.ndarray]:
    """A photograph and a window that moves over it, float32 in [0, 1]."""
    import skimage.data

    picture = skimage.data.astronaut().astype(np.float32) / 255
    views = [picture[20 + i : 20 + i + size, 90 + 2 * i : 90 + 2 * i + size] for i in range(FRAMES)]
    return views[0], np.stack(views)


def _images(frames: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(frames.reshape(-1, *frames.shape[-3:])).permute(0, 3, 1, 2)
