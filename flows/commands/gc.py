"""`pallor gc`: what grew old and is in no version goes; a dry run first."""

import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from flows.commands.options import names
from flows.terminal import say_json, say_table
from flows.workspace import only_run
from pipeline.errors import ParamsError

if TYPE_CHECKING:
    from pipeline.lineage.waste import Waste


def gc_options(page: ArgumentParser) -> None:
    """What `pallor gc` can be asked."""
    page.add_argument("--apply", action="store_true", help="remove what is listed")
    page.add_argument(
        "--only", type=names, metavar="KIND,...",
        help="of work, copies, cache, prefect, records (default: all)",
    )  # fmt: skip
    page.add_argument(
        "--days", type=float, help="how old it must be (default: a number a kind, docs/gc.md)"
    )


def gc(options: Namespace) -> None:
    """`pallor gc`: list what may go; with --apply, remove it."""
    from flows.prefect_past import database, drop_old_runs, old_runs
    from flows.stores import place as here
    from pipeline.lineage.reach import reach
    from pipeline.lineage.waste import find, remove
    from pipeline.report.templates import counted

    ages, place = _ages(options), here()
    with only_run("pallor gc"):
        reached = reach(place)
        found = find(place, reached, time.time(), ages)
        past, runs = database(place.home), 0
        if "prefect" in ages and place.owns(place.home):
            runs = old_runs(past, ages["prefect"])
        if options.apply:
            for waste in found.waste:
                remove(waste)
            if runs:
                drop_old_runs(past, ages["prefect"])
    if options.json:
        say_json(
            {
                "versions": reached.versions,
                "removed": options.apply,
                "waste": [asdict(row) for row in found.waste],
                "prefect_runs": runs,
                "left": found.left,
            }
        )
        return
    _say(found.waste, runs, past)
    for line in found.left:
        print(f"left: {line}")
    kept = f"nothing that one of {counted(reached.versions, 'version')} names is touched"
    done = "removed" if options.apply else "nothing was removed; --apply removes it"
    print(f"{done}; {kept}" if found.waste or runs else f"nothing to remove; {kept}")


def _ages(options: Namespace) -> dict[str, float]:
    from pipeline.lineage.waste import AGES
    from pipeline.naming import nearest

    for name in options.only or ():
        if name not in AGES:
            raise ParamsError(f"--only: '{name}' is unknown; {nearest(name, AGES)}")
    if options.days is not None and options.days < 1 / 24:
        raise ParamsError("--days is below an hour; name more, for younger files may be in use")
    chosen = {kind: days for kind, days in AGES.items() if kind in (options.only or AGES)}
    return chosen if options.days is None else dict.fromkeys(chosen, options.days)


def _say(waste: "list[Waste]", runs: int, database: Path) -> None:
    kinds = sorted({row.kind for row in waste})
    rows = [
        [kind, f"{len(mine)}", f"{sum(row.bytes for row in mine) / 1e6:.1f} MB",
         f"{min(row.days for row in mine):.0f} to {max(row.days for row in mine):.0f} days"]
        for kind in kinds
        if (mine := [row for row in waste if row.kind == kind])
    ]  # fmt: skip
    if runs:
        rows.append(["prefect", f"{runs}", "", f"ended runs in {database}"])
    if rows:
        plain = [f"{a:<9}{b:>7} {c:>12}  {d}" for a, b, c, d in rows]
        say_table(["kind", "items", "size", "age"], rows, plain)
