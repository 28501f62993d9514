"""What a command may write: asked before its work, so that no work is in vain and no input lost."""

import os
from collections.abc import Iterable
from pathlib import Path

from pipeline.errors import ParamsError


def output_file(name: str, suffix: str | None = None, inputs: Iterable[Path] = ()) -> Path:
    """The path of a file to write, with `suffix` (any: None) and none of the `inputs`.

    Raises ParamsError when the name ends otherwise, is a folder or device, is an input under
    whatever name (links, another spelling), or lies where nothing may be written.
    """
    path = Path(name)
    if suffix and path.suffix != suffix:
        raise ParamsError(f"{path} must end in {suffix}")
    if path.exists() and not path.is_file():
        raise ParamsError(f"{path} is {_kind(path)}; name a file to write")
    for given in inputs:
        if path.exists() and given.exists() and path.samefile(given):
            raise ParamsError(
                f"{path} is what the command reads ({given}); name another file to write"
            )
    _check_place(path.parent)
    return path


def output_folder(name: str) -> Path:
    """The path of a folder to write into; ParamsError when it is a file or may not be written."""
    path = Path(name)
    if path.exists() and not path.is_dir():
        raise ParamsError(f"{path} is a file; name a folder to write")
    _check_place(path)
    return path


def _kind(path: Path) -> str:
    return "a folder" if path.is_dir() else "no ordinary file"


def _check_place(folder: Path) -> None:
    """ParamsError unless `folder`, or the nearest one above it that exists, can be written."""
    place = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    if not place.is_dir():
        raise ParamsError(f"{place} is a file, so nothing can be written below it")
    if not os.access(place, os.W_OK | os.X_OK):
        raise ParamsError(f"{place} may not be written; name another place or change its rights")
