"""The corpus in the formats of others; nothing here is read back by a stage.

`corpus` reads the manifests, `tables` flattens them, `dataset` lays the files out; one module a
format stands on these. The formats' own libraries are optional (`library`).
"""
