"""Shaders of what is not skin: eyes, mouth, cards of lashes."""

import bpy

from avatars.node_pictures import textured
from avatars.person import Part

# Luminance weights of linear Rec.709.
_LUMA = (0.2126, 0.7152, 0.0722)
_LASHES = 0.5  # of the cards' opacity
_EYES = 1.35  # the eye's texture holds its own shade of the lids, which the render adds again


def eye(part: Part) -> bpy.types.Material:
    material, shade, picture = textured("eyes", str(part.texture))
    tree = material.node_tree
    bright = tree.nodes.new("ShaderNodeVectorMath")
    bright.operation = "SCALE"
    bright.inputs["Scale"].default_value = _EYES
    tree.links.new(picture.outputs["Color"], bright.inputs[0])
    tree.links.new(bright.outputs["Vector"], shade.inputs["Base Color"])
    tree.links.new(picture.outputs["Alpha"], shade.inputs["Alpha"])
    shade.inputs["Roughness"].default_value = 0.4
    shade.inputs["Specular IOR Level"].default_value = 0.0
    _wet(tree, shade)
    return material


def _wet(tree: bpy.types.NodeTree, shade: bpy.types.Node) -> None:
    """A film of tears over all of the eye, the clear cornea too: a mirror, weighed by Fresnel."""
    film, angle = tree.nodes.new("ShaderNodeBsdfGlossy"), tree.nodes.new("ShaderNodeFresnel")
    film.inputs["Roughness"].default_value = 0.05
    angle.inputs["IOR"].default_value = 1.38
    both = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(angle.outputs["Fac"], both.inputs["Fac"])
    tree.links.new(shade.outputs["BSDF"], both.inputs[1])
    tree.links.new(film.outputs["BSDF"], both.inputs[2])
    tree.links.new(both.outputs["Shader"], tree.nodes["Material Output"].inputs["Surface"])


def mouth(part: Part) -> bpy.types.Material:
    material, shade, picture = textured(part.name, str(part.texture))
    tree = material.node_tree
    bright = tree.nodes.new("ShaderNodeVectorMath")
    bright.operation = "SCALE"
    # The teeth texture is painted too dark for a lit mouth.
    bright.inputs["Scale"].default_value = 1.7 if part.name == "teeth" else 1.0
    tree.links.new(picture.outputs["Color"], bright.inputs[0])
    tree.links.new(bright.outputs["Vector"], shade.inputs["Base Color"])
    shade.inputs["Roughness"].default_value = 0.3
    return material


def lashes(part: Part) -> bpy.types.Material:
    """A card whose texture gives shape and streaks, the tint its colour."""
    material, shade, picture = textured(part.name, str(part.texture))
    tree = material.node_tree
    luma = tree.nodes.new("ShaderNodeVectorMath")
    luma.operation = "DOT_PRODUCT"
    luma.inputs[1].default_value = _LUMA
    streaks = tree.nodes.new("ShaderNodeMapRange")
    streaks.inputs["From Max"].default_value = 0.35
    streaks.inputs["To Min"].default_value, streaks.inputs["To Max"].default_value = 0.55, 1.6
    colour = tree.nodes.new("ShaderNodeVectorMath")
    colour.operation = "SCALE"
    colour.inputs[0].default_value = part.tint
    tree.links.new(picture.outputs["Color"], luma.inputs[0])
    tree.links.new(luma.outputs["Value"], streaks.inputs["Value"])
    tree.links.new(streaks.outputs["Result"], colour.inputs["Scale"])
    tree.links.new(colour.outputs["Vector"], shade.inputs["Base Color"])
    thin = tree.nodes.new("ShaderNodeMath")
    thin.operation = "MULTIPLY"
    # The cards are painted as mascara: whole, they leave no white of a narrow eye at 128 px.
    thin.inputs[1].default_value = _LASHES
    tree.links.new(picture.outputs["Alpha"], thin.inputs[0])
    tree.links.new(thin.outputs["Value"], shade.inputs["Alpha"])
    shade.inputs["Roughness"].default_value = 0.6
    shade.inputs["Specular IOR Level"].default_value = 0.25
    return material
