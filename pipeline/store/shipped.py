"""Files that ship with the code: checkpoints, studies, the register of portraits.

A workspace has its own. Outside one, a clone's stand beside the code, and a wheel's below
`share/pallor` of the environment, where pip puts them.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

CLONE = Path(__file__).parents[2]
SHARE = "share/pallor"


def shipped(name: str) -> Path:
    """The path of a file or folder such as `checkpoints/facenets`, as a workspace names it.

    Relative in a workspace, whose own file is meant even where it is missing. Elsewhere absolute.
    """
    if Path("dvc.yaml").is_file():
        return Path(name)
    root = CLONE if (CLONE / "dvc.yaml").is_file() else _installed()
    return root / name if root else Path(name)


def _installed() -> Path | None:
    """The folder into which pip put the wheel's data files; None without a wheel."""
    try:
        listed = files("pallor") or []
    except PackageNotFoundError:
        return None
    marker = next((file for file in listed if f"{SHARE}/params.yaml" in file.as_posix()), None)
    return Path(str(marker.locate())).resolve().parent if marker else None
