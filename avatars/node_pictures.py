"""Pictures in Blender's shaders: loaded, made of arrays, shown, and let go of in time."""

import bpy
import numpy as np


def textured(name: str, texture: str) -> tuple[bpy.types.Material, bpy.types.Node, bpy.types.Node]:
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    picture = nodes.new("ShaderNodeTexImage")
    picture.image = bpy.data.images.load(texture, check_existing=True)
    return material, nodes["Principled BSDF"], picture


def image(name: str, pixels: np.ndarray, colour_space: str) -> bpy.types.Image:
    """A picture in Blender of float32 `pixels` (H, W, 3 or 4), first row at the bottom."""
    height, width = pixels.shape[:2]
    made = bpy.data.images.new(name, width, height, float_buffer=True)
    made.colorspace_settings.name = colour_space
    made.alpha_mode = "CHANNEL_PACKED"  # a fourth channel is no opacity
    rgba = np.dstack([pixels, np.ones_like(pixels[..., :1])])[..., :4]
    made.pixels.foreach_set(np.ascontiguousarray(rgba).ravel())
    return made


def show(node: bpy.types.Node, name: str, pixels: np.ndarray, colour_space: str) -> None:
    """Let a texture node show `pixels` in place of the picture it shows.

    A picture of its own each time: Cycles does not notice pixels that change.
    """
    node.image = image(name, pixels, colour_space)


def drop_unused() -> None:
    """Remove the pictures that no node shows any more; call it after a render.

    Cycles knows a picture by its address. One that is removed before Cycles has let go of it leaves
    its address to the next new one, which then shows the old pixels.
    """
    made = [picture for picture in bpy.data.images if picture.source == "GENERATED"]
    for picture in made:
        if not picture.users:
            bpy.data.images.remove(picture)


def glow() -> tuple[bpy.types.Material, bpy.types.Node]:
    """A material that shines as painted, whatever the lights, and the node of its picture."""
    material = bpy.data.materials.new("backdrop")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.remove(tree.nodes["Principled BSDF"])
    picture, shine = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeEmission")
    tree.links.new(picture.outputs["Color"], shine.inputs["Color"])
    tree.links.new(shine.outputs["Emission"], tree.nodes["Material Output"].inputs["Surface"])
    return material, picture
