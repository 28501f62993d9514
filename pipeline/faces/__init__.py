"""Faces found, followed, judged and cut out."""
