"""`python docs/features.py`: write docs/features.md from docs/features.yaml.

The table has one row a wish; `by` names tests (`tests/x.py::name`) and commands that show it.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
STATES = ("have", "partly", "no")
HEAD = """\
# What users ask for

Two lists stand here in our own words. Users of 17 such pipelines ask for the first 80 things, and
people ask for the other 25 in public. {counts}. Each row names the test or the command that shows
it, or says what is missing and why.
`docs/features.yaml` is the table; `python docs/features.py` writes this page.
"""


def table() -> dict[str, list[dict[str, Any]]]:
    """The rows by group."""
    groups: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "features.yaml").read_text())
    return groups


def page(groups: dict[str, list[dict[str, Any]]]) -> str:
    """The whole page."""
    found = Counter(row["state"] for rows in groups.values() for row in rows)
    counts = ", ".join(f"{found[state]} {state}" for state in STATES)
    parts = [HEAD.format(counts=f"Of the {found.total()}: {counts}")]
    for name, rows in groups.items():
        parts.append(
            f"## {name}\n\n| | asked for | state | shown by, or why not |\n|---|---|---|---|"
        )
        parts[-1] += "".join(f"\n{_line(row)}" for row in rows) + "\n"
    return "\n".join(parts)


def _line(row: dict[str, Any]) -> str:
    shown = "; ".join(f"`{_short(each)}`" for each in row.get("by", ()))
    told = ". ".join(part for part in (shown, row.get("why", "")) if part)
    return f"| {row['n']} | {row['asked']} | {row['state']} | {told} |"


def _short(by: str) -> str:
    return by.replace("::", "::test_") if by.startswith("tests/") else by


if __name__ == "__main__":
    (HERE / "features.md").write_text(page(table()))
