"""Commands to look with: sheets of the avatars, a clip's truth drawn on its frames."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flows.commands.options import add_study
from flows.studies import chosen, opened
from flows.workspace import home
from pipeline.errors import ClipError
from pipeline.exports.outputs import output_file

KINDS = ("people", "units", "arms", "expressions", "conditions", "lights", "signs", "wards")


def sheet_options(page: ArgumentParser) -> None:
    """What `pallor sheet` can be asked."""
    page.add_argument("kind", choices=KINDS)
    page.add_argument("-o", "--out", required=True, metavar="FILE.png")
    page.add_argument("--size", type=int, default=160, help="pixels a side of each picture")
    page.add_argument("--identities", type=int, metavar="N", help="how many people")
    add_study(page)


def overlay_options(page: ArgumentParser) -> None:
    """What `pallor overlay` can be asked."""
    page.add_argument("clip", metavar="CLIP", help="an id of a study's clip, or a clip's .mp4")
    add_study(page)
    page.add_argument("-o", "--out", required=True, metavar="FILE.mp4")


def sheet(options: Namespace) -> None:
    """`pallor sheet`: one kind of `KINDS`, side by side."""
    from avatars.assets import fetch
    from pipeline.corpus.gallery import make_sheet, plan_sheet
    from pipeline.report.templates import counted

    _, study, params = opened(options.study)
    out = output_file(options.out, ".png")
    planned = plan_sheet(options.kind, study, params, options.identities, options.size)
    fetch(home())
    make_sheet(planned, home(), out)
    frames = sum(spec["frames"] for spec in planned.specs)
    print(f"{options.out}: {counted(frames, 'frame')} rendered")


def overlay(options: Namespace) -> None:
    """`pallor overlay`: landmarks, units, head, gaze and openings over the frames."""
    from pipeline.corpus.overlay import draw_overlay
    from pipeline.corpus.render import read_truth
    from pipeline.media.film import write_film
    from pipeline.media.video import frame_rate, read_clip
    from pipeline.report.templates import counted

    video = Path(options.clip)
    if not video.suffix:
        [name] = chosen(options.study, one=True)
        video = opened(name)[0].clips / f"{options.clip}.mp4"
    if not video.is_file():
        raise ClipError(f"{video} is missing; render it with `pallor run`, or name its .mp4")
    truth = video.with_suffix(".npz")
    out = output_file(options.out, ".mp4", [video, truth])
    drawn = draw_overlay(read_clip(video), read_truth(truth))
    write_film(out, drawn, round(frame_rate(video)))
    print(f"{options.out}: {counted(len(drawn), 'frame')} of {video}")
