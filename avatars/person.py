"""A whole person: skin, gown and every fitted part, posed together. No Blender in here."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avatars import basemesh, complexion, hair, hairroots, landmarks, occluders, pose, proxy
from avatars.assets import Assets
from avatars.creases import Folds
from avatars.face import Face
from avatars.identity import Identity
from avatars.proxy import Proxy
from avatars.strands import Strands
from avatars.targets import Targets
from avatars.units import UNITS

METRES = 0.1  # a decimetre
_NECKLINE = 5.95  # dm: the gown begins below, and rises towards the shoulders and the nape
_NECKLINE_RISE = 0.22
# The young Caucasian skins are painted with a dark suit whose collar reaches 0.36 dm higher there.
_NAPE, _NAPE_RISE = 0.6, 0.5  # dm: z from which, backwards, and dm a dm
_HEADROOM = 0.018  # m: keeps the hair in the picture
_GOWN_EASE = 0.06  # dm the cloth stands off the skin
# dm that eyes lie deeper than the asset's own fit: on flat faces the ball came through the skin
# beside the eye's outer corner (three of 1,000 people); 0.4 mm hid it, 0.5 leaves none of 2,000.
_EYE_DEPTH = np.array([0.0, 0.0, 0.005])


@dataclass(frozen=True)
class Part:
    """What a renderer needs once: quads (F, 4), corner uvs (F, 4, 2), material by name.

    `material` is skin|hair|eye|mouth, or an occluder's, which has no texture; `tint` linear RGB or
    None keeps the texture's colours;
    `gown` (V,) decimetres below the neckline, positive where cloth covers the skin, `cover` (V,)
    share of hair's shade between its strands (both skin only).
    """

    name: str
    quads: np.ndarray
    uvs: np.ndarray
    material: str
    texture: Path | None
    tint: list[float] | None = None
    gown: np.ndarray | None = None
    cover: np.ndarray | None = None


@dataclass(frozen=True)
class Posed:
    """One frame: vertices of every part by name and 68 landmarks, world metres (z up).

    Skin vertices that neither a quad nor a landmark uses are not posed.
    `apertures` (2,) and `mouth` in millimetres; `facing` needs a camera and lives in truth;
    `creases` (V, 3) in [0, 1] is how far the skin's folds are pulled (`avatars.creases`);
    `strands`, float32, is each of `Person.growths` in its turn.
    """

    parts: dict[str, np.ndarray]
    landmarks: np.ndarray
    apertures: np.ndarray
    mouth: float
    creases: np.ndarray
    strands: tuple[Strands, ...]


class Person:
    """An identity made of geometry; `posed` is all that moves."""

    def __init__(
        self, identity: Identity, assets: Assets, targets: Targets, worn: Sequence[str] = ()
    ) -> None:
        """`worn` are names of `occluders`; AvatarError for an unknown one."""
        self.identity = identity
        self.albedo = complexion.albedo(assets.skin(identity.skin), identity)
        self.cast = complexion.cast(assets.skin(identity.skin), identity)
        self.base = basemesh.load(assets)
        self.face = Face(identity, self.base, targets)
        self._scale = proxy.head_scale(self.base, self.face.neutral)
        self._proxies = _proxies(identity, assets)
        self._weights = {p.name: p.weights(self.base) for p, _ in self._proxies.values()}
        self._eyes = self._proxies["eyes"][0].fit(self.face.neutral, self._scale) - _EYE_DEPTH
        self._centres = pose.eye_centres(self._eyes)
        self.quads = self.base.mesh.quads[self.base.skin]
        self._shown = np.union1d(self.quads, landmarks.anchors())
        self._gown = self._below_neckline()
        self._ease = self._gown_ease()
        self._folds = Folds(identity, self.base)
        wearer = hair.Wearer(identity, self.base, self.face.neutral, assets)
        self.ears = hairroots.ears(assets)  # vertex ids, left and right
        self.growths = hair.wear(wearer)
        self._cover = hair.cover(wearer)
        self._worn = occluders.dress(worn, self.face.neutral, self.base)
        self.parts = self._parts(assets)

    @property
    def centre(self) -> np.ndarray:
        """(3,) world metres a little above the middle of the face: what the camera looks at."""
        points = landmarks.locate(self.face.neutral)
        middle = to_world(points[[36, 39, 42, 45, 48, 54]].mean(axis=0))
        return np.add(middle, [0.0, 0.0, _HEADROOM])

    @property
    def neutral(self) -> Posed:
        """The person at rest, looking ahead."""
        return self.posed(np.zeros((len(UNITS), 2)), np.zeros(3), np.zeros(2))

    def posed(
        self, executed: np.ndarray, head_deg: np.ndarray, gaze_deg: np.ndarray,
        shift_mm: float = 0.0, breath_mm: float = 0.0, gaze_m: float = 1.0,
    ) -> Posed:  # fmt: skip
        """The frame of `executed` units (U, 2), head (3,) and gaze (2,) in degrees.

        `shift_mm` is how far the head is carried forward (unit 57) or, negative, back (58);
        `breath_mm` how far a breath lifts the shoulders; `gaze_m` how far off both eyes look.
        """
        straight = self.face.express(executed, gaze_deg)
        maps = pose.chain_transforms(self.base, self.face.neutral, head_deg, shift_mm, breath_mm)
        skin = straight.copy()
        shown = self._shown
        skin[shown] = pose.skin(straight[shown], self.base.weights[shown], maps)
        parts = {"skin": skin + self._ease}
        for kind, (part, _) in self._proxies.items():
            if kind == "eyes":
                fitted = pose.turn_eyes(self._eyes, self._centres, gaze_deg, gaze_m / METRES)
            else:
                fitted = part.fit(straight, self._scale)
            parts[kind] = pose.skin(fitted, self._weights[part.name], maps)
        for thing in self._worn:
            fitted = thing.fit(self.face.neutral, straight)
            parts[thing.piece.name] = pose.skin(fitted, thing.weights, maps)
        marks = landmarks.locate(skin)
        return Posed(
            parts={name: to_world(vertices) for name, vertices in parts.items()},
            landmarks=to_world(marks),
            apertures=100 * landmarks.apertures(straight),
            mouth=100 * landmarks.mouth_opening(marks),
            creases=self._folds.field(executed),
            strands=tuple(
                Strands(g.name, to_world(g.posed(straight, maps)).astype(np.float32), g.radius)
                for g in self.growths
            ),
        )

    def _parts(self, assets: Assets) -> list[Part]:
        mesh, skin = self.base.mesh, self.base.skin
        texture = assets.skin(self.identity.skin)
        body = Part(
            "skin", self.quads, mesh.uvs[skin], "skin", texture, gown=self._gown, cover=self._cover
        )
        fitted = [
            Part(kind, p.mesh.quads, p.mesh.uvs, _MATERIALS[kind], p.texture, tint)
            for kind, (p, tint) in self._proxies.items()
        ]
        worn = [
            Part(t.piece.name, t.piece.solid.quads, t.piece.solid.uvs[t.piece.solid.quads],
                 t.piece.material, None)
            for t in self._worn
        ]  # fmt: skip
        return [body, *fitted, *worn]

    def _below_neckline(self) -> np.ndarray:
        """(V,) decimetres below the neckline on the base mesh."""
        x, y, z = self.base.mesh.vertices.T
        rise = _NECKLINE_RISE * np.abs(x) + _NAPE_RISE * np.clip(_NAPE - z, 0, None)
        return np.asarray(_NECKLINE + rise - y)

    def _gown_ease(self) -> np.ndarray:
        """(V, 3) outward offsets that lift the cloth off the skin, fading in at the neckline."""
        corners = self.face.neutral[self.quads]
        normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
        outwards = np.zeros_like(self.face.neutral)
        for corner in range(4):
            np.add.at(outwards, self.quads[:, corner], normals)
        length = np.linalg.norm(outwards, axis=1, keepdims=True)
        outwards = np.divide(outwards, length, where=length > 0, out=np.zeros_like(outwards))
        return np.asarray(_GOWN_EASE * np.clip(self._gown / 0.2, 0, 1)[:, None] * outwards)


_MATERIALS = {"eyes": "eye", "lashes": "hair", "teeth": "mouth", "tongue": "mouth"}


def _proxies(identity: Identity, assets: Assets) -> dict[str, tuple[Proxy, list[float] | None]]:
    eyes = proxy.load(assets, "eyes", "HighPolyEyes", f"textures/{identity.iris}_eye.png")
    return {
        "eyes": (eyes, None),
        "lashes": (proxy.load(assets, "eyelashes", identity.eyelashes), [0.01, 0.01, 0.01]),
        "teeth": (proxy.load(assets, "teeth", "Teeth_Base"), None),
        "tongue": (proxy.load(assets, "tongue", "tongue01"), None),
    }


def to_world(points: np.ndarray) -> np.ndarray:
    """Mesh decimetres (x left, y up, z forwards) to world metres (x left, -y forwards, z up)."""
    turned = np.stack([points[..., 0], -points[..., 2], points[..., 1]], axis=-1)
    return np.asarray(METRES * turned)
