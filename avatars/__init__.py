"""People of geometry: identities, action units, expressions, scenes and their renders.

`avatars.blender` alone imports bpy; everything else here is numpy and runs anywhere.
"""
