"""Commands for several machines: `shard` makes and packs a part, `merge` takes parts in."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flows.commands.corpus import planned
from flows.commands.options import add_study
from flows.studies import chosen, opened
from flows.workspace import home, require_workspace
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_folder
from pipeline.store.shards import part_of


def shard_options(page: ArgumentParser) -> None:
    """What `pallor shard` can be asked."""
    page.add_argument("--part", default="1/1", metavar="N/M", help="such as 1/2, the first half")
    page.add_argument("-o", "--out", required=True, metavar="FOLDER")
    add_study(page)


def merge_options(page: ArgumentParser) -> None:
    """What `pallor merge` can be asked."""
    page.add_argument("folder", metavar="FOLDER")


def shard(options: Namespace) -> None:
    """`pallor shard`: this machine's part of avatars and stills, as shards."""
    number, of = _part(options.part)
    require_workspace()
    [name] = chosen(options.study, one=True)
    out = output_folder(options.out)
    _, study, params = opened(name)
    planned(study, params)
    home().mkdir(parents=True, exist_ok=True)
    from flows.parts import make_part
    from pipeline.report.templates import counted

    shards = make_part(name, number, of, out)
    size = sum(path.stat().st_size for path in shards)
    made = f"{counted(len(shards), 'shard')}, {size / 1e6:.1f} MB"
    print(f"part {number} of {of}: {made} in {options.out}")


def merge(options: Namespace) -> None:
    """`pallor merge`: shards of other machines into the work store."""
    from flows.parts import take_in

    for stage, count in take_in(Path(options.folder)).items():
        print(f"{stage}: {count} new items")


def _part(text: str) -> tuple[int, int]:
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal()):
        raise ParamsError(f"--part is '{text}'; it must be such as 1/2, the first of two halves")
    part_of([], int(number), int(of))  # refused before the work
    return int(number), int(of)
