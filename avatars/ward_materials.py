"""Shaders of what a ward puts on a face: metal, glass, tubing, tape, gauze, linen."""

import bpy

from avatars.errors import AvatarError

# Linear RGB, roughness, share that light passes through, metal or not.
_PLAIN: dict[str, tuple[tuple[float, float, float], float, float, bool]] = {
    "metal": ((0.10, 0.09, 0.09), 0.25, 0.0, True),
    "tubing": ((0.55, 0.64, 0.62), 0.22, 0.45, False),
    "yellowish": ((0.78, 0.70, 0.45), 0.25, 0.25, False),
    "blue": ((0.10, 0.32, 0.60), 0.30, 0.0, False),
    "elastic": ((0.55, 0.60, 0.58), 0.70, 0.0, False),
    "tape": ((0.66, 0.62, 0.56), 0.65, 0.0, False),
    "cloth": ((0.62, 0.60, 0.55), 0.95, 0.0, False),
    "linen": ((0.55, 0.60, 0.64), 0.95, 0.0, False),
}
# Share of light that a see-through sheet keeps, and of Fresnel's mirror: lenses are coated.
_CLEAR = {"glass": (0.01, 0.3), "clear": (0.12, 0.6)}
_WOVEN = {"cloth": 160.0, "tape": 90.0, "linen": 220.0}  # threads across the texture square


def make(kind: str) -> bpy.types.Material:
    """The material of that name; AvatarError when there is none."""
    if kind in _CLEAR:
        return _clear(kind)
    if kind not in _PLAIN:
        raise AvatarError(f"there is no material '{kind}'; known: {', '.join([*_PLAIN, *_CLEAR])}")
    colour, rough, clear, metal = _PLAIN[kind]
    material = bpy.data.materials.new(kind)
    material.use_nodes = True
    tree = material.node_tree
    shade = tree.nodes["Principled BSDF"]
    shade.inputs["Base Color"].default_value = (*colour, 1.0)
    shade.inputs["Roughness"].default_value = rough
    shade.inputs["Metallic"].default_value = float(metal)
    shade.inputs["Alpha"].default_value = 1.0 - clear
    if kind in _WOVEN:
        _weave(tree, shade, _WOVEN[kind])
    return material


def _weave(tree: bpy.types.NodeTree, shade: bpy.types.Node, threads: float) -> None:
    """A coarse weave as a bump, along both ways of the mesh."""
    uv, wave = tree.nodes.new("ShaderNodeUVMap"), tree.nodes.new("ShaderNodeTexNoise")
    uv.uv_map = "uv"
    wave.inputs["Scale"].default_value, wave.inputs["Detail"].default_value = threads / 4, 2.0
    bump = tree.nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = 0.5
    bump.inputs["Distance"].default_value = 0.0008  # m
    tree.links.new(uv.outputs["UV"], wave.inputs["Vector"])
    tree.links.new(wave.outputs["Fac"], bump.inputs["Height"])
    tree.links.new(bump.outputs["Normal"], shade.inputs["Normal"])


def _clear(kind: str) -> bpy.types.Material:
    """A thin clear sheet: no refraction, a mirror by Fresnel, a little of its own colour."""
    material = bpy.data.materials.new(kind)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    through, mirror, body, angle, tinted, both = (
        tree.nodes.new(f"ShaderNode{name}")
        for name in (
            "BsdfTransparent", "BsdfGlossy", "BsdfDiffuse", "Fresnel", "MixShader", "MixShader",
        )
    )  # fmt: skip
    body.inputs["Color"].default_value = (0.80, 0.88, 0.86, 1.0)
    mirror.inputs["Roughness"].default_value = 0.25  # sharper, a sun in it would be noise
    angle.inputs["IOR"].default_value = 1.45
    coated = tree.nodes.new("ShaderNodeMath")
    coated.operation = "MULTIPLY"
    tinted.inputs["Fac"].default_value, coated.inputs[1].default_value = _CLEAR[kind]
    tree.links.new(through.outputs["BSDF"], tinted.inputs[1])
    tree.links.new(body.outputs["BSDF"], tinted.inputs[2])
    tree.links.new(angle.outputs["Fac"], coated.inputs[0])
    tree.links.new(coated.outputs["Value"], both.inputs["Fac"])
    tree.links.new(tinted.outputs["Shader"], both.inputs[1])
    tree.links.new(mirror.outputs["BSDF"], both.inputs[2])
    tree.links.new(both.outputs["Shader"], tree.nodes["Material Output"].inputs["Surface"])
    return material
