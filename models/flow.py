"""Optical flow of two pictures, and what of it is not the head's own motion. No weights, no fit.

Lucas & Kanade 1981 from coarse to fine (Bouguet 2001): at each level the flow that best explains
the difference in a Gaussian neighbourhood, three times, each time from where the last one led.
"""

import torch
from torch import Tensor
from torch.nn import functional

LEVELS = 3  # 128, 64 and 32 pixels: motions up to some eight pixels, a smile's width
ROUNDS = 3  # with each the neighbourhood is read nearer to where it went
WINDOW = 1 / 32  # of the side: the standard deviation of a neighbourhood, at each level
FLAT = 1e-4  # added to squared gradients of grey in [0, 1]: plain skin stays where it is
STEP = 2.0  # pixels a round at most: where a neighbourhood has one edge, a step means nothing


def optical_flow(first: Tensor, second: Tensor, size: int) -> Tensor:
    """(N, 2, S, S) pixels right and down from `first` to `second`, each (N, 1, S, S) in [0, 1].

    `second`, sampled at a pixel's place plus its flow, is like `first` there. S, the `size`, is a
    multiple of 16; a number of Python's, so that an exported network holds no sum over shapes.
    """
    pyramid = [(first, second)]
    for _ in range(LEVELS - 1):
        pyramid.append((_half(pyramid[-1][0]), _half(pyramid[-1][1])))
    flow = torch.zeros_like(pyramid[-1][0]).repeat(1, 2, 1, 1)
    for level in reversed(range(LEVELS)):
        if level < LEVELS - 1:
            flow = 2 * functional.interpolate(flow, scale_factor=2.0, mode="bilinear")
        flow = _refined(flow, *pyramid[level], size // 2**level, WINDOW * size)
    return flow


def own_motion(flow: Tensor, size: int) -> Tensor:
    """The flow less the shift, roll and zoom that fit it best around the centre of the crop.

    Takes and returns (N, 2, S, S). Least squares, with a Gaussian weight as wide as a face: a
    room behind a moving head does not move with it.
    """
    basis, weighted = _similarities(size)
    flat = flow.flatten(1)
    return (flat - flat @ weighted @ basis.T).view_as(flow)


def _half(pictures: Tensor) -> Tensor:
    return functional.avg_pool2d(pictures, 2)


def _refined(flow: Tensor, first: Tensor, second: Tensor, size: int, wide: float) -> Tensor:
    across, down = _gradients(first)
    squares = torch.cat([across * across, across * down, down * down], 1)
    xx, xy, yy = blurred(squares, wide).split(1, 1)
    xx, yy = xx + FLAT, yy + FLAT
    determinant = xx * yy - xy * xy
    for _ in range(ROUNDS):
        left = first - moved(second, flow, size)
        x, y = blurred(torch.cat([across * left, down * left], 1), wide).split(1, 1)
        step = torch.cat([yy * x - xy * y, xx * y - xy * x], 1) / determinant
        flow = flow + step.clamp(-STEP, STEP)
    return flow


def _gradients(pictures: Tensor) -> tuple[Tensor, Tensor]:
    wide = functional.pad(pictures, (1, 1, 1, 1), mode="replicate")
    across = wide[:, :, 1:-1, 2:] - wide[:, :, 1:-1, :-2]
    down = wide[:, :, 2:, 1:-1] - wide[:, :, :-2, 1:-1]
    return across / 2, down / 2


def blurred(pictures: Tensor, deviation: float) -> Tensor:
    """(N, C, S, S) under a Gaussian of a standard deviation in pixels, the edges repeated."""
    radius = max(1, round(3 * deviation))
    places = torch.arange(-radius, radius + 1, dtype=pictures.dtype)
    kernel = torch.exp(-((places / deviation) ** 2) / 2)
    kernel = (kernel / kernel.sum())[None, None, None]
    # Each channel by itself, as a picture of its own.
    wide = functional.pad(pictures.flatten(0, 1)[:, None], (radius,) * 4, mode="replicate")
    soft = functional.conv2d(functional.conv2d(wide, kernel), kernel.transpose(2, 3))
    return soft.view_as(pictures)


def moved(pictures: Tensor, flow: Tensor, size: int) -> Tensor:
    """(N, C, S, S) sampled at each pixel's place plus its flow (N, 2, S, S); edges go on."""
    line = torch.arange(size, dtype=flow.dtype)
    x, y = line + flow[:, 0], line[:, None] + flow[:, 1]
    grid = torch.stack([x, y], -1) * 2 / (size - 1) - 1
    return functional.grid_sample(pictures, grid, padding_mode="border", align_corners=True)


def _similarities(size: int) -> tuple[Tensor, Tensor]:
    """(2 S S, 4) motions of a shift across, one down, a zoom and a roll; and what fits them."""
    line = (torch.arange(size, dtype=torch.float64) - (size - 1) / 2) / size
    y, x = torch.meshgrid(line, line, indexing="ij")
    one, nothing = torch.ones_like(x), torch.zeros_like(x)
    motions = [(one, nothing), (nothing, one), (x, y), (-y, x)]
    basis = torch.stack([torch.stack(motion).flatten() for motion in motions], 1)
    weight = torch.exp(-((x / 0.25) ** 2 + (y / 0.31) ** 2) / 2)  # of the side: eyes, nose, mouth
    heavy = basis * torch.stack([weight, weight]).flatten()[:, None]
    fitting = torch.linalg.solve(heavy.T @ basis, heavy.T).T
    return basis.float(), fitting.float()
