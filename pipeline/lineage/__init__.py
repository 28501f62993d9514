"""Lineage: who and what every artefact came from, whether it was altered, and how it is removed.

DVC's hashes (`dvc.lock`) and the stages' own tables are all it reads; no stage depends on it.
"""
