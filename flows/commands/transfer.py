"""The command `pallor transfer`: portraits perform a video."""

import time
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from flows.settings import PARAMS
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file, output_folder
from pipeline.params import Params, load_params

if TYPE_CHECKING:
    from pipeline.motion.perform import Performance

EVERY = 5.0  # seconds between two lines of progress


def transfer_options(page: ArgumentParser) -> None:
    """What `pallor transfer` can be asked."""
    page.add_argument(
        "portrait", metavar="PORTRAIT", nargs="+", help="a picture of one face, of any size"
    )
    page.add_argument("driving", metavar="DRIVING.mp4", help="a video of one face, up to an hour")
    page.add_argument(
        "-o", "--out", required=True, metavar="OUT.mp4",
        help="of several portraits: a folder, which gets a film of each",
    )  # fmt: skip
    page.add_argument("--checkpoint", metavar="FILE", help="default: motion.checkpoint")
    page.add_argument(
        "--licence", metavar="NAME",
        help="of the pictures, such as CC-BY-4.0; written into the film, refused where it forbids; "
        "without it the film says that the licence is not stated",
    )  # fmt: skip
    page.add_argument(
        "--mode", choices=["exact", "fast"], default="exact",
        help="fast rounds more and may take less time (default: exact)",
    )  # fmt: skip
    page.add_argument(
        "--absolute", action="store_true",
        help="take over the driver's own shape and place, not the change since its neutral frame",
    )  # fmt: skip


def transfer(options: Namespace) -> None:
    """`pallor transfer`: the motion model on files of anybody's, a film and its record each."""
    from pipeline.errors import PallorError
    from pipeline.lineage.provenance import permitted
    from pipeline.motion.perform import performances

    rights = [permitted(portrait, options.licence) for portrait in options.portrait]
    params = load_params() if PARAMS.is_file() else Params()
    how = params.transfer.model_copy(update={"relative": not options.absolute})
    checkpoint = Path(options.checkpoint or params.motion.checkpoint)
    portraits, driving = [Path(name) for name in options.portrait], Path(options.driving)
    outs = _outs(options.out, portraits, [*portraits, driving, checkpoint])
    made = performances(portraits, driving, checkpoint, how, options.mode, Told())
    failed: list[PallorError] = []
    for performance, out, right in zip(made, outs, rights, strict=True):
        if isinstance(performance, PallorError):
            failed.append(performance)
        else:
            _write(performance, out, right)
    if failed:
        for error in failed[1:]:
            print(error)
        raise failed[0]


def record_file(out: Path) -> Path:
    """Where the record of a transferred film lies."""
    return out.with_suffix(".transfer.json")


def _outs(name: str, portraits: list[Path], inputs: list[Path]) -> list[Path]:
    """A film for each portrait; ParamsError where two would be one, or lie on an input."""
    if len(portraits) == 1:
        outs = [output_file(name, ".mp4", inputs)]
    else:
        folder = output_folder(name)
        outs = [
            output_file(str(folder / f"{portrait.stem}.mp4"), ".mp4", inputs)
            for portrait in portraits
        ]
        if len(set(outs)) < len(outs):
            raise ParamsError(f"two portraits would both be written as {folder}/NAME.mp4; rename")
    for out in outs:
        output_file(str(record_file(out)), ".json", inputs)
    return outs


def _write(performance: "Performance", out: Path, rights: str) -> None:
    from pipeline.files import write_json
    from pipeline.media.film import stream_film
    from pipeline.report.templates import counted

    stream_film(out, performance.frames(Told()), performance.fps, rights)
    write_json(record_file(out), performance.record | {"film": out.name, "licence": rights})
    for note in (f"licence of the portrait: {rights}", *performance.notes):
        print(note)
    print(f"{out}: {counted(performance.count, 'frame')}, {performance.fps} a second", flush=True)


class Told:
    """Says how far a long work is, every few seconds."""

    def __init__(self) -> None:
        self._begun = self._said = time.monotonic()

    def __call__(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if now - self._said < EVERY or done >= total:
            return
        self._said = now
        left = (now - self._begun) / done * (total - done)
        print(f"{what}: frame {done} of {total}, ~{left:.0f} s left", flush=True)
