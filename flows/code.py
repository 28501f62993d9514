"""`python -m flows.code`: write code/<stage>.json, the code that decides each stage's bytes.

DVC's stage `code` runs it; the others depend on the `digest` in their file. An auditor reads there
which files and packages are behind a stage.
"""

from pathlib import Path

from pipeline.closure import closure
from pipeline.files import canonical, read_json, write_json
from pipeline.stage import STAGES, code_file


def write_code() -> list[str]:
    """Write the closure of every stage that has another one than its file says; their names."""
    changed = []
    for name, stage in STAGES.items():
        row = closure(stage.module, Path.cwd()).row()
        path = code_file(name)
        if not path.is_file() or canonical(read_json(path)) != canonical(row):
            write_json(path, row)
            changed.append(name)
    return changed


if __name__ == "__main__":
    write_code()
