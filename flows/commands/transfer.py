"""The command `pallor transfer`: a portrait performs a video."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flows.settings import PARAMS
from pipeline.exports.outputs import output_file
from pipeline.params import Params, load_params


def transfer_options(page: ArgumentParser) -> None:
    """What `pallor transfer` can be asked."""
    page.add_argument("portrait", metavar="PORTRAIT", help="a picture of one face, of any size")
    page.add_argument("driving", metavar="DRIVING.mp4", help="a video of one face")
    page.add_argument("-o", "--out", required=True, metavar="OUT.mp4")
    page.add_argument("--checkpoint", metavar="FILE", help="default: motion.checkpoint")
    page.add_argument(
        "--licence", metavar="NAME",
        help="of the picture, such as CC-BY-4.0; written into the film, refused where it forbids",
    )  # fmt: skip
    page.add_argument("--mode", choices=["exact", "fast"], default="exact")
    page.add_argument(
        "--absolute", action="store_true",
        help="take over the driver's own shape and place, not the change since its neutral frame",
    )  # fmt: skip


def transfer(options: Namespace) -> None:
    """`pallor transfer`: the motion model on two files of anybody's, as a film."""
    from pipeline.lineage.provenance import permitted
    from pipeline.media.film import write_film
    from pipeline.motion.perform import perform

    rights = permitted(options.portrait, options.licence)
    params = load_params() if PARAMS.is_file() else Params()
    how = params.transfer.model_copy(update={"relative": not options.absolute})
    checkpoint = Path(options.checkpoint or params.motion.checkpoint)
    portrait, driving = Path(options.portrait), Path(options.driving)
    out = output_file(options.out, ".mp4", [portrait, driving, checkpoint])
    made = perform(portrait, driving, checkpoint, how, options.mode)
    write_film(out, made.frames, made.fps, repeats=1, rights=rights)
    for note in (f"licence of the portrait: {rights}", *made.notes):
        print(note)
    print(f"{options.out}: {len(made.frames)} frames, {made.fps} a second")
