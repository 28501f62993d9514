"""The corpus in the formats of others; nothing here is read back by a stage.

`source` reads a workspace, `tables` flattens it, `dataset` lays the files out; one module a format
stands on these, `export` puts them together. The formats' own libraries are optional (`library`).
"""

FORMATS = (
    "croissant", "datasheet", "ro-crate", "prov", "openlineage", "c2pa", "webdataset",
    "huggingface", "parquet", "coco", "all",
)  # fmt: skip
