"""What a network loses with a part of its window hidden: where on the face, and when, it looked."""

import numpy as np

from pipeline.task import Hidden

# Shares of the crop's side, top, bottom, left and right: brows to lower lids, upper lip to chin.
# By eye, over crops of many people; whoever has a high mouth or a long nose is covered too.
REGIONS: dict[Hidden, tuple[float, float, float, float]] = {
    "eyes": (0.18, 0.45, 0.08, 0.92),
    "mouth": (0.51, 0.84, 0.20, 0.80),
}
MOMENTS: tuple[Hidden, ...] = ("start", "middle", "end")  # thirds of the window


def hidden(windows: np.ndarray, part: Hidden) -> np.ndarray:
    """Copies of uint8 windows (as `cut_windows` gives them) with a part of each made flat.

    A part is a region of every frame or every pixel of some frames; it takes the window's own mean,
    channel by channel, so that nothing else of the window changes its look.
    """
    made = windows.copy()
    frames, side = windows.shape[1:3]
    mean = windows.mean(axis=(1, 2, 3), keepdims=True).round().astype(np.uint8)
    if part in REGIONS:
        top, bottom, left, right = (round(share * side) for share in REGIONS[part])
        made[:, :, top:bottom, left:right] = mean
    else:
        third = MOMENTS.index(part)
        first, last = (round(frames * edge / len(MOMENTS)) for edge in (third, third + 1))
        made[:, first : max(last, first + 1)] = mean
    return made
