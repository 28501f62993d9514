"""Skin tone as a picture shows it: the individual typology angle of the cheeks."""

import cv2
import numpy as np

# Chardon et al., Int J Cosmet Sci 1991;13:191-208, its six classes joined in pairs; degrees.
TONES = (("dark", 10.0), ("medium", 41.0), ("light", 90.0))  # name, upper end
CHEEKS = (slice(0.50, 0.64), (slice(0.32, 0.42), slice(0.58, 0.68)))  # of the crop: rows, columns


def typology_angle(crop: np.ndarray) -> float:
    """Degrees of an (S, S, 3) uint8 RGB crop of a frontal face: arctan((L* - 50) / b*).

    CIE L*a*b* of the two cheeks' median; from -90 (darkest) to 90. The lamp counts too: it says
    how light the skin is in the picture, which is what a network gets.
    """
    side = len(crop)
    rows = _pixels(CHEEKS[0], side)
    skin = np.concatenate([crop[rows, _pixels(part, side)].reshape(-1, 3) for part in CHEEKS[1]])
    lab = cv2.cvtColor((np.median(skin, axis=0)[None, None] / 255).astype(np.float32),
                       cv2.COLOR_RGB2LAB)[0, 0]  # fmt: skip
    return float(np.degrees(np.arctan2(lab[0] - 50, max(float(lab[2]), 1e-3))))


def tone(crop: np.ndarray) -> str:
    """`dark`, `medium` or `light`, by `typology_angle`."""
    angle = typology_angle(crop)
    return next(name for name, end in TONES if angle <= end)


def _pixels(part: slice, side: int) -> slice:
    return slice(round(part.start * side), round(part.stop * side))
