"""What cameras and files do to portraits and renders lack: a colour cast, blur, traces of JPEG.

A pair of frames shares its faults, so that what is warped can still fit. Each is off at 0, and then
draws nothing: a training without them is what it was.
"""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

SOFT = (0.4, 1.6)  # px of a blur's standard deviation
QUALITY = (20, 85)  # of JPEG, as its library counts
BLOCK = 8
# ISO/IEC 10918-1, annex K, tables K.1 and K.2: what quality 50 divides by.
LUMA = (
    16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113,
    92, 49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip
CHROMA = (
    17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99, 24, 26, 56, 99, 99, 99, 99, 99,
    47, 66, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
    99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
)  # fmt: skip
_TO_YCC = torch.tensor(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)


def faults(
    count: int, cast: float, blur: float, jpeg: float, rng: np.random.Generator
) -> dict[str, Tensor]:
    """What befalls `count` pairs: `cast` (N, 3) gains, `blur` (N,) px, `jpeg` (N,) quality.

    `cast` is the standard deviation of a channel's log gain; `blur` and `jpeg` are the shares of
    pairs that have them. A blur of 0 px and a quality of 0 stand for none.
    """
    found = {}
    if cast > 0:
        found["cast"] = np.exp(rng.normal(0, cast, (count, 3)))
    if blur > 0:
        found["blur"] = np.where(rng.random(count) < blur, rng.uniform(*SOFT, count), 0.0)
    if jpeg > 0:
        found["jpeg"] = np.where(rng.random(count) < jpeg, rng.integers(*QUALITY, count), 0)
    return {name: torch.from_numpy(value).float() for name, value in found.items()}


def degraded(images: Tensor, found: dict[str, Tensor]) -> Tensor:
    """(N, 3, H, W) in [0, 1] as a camera and a file leave them: cast, then blur, then JPEG."""
    if "cast" in found:
        images = (images * found["cast"][:, :, None, None]).clamp(0, 1)
    rows = list(images)
    for number, picture in enumerate(rows):
        if "blur" in found and found["blur"][number] > 0:
            picture = blurred(picture, float(found["blur"][number]))
        if "jpeg" in found and found["jpeg"][number] > 0:
            picture = jpeg_traces(picture, float(found["jpeg"][number]))
        rows[number] = picture
    return torch.stack(rows) if found else images


def blurred(picture: Tensor, sigma: float) -> Tensor:
    """(3, H, W) under a Gaussian of `sigma` px; the border repeats."""
    reach = math.ceil(3 * sigma)
    at = torch.arange(-reach, reach + 1, dtype=picture.dtype)
    line = torch.exp(-at.square() / (2 * sigma**2))
    line = (line / line.sum()).expand(3, 1, 1, -1)
    wide = F.pad(picture[None], (reach, reach, reach, reach), mode="replicate")
    return F.conv2d(F.conv2d(wide, line, groups=3), line.mT, groups=3)[0]


def jpeg_traces(picture: Tensor, quality: float) -> Tensor:
    """(3, H, W) in [0, 1] after JPEG's rounding of 8 x 8 blocks; chroma at full resolution."""
    height, width = picture.shape[1:]
    ycc = torch.einsum("ij,jhw->ihw", _TO_YCC, 255 * picture) - torch.tensor([128.0, 0, 0])[
        :, None, None
    ]  # fmt: skip
    padded = F.pad(ycc[None], (0, -width % BLOCK, 0, -height % BLOCK), mode="replicate")[0]
    cells = padded.unfold(1, BLOCK, BLOCK).unfold(2, BLOCK, BLOCK)  # (3, h, w, 8, 8)
    cosine = _cosines()
    step = _steps(quality)[:, None, None]
    rounded = torch.round(cosine @ cells @ cosine.T / step) * step
    back = (cosine.T @ rounded @ cosine).permute(0, 1, 3, 2, 4).reshape(padded.shape)
    back = back[:, :height, :width] + torch.tensor([128.0, 0, 0])[:, None, None]
    return torch.einsum("ij,jhw->ihw", torch.linalg.inv(_TO_YCC), back).div(255).clamp(0, 1)


def _cosines() -> Tensor:
    """The (8, 8) orthonormal cosine transform."""
    k, n = torch.meshgrid(torch.arange(BLOCK), torch.arange(BLOCK), indexing="ij")
    waves = torch.cos(math.pi * (2 * n + 1) * k / (2 * BLOCK)) * (2 / BLOCK) ** 0.5
    waves[0] /= 2**0.5
    return waves


def _steps(quality: float) -> Tensor:
    """(3, 8, 8) quantisation steps, as libjpeg scales the tables."""
    scale = 5000 / quality if quality < 50 else 200 - 2 * quality
    tables = torch.tensor([LUMA, CHROMA, CHROMA], dtype=torch.float32).view(3, BLOCK, BLOCK)
    return ((tables * scale + 50) / 100).floor().clamp(1, 255)
