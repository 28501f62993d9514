"""Strands in Blender: curves drawn as ribbons, and their shader."""

import bpy
import numpy as np

from avatars import hair
from avatars.hair import Growth
from avatars.identity import Identity


def shader(name: str) -> bpy.types.Material:
    """Diffuse light and a glossy lobe along the strand, coloured by the curves' `colour`.

    Blender's Principled Hair costs a third more and turns ashy at two bounces.
    """
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    colour = tree.nodes.new("ShaderNodeAttribute")
    colour.attribute_name = "colour"
    matt, gloss = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeBsdfHair")
    gloss.component = "Reflection"
    gloss.inputs["Color"].default_value = (0.36, 0.34, 0.32, 1)
    gloss.inputs["RoughnessU"].default_value, gloss.inputs["RoughnessV"].default_value = 0.3, 0.7
    mixed = tree.nodes.new("ShaderNodeMixShader")
    mixed.inputs[0].default_value = 0.13
    tree.links.new(colour.outputs["Color"], matt.inputs["Color"])
    tree.links.new(matt.outputs[0], mixed.inputs[1])
    tree.links.new(gloss.outputs[0], mixed.inputs[2])
    tree.links.new(mixed.outputs[0], tree.nodes["Material Output"].inputs["Surface"])
    return material


def between(
    tree: bpy.types.NodeTree, skin: bpy.types.NodeSocket, identity: Identity
) -> bpy.types.NodeSocket:
    """The skin's colour, turned to the hair's where vertex attribute `cover` says it grows."""
    cover, mixed = tree.nodes.new("ShaderNodeAttribute"), tree.nodes.new("ShaderNodeMix")
    cover.attribute_name = "cover"
    mixed.data_type = "RGBA"
    tree.links.new(cover.outputs["Fac"], mixed.inputs["Factor"])
    # A colour mix has sockets of one name for each data type; 6 and 7 are the colours A and B.
    tree.links.new(skin, mixed.inputs[6])
    mixed.inputs[7].default_value = (*hair.shade_colour(identity), 1.0)
    return mixed.outputs[2]


def set_shape(scene: bpy.types.Scene) -> None:
    """Draw curves as flat ribbons: round ones cost more and look no rounder at a third of a mm."""
    scene.cycles_curves.shape, scene.cycles_curves.subdivisions = "RIBBONS", 1


def curves(growth: Growth, points: np.ndarray) -> bpy.types.Curves:
    """The object of a growth of hair with its `points` (n, k, 3) in world metres."""
    count, joints, _ = points.shape
    made = bpy.data.hair_curves.new(growth.name)
    made.add_curves([joints] * count)
    width = made.attributes.new("radius", "FLOAT", "POINT")
    width.data.foreach_set("value", np.tile(growth.radii, count).astype(np.float32))
    tint = made.attributes.new("colour", "FLOAT_COLOR", "CURVE")
    rgba = np.c_[growth.colours, np.ones(count)]
    tint.data.foreach_set("color", rgba.astype(np.float32).ravel())
    made.materials.append(shader(growth.name))
    move(made, points)
    bpy.context.scene.collection.objects.link(bpy.data.objects.new(growth.name, made))
    return made


def move(made: bpy.types.Curves, points: np.ndarray) -> None:
    """Put the strands at world `points` (n, k, 3)."""
    made.attributes["position"].data.foreach_set("vector", points.astype(np.float32).ravel())
    made.update_tag()
