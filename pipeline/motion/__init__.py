"""Portraits that take over a clip's motion, and the motion model's training."""
