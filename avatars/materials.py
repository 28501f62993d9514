"""The shader of skin and gown; other parts have theirs in rooms of their own."""

import bpy
import numpy as np

from avatars import age_map, crease_lines, haircurves, part_materials, ward_materials
from avatars.identity import Identity
from avatars.node_pictures import image, show, textured
from avatars.person import Part

_FILM = (
    0.92  # the film deepens skin that is lit as portraits are: at 1 dark skins turn red (looked at)
)
_DARKEST = 1.4  # mm: a groove this deep keeps 45 % of the skin's colour


def make(part: Part, identity: Identity) -> bpy.types.Material:
    """The material of one part of a person."""
    if part.material == "skin":
        return _skin(part, identity)
    if part.material == "hair":
        return part_materials.lashes(part)
    if part.material == "eye":
        return part_materials.eye(part)
    if part.material == "mouth":
        return part_materials.mouth(part)
    return ward_materials.make(part.material)


def _skin(part: Part, identity: Identity) -> bpy.types.Material:
    material, shade, picture = textured("skin", str(part.texture))
    tree = material.node_tree
    tone = tree.nodes.new("ShaderNodeHueSaturation")
    tone.name = "tone"
    tree.links.new(picture.outputs["Color"], tone.inputs["Color"])
    colour, rough = _complexion(tree, tone.outputs["Color"], shade)
    folded = _fold(tree, colour, shade, identity)
    folded = haircurves.between(tree, folded, identity)
    _dress(tree, folded, rough, shade, identity.gown)
    return material


class SkinState:
    """What of a skin's material changes from clip to clip, or with the pulse."""

    def __init__(self, material: bpy.types.Material, identity: Identity, cast: np.ndarray) -> None:
        """`cast` (3,) is the person's own factor of all skin (`complexion.cast`)."""
        nodes = material.node_tree.nodes
        self._tone, self._whole, self._picture = (
            nodes[name] for name in ("tone", "whole", "complexion")
        )
        self._identity, self._cast = identity, cast
        self._tint = cast

    def become(self, painted: np.ndarray, tint: np.ndarray, saturation: float) -> None:
        """Wear `painted` (S, S, 4) of `complexion`, all skin times `tint` (3,), less saturated."""
        show(self._picture, "complexion", painted, "Non-Color")
        # Pallor takes colour out and a little light in: blood leaves the skin.
        own = self._identity
        colourful = _FILM * (1.0 - 0.55 * own.pallor) * saturation
        self._tone.inputs["Saturation"].default_value = colourful
        self._tone.inputs["Value"].default_value = (1.0 + own.tone) * (1.0 + 0.12 * own.pallor)
        self._tint = tint * self._cast
        self.beat(np.ones(3))

    def beat(self, pulse: np.ndarray) -> None:
        """Times `pulse` (3,): what a heartbeat does to all skin's linear RGB."""
        self._whole.inputs[1].default_value = self._tint * pulse


def _complexion(
    tree: bpy.types.NodeTree, skin: bpy.types.NodeSocket, shade: bpy.types.Node
) -> tuple[bpy.types.NodeSocket, bpy.types.NodeSocket]:
    """The skin's colour times the painted factors, and its painted roughness."""
    picture = tree.nodes.new("ShaderNodeTexImage")
    picture.name, picture.extension = "complexion", "EXTEND"
    tree.links.new(_crease_uv(tree), picture.inputs["Vector"])
    local, whole = (tree.nodes.new("ShaderNodeVectorMath") for _ in range(2))
    local.operation = whole.operation = "MULTIPLY"
    whole.name = "whole"
    tree.links.new(skin, local.inputs[0])
    tree.links.new(picture.outputs["Color"], local.inputs[1])
    tree.links.new(local.outputs["Vector"], whole.inputs[0])
    # Oil and water that make skin smooth also make it reflect more: F0 of 2.8 % dry.
    gloss = tree.nodes.new("ShaderNodeMapRange")
    gloss.inputs["From Min"].default_value, gloss.inputs["From Max"].default_value = 0.16, 0.5
    gloss.inputs["To Min"].default_value, gloss.inputs["To Max"].default_value = 0.75, 0.30
    tree.links.new(picture.outputs["Alpha"], gloss.inputs["Value"])
    tree.links.new(gloss.outputs["Result"], shade.inputs["Specular IOR Level"])
    return whole.outputs["Vector"], picture.outputs["Alpha"]


def _fold(
    tree: bpy.types.NodeTree, skin: bpy.types.NodeSocket, shade: bpy.types.Node, identity: Identity
) -> bpy.types.NodeSocket:
    """Bump the skin by the person's creases, as far as vertex attribute `creases` pulls them.

    The marks of age join them. Returns the skin's colour tinted by age and darkened in the
    grooves: light that a bump cannot block.
    """
    pull = tree.nodes.new("ShaderNodeAttribute")
    pull.attribute_name = "creases"
    uv, marks = _crease_uv(tree), age_map.paint(identity)
    picture = _chart(tree, uv, "creases", crease_lines.paint(identity))
    lasting = _chart(tree, uv, "age", np.repeat(marks.height[..., None], 3, axis=-1))
    tint = _chart(tree, uv, "age-tint", marks.tint)
    height = tree.nodes.new("ShaderNodeVectorMath")
    height.operation = "DOT_PRODUCT"
    tree.links.new(picture.outputs["Color"], height.inputs[0])
    tree.links.new(pull.outputs["Vector"], height.inputs[1])
    relief, aged = tree.nodes.new("ShaderNodeMath"), tree.nodes.new("ShaderNodeVectorMath")
    relief.operation, aged.operation = "ADD", "MULTIPLY"
    tree.links.new(height.outputs["Value"], relief.inputs[0])
    tree.links.new(lasting.outputs["Color"], relief.inputs[1])
    tree.links.new(skin, aged.inputs[0])
    tree.links.new(tint.outputs["Color"], aged.inputs[1])
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Distance"].default_value = 0.001  # the map is in mm, the scene in m
    tree.links.new(relief.outputs["Value"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shade.inputs["Normal"])
    return _shaded(tree, aged.outputs["Vector"], height.outputs["Value"])


def _chart(
    tree: bpy.types.NodeTree, uv: bpy.types.NodeSocket, name: str, pixels: np.ndarray
) -> bpy.types.Node:
    """A picture on the creases' chart; beyond it goes on as its border, which is neutral."""
    picture = tree.nodes.new("ShaderNodeTexImage")
    picture.image = image(name, pixels, "Non-Color")
    picture.extension = "EXTEND"
    tree.links.new(uv, picture.inputs["Vector"])
    return picture


def _crease_uv(tree: bpy.types.NodeTree) -> bpy.types.NodeSocket:
    """The painted square of the skin's UVs, spread over [0, 1]."""
    uv, square = tree.nodes.new("ShaderNodeUVMap"), tree.nodes.new("ShaderNodeMapping")
    uv.uv_map = "uv"
    square.inputs["Scale"].default_value = (1 / crease_lines.EXTENT, 1 / crease_lines.EXTENT, 1.0)
    u, v = crease_lines.ORIGIN
    square.inputs["Location"].default_value = (
        -u / crease_lines.EXTENT,
        -v / crease_lines.EXTENT,
        0.0,
    )
    tree.links.new(uv.outputs["UV"], square.inputs["Vector"])
    return square.outputs["Vector"]


def _shaded(
    tree: bpy.types.NodeTree, skin: bpy.types.NodeSocket, height: bpy.types.NodeSocket
) -> bpy.types.NodeSocket:
    light = tree.nodes.new("ShaderNodeMapRange")
    light.inputs["From Min"].default_value = -_DARKEST
    light.inputs["From Max"].default_value = 0.0
    light.inputs["To Min"].default_value, light.inputs["To Max"].default_value = 0.45, 1.0
    dimmed = tree.nodes.new("ShaderNodeVectorMath")
    dimmed.operation = "SCALE"
    tree.links.new(height, light.inputs["Value"])
    tree.links.new(skin, dimmed.inputs[0])
    tree.links.new(light.outputs["Result"], dimmed.inputs["Scale"])
    return dimmed.outputs["Vector"]


def _dress(
    tree: bpy.types.NodeTree, skin: bpy.types.NodeSocket, rough_skin: bpy.types.NodeSocket,
    shade: bpy.types.Node, gown: list[float],
) -> None:  # fmt: skip
    """Matt cloth where the vertex attribute `gown` is positive, skin elsewhere."""
    below = tree.nodes.new("ShaderNodeAttribute")
    below.attribute_name = "gown"
    covered = tree.nodes.new("ShaderNodeMath")
    covered.operation = "GREATER_THAN"
    covered.inputs[1].default_value = 0.0
    colour = tree.nodes.new("ShaderNodeMix")
    colour.data_type = "RGBA"
    rough = tree.nodes.new("ShaderNodeMapRange")
    tree.links.new(rough_skin, rough.inputs["To Min"])
    rough.inputs["To Max"].default_value = 0.9
    tree.links.new(below.outputs["Fac"], covered.inputs[0])
    tree.links.new(covered.outputs["Value"], colour.inputs["Factor"])
    tree.links.new(covered.outputs["Value"], rough.inputs["Value"])
    # A colour mix has sockets of one name for each data type; 6 and 7 are the colours A and B.
    tree.links.new(skin, colour.inputs[6])
    colour.inputs[7].default_value = (*gown, 1.0)
    tree.links.new(colour.outputs[2], shade.inputs["Base Color"])
    tree.links.new(rough.outputs["Result"], shade.inputs["Roughness"])
