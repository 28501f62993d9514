"""The command that renders a film of one person."""

import shutil
from argparse import ArgumentParser, Namespace
from typing import Any, get_args

from flows.commands.options import add_study, names
from flows.studies import opened
from flows.workspace import home
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file
from pipeline.files import writing
from pipeline.params import Params, Pass, merged, parse_params
from pipeline.records import ClipPlan


def render_options(page: ArgumentParser) -> None:
    """What `pallor render` can be asked."""
    page.add_argument(
        "--identity", type=int, required=True, help="number of a person of the study, from 0"
    )
    page.add_argument("--expression", required=True, metavar="NAME", help="such as smiling")
    page.add_argument("-o", "--out", required=True, metavar="FILE.mp4")
    page.add_argument("--size", type=int, help="pixels a side (default: plan.size)")
    page.add_argument("--azimuth", type=float, help="degrees to the own left, -90 to 90")
    page.add_argument("--elevation", type=float, help="degrees above, -20 to 20")
    page.add_argument(
        "--passes", type=names, default=[], metavar="NAME,...",
        help="also write FILE.npz: segmentation, depth, normals, vertices, flow, surface; or all",
    )  # fmt: skip
    add_study(page)


def render(options: Namespace) -> None:
    """`pallor render`: one clip through the render stage's own code, as a film."""
    from avatars.assets import fetch
    from pipeline.corpus import render as stage
    from pipeline.corpus.register import AVATAR_RIGHTS
    from pipeline.media.film import REPEATS, write_film
    from pipeline.media.video import read_clip
    from pipeline.report.templates import counted
    from pipeline.store.store import Store

    _, study, params = opened(options.study)
    if options.identity not in range(study.people):
        last = study.people - 1
        raise ParamsError(f"there is no identity {options.identity}; {study.name} has 0 to {last}")
    out = output_file(options.out, ".mp4")
    clip = _one_clip(params, options)
    measured = output_file(str(out.with_suffix(".npz"))) if clip.passes else None
    fetch(home())
    jobs = [*stage.clip_jobs([clip]), *stage.pass_jobs([clip])]
    store = Store(home(), "render")
    stage.work([job for job in jobs if not store.has(job.key)], store)
    frames = read_clip(store.path(jobs[0].key) / "clip.mp4")
    write_film(out, frames, clip.fps, rights=AVATAR_RIGHTS["licence"])
    shown = f"{counted(len(frames), 'frame')} of {clip.size} px, shown {REPEATS} times"
    print(f"{options.out}: {clip.key}, {shown}, {_who(clip)}")
    if measured:
        with writing(measured) as part:
            shutil.copyfile(store.path(jobs[1].key) / "passes.npz", part)
        print(f"{measured}: truth with {', '.join(clip.passes)}")


def _one_clip(params: Params, options: Namespace) -> ClipPlan:
    """The clip that the options ask for; ParamsError says what is wrong with them."""
    from avatars import expression as performance
    from avatars.errors import AvatarError
    from pipeline.corpus.plan import filmed, plan_clip, population

    number, expression = options.identity, options.expression
    try:
        performance.load(expression)
    except AvatarError as error:
        raise ParamsError(f"--expression: {error}") from error
    given = parse_params(merged(params.model_dump(), _asked(options)), "pallor render")
    plan = given.plan
    salt = plan.reseed.get(number, 0)
    key = f"{number}/{expression}" + (f"#{salt}" if salt else "")
    person = population(given, "corpus", number, salt)
    clip = plan_clip(given, person, key, expression, plan.frames)
    clip = clip.model_copy(update={"passes": list(plan.passes)})
    if options.azimuth is None and options.elevation is None:
        return clip
    try:
        return filmed(clip, options.azimuth or 0.0, options.elevation or 0.0)
    except AvatarError as error:
        raise ParamsError(f"pallor render: {error}") from error


def _asked(options: Namespace) -> dict[str, dict[str, Any]]:
    """The parameters that options stand for."""
    asked: dict[str, Any] = {} if options.size is None else {"size": options.size}
    if options.passes:
        asked["passes"] = list(get_args(Pass)) if options.passes == ["all"] else options.passes
    return {"plan": asked}


def _who(clip: ClipPlan) -> str:
    person = clip.person
    return f"{person.sex}, {person.age:.0f}, {person.ethnicity}"
