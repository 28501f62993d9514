"""Is a person's geometry sound? Finite vertices, no collapsed or inverted skin, eyes within lids.

`identities.py` counts the unsound over a population; tests hold 25 people to it.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from avatars import hairroots, landmarks, optics, passes, shape, strands
from avatars.person import Person, Posed
from avatars.scene import SENSOR_MM, Camera
from avatars.units import UNITS

# Frontal pictures of both eyes, half a millimetre a pixel, from a metre away.
_SIZE, _MM = 256, 0.5
_CAMERA = Camera(
    focal=SENSOR_MM / _MM * 1000 / _SIZE, distance=1.0, azimuth=0.0, elevation=0.0, roll=0.0,
    shift=[0.0, 0.0],
)  # fmt: skip
_ANY = 1.0  # m: a strand so thick fills each pixel that it crosses
_EYE = passes.LABELS.index("eyes")
# How far an eye may show beyond straight lines between its six landmarks: lids are arcs, and an
# arc over a third of a lid rises this much. Set against 40 people measured (largest 1.5 mm).
ARC_MM = 2.0
# Pixels of eye that may show through shut lids: none, they overlap by 0.8 mm.
SLIT_PX = 0
# Of the area the same quad has on the base mesh, itself a person: less is a collapsed quad.
SMALLEST_AREA = 0.01
# Of the face's area that may look the other way than on the base mesh: folds of lid, nostril and
# ear turn by more than a right angle from one person to the next.
TURNED = 0.005


@dataclass(frozen=True)
class Soundness:
    """What was measured on one person; `faults` says in words what is wrong.

    `finite`; `smallest_area` of a skin quad as a share of the base mesh's; `turned` is the share of
    the face's area that looks the other way than on the base mesh; `open_px` pixels of eye seen at
    rest (half a millimetre each way), `beyond_mm` how far outside its landmarks the eye shows;
    `shut_px` pixels of eye seen when the lids are shut; `veiled_px` pixels of eye that a strand of
    hair crosses at rest; `buried` roots of hair under an ear.
    """

    finite: bool
    smallest_area: float
    turned: float
    open_px: int
    beyond_mm: float
    shut_px: int
    veiled_px: int
    buried: int

    @property
    def faults(self) -> list[str]:
        """One phrase a fault; empty for a sound person."""
        found = {
            "a vertex is not finite": not self.finite,
            f"a quad has shrunk to {self.smallest_area:.1e} of its area": not (
                self.smallest_area >= SMALLEST_AREA
            ),
            f"{self.turned:.1%} of the face is inside out": not self.turned <= TURNED,
            "no eye is seen at rest": self.open_px == 0,
            f"an eye shows {self.beyond_mm:.1f} mm outside its lids": self.beyond_mm > ARC_MM,
            f"{self.shut_px} pixels of eye are seen through shut lids": self.shut_px > SLIT_PX,
            f"hair crosses {self.veiled_px} pixels of eye": self.veiled_px > 0,
            f"{self.buried} hairs grow under an ear": self.buried > 0,
        }
        return [sentence for sentence, wrong in found.items() if wrong]


def examine(person: Person) -> Soundness:
    """Measure one person at rest and with lids shut."""
    rest = person.neutral
    if not all(np.isfinite(vertices).all() for vertices in rest.parts.values()):
        return Soundness(False, np.nan, np.nan, 0, np.nan, 0, 0, 0)
    shut_units = np.zeros((len(UNITS), 2))
    shut_units[list(UNITS).index("43")] = 1.0
    shut = person.posed(shut_units, np.zeros(3), np.zeros(2))
    areas, turned = _quads(person)
    seen, marks, crossed = _eyes(person, rest)
    return Soundness(
        finite=True,
        smallest_area=float(areas.min()),
        turned=turned,
        open_px=int(seen.sum()),
        beyond_mm=beyond(seen, marks) * _MM,
        shut_px=int(_eyes(person, shut)[0].sum()),
        veiled_px=int((seen & crossed).sum()),
        buried=_buried(person),
    )


def beyond(seen: np.ndarray, marks: np.ndarray) -> float:
    """Pixels from the farthest true pixel of `seen` (S, S) to the nearer eye's outline, 0 inside.

    `marks` (68, 2) are the landmarks in pixels; the outlines are polygons of six of them.
    """
    outlines = [marks[eye].astype(np.float32) for eye in (slice(36, 42), slice(42, 48))]
    rows, columns = np.nonzero(seen)
    outside = [
        -max(cv2.pointPolygonTest(outline, (x + 0.5, y + 0.5), True) for outline in outlines)
        for x, y in zip(columns.tolist(), rows.tolist(), strict=True)
    ]
    return max([0.0, *outside])


def _eyes(person: Person, posed: Posed) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a close frontal picture shows of the eyes.

    Where they are seen (S, S) bool, all landmarks (68, 2) there, and where hair runs (S, S) bool.
    """
    camera = optics.projection(_CAMERA, posed.landmarks[36:48].mean(axis=0), _SIZE)
    parts = [part for part in person.parts if part.name in ("skin", "eyes")]
    buffers = passes.rasterise(parts, posed.parts, camera, _SIZE)
    crossed = np.zeros(_SIZE**2, dtype=bool)
    for growth in posed.strands:
        thick = growth._replace(radius=_ANY)
        crossed[strands.cover(thick, camera, _SIZE, buffers.depth.ravel()).pixel] = True
    marks = landmarks.project(posed.landmarks, camera)
    return buffers.labels == _EYE, marks, crossed.reshape(_SIZE, _SIZE)


def _buried(person: Person) -> int:
    """Roots of the scalp's hair that an ear covers."""
    neutral = person.face.neutral
    roots = person.growths[0].roots.on(neutral)
    return int(hairroots.under(roots, [neutral[ids] for ids in person.ears]).sum())


def _quads(person: Person) -> tuple[np.ndarray, float]:
    """Area of each skin quad as a share of the base mesh's, and the share of the face turned over.

    Quads that the base mesh itself has without area count for nothing.
    """
    shaped = shape.normals(person.face.neutral, person.quads)
    base = shape.normals(person.base.mesh.vertices, person.quads)
    size, size_base = np.linalg.norm(shaped, axis=1), np.linalg.norm(base, axis=1)
    real = size_base > 1e-9
    front = base[:, 2] > 0.5 * size_base  # looks forwards: the face, not ears or the mouth's inside
    turned = front & ~(np.einsum("ij,ij->i", shaped, base) >= 0)
    return size[real] / size_base[real], float(size_base[turned].sum() / size_base[front].sum())
