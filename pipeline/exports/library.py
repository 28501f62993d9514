"""The formats' own libraries, which the line itself does not need."""

from importlib import import_module
from typing import Any

from pipeline.errors import AssetError


def library(name: str) -> Any:
    """The module `name`; AssetError says how to install it when it is missing."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if (error.name or name).split(".")[0] != name.split(".")[0]:
            raise  # the library is there, but something of its own is not
        raise AssetError(
            f"this export needs the Python library {name.split('.')[0]}; run "
            "`pip install --requirement requirements-exports.lock`"
        ) from error
