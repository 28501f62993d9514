"""The program `pallor`: this checkout's packages, whatever PYTHONPATH holds under their names.

Apart from the packages, because one of PYTHONPATH may also be named `flows`.
"""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

OURS = ("avatars", "flows", "fomm", "models", "pipeline")


class Ours(MetaPathFinder):
    """Finds our packages beside this file and nowhere else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The spec of one of OURS; None for all other modules."""
        here = [str(Path(__file__).resolve().parent)]
        return PathFinder.find_spec(fullname, here, target) if fullname in OURS else None


def main() -> int:
    """Run the command line; its exit code."""
    sys.meta_path.insert(0, Ours())
    from flows.cli import main as run

    return run()
