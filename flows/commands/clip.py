"""Commands on one clip: render a film of one person, predict what a film shows."""

import shutil
from argparse import Namespace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, get_args

from flows.studies import model_file, opened
from flows.workspace import home, require_workspace
from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file
from pipeline.files import writing
from pipeline.params import Params, Pass, merged, parse_params
from pipeline.records import ClipPlan

if TYPE_CHECKING:  # brings torch
    from pipeline.evaluation.predict import Prediction


def render(options: Namespace) -> None:
    """`pallor render`: one clip through the render stage's own code, as a film."""
    from avatars.assets import fetch
    from pipeline.corpus import render as stage
    from pipeline.corpus.register import AVATAR_RIGHTS
    from pipeline.media.film import write_film
    from pipeline.media.video import read_clip
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
    print(f"{options.out}: {clip.key}, {len(frames)} frames of {clip.size} px, {_who(clip)}")
    if measured:
        with writing(measured) as part:
            shutil.copyfile(store.path(jobs[1].key) / "passes.npz", part)
        print(f"{measured}: truth with {', '.join(clip.passes)}")


def predict(options: Namespace) -> None:
    """`pallor predict`: the classes of a task by probability."""
    from pipeline.evaluation.predict import judge
    from pipeline.evaluation.predict import predict as judge_video
    from pipeline.media.camera import camera_number, read_camera
    from pipeline.report.record import doubt_of, said_with

    require_workspace()
    picture = output_file(options.explain, ".png") if options.explain else None
    workspace, study, params = opened(options.study)
    model = model_file(options.study, options.task, options.model, options.protocol)
    camera = camera_number(options.video)
    if camera is None:
        result = judge_video(Path(options.video), model, params, study.input, bool(picture))
    else:
        print(f"look into {options.video} for {options.seconds:g} s, calm at first", flush=True)
        frames = read_camera(camera, params.plan.fps, options.seconds, monotonic)
        result = judge(frames, options.video, model, params, study.input, bool(picture))
    for name, share in sorted(result.probabilities.items(), key=lambda pair: -pair[1]):
        print(f"{name:12} {share:7.1%} {'#' * round(40 * share)}")
    for note in result.notes:
        print(note)
    print(said_with(doubt_of(workspace, study, model), result.probabilities))
    first, end = result.frames
    if picture:
        _show_why(result, picture, first)
    print(f"{options.video}: {result.label}, frames {first} to {end - 1}; not a diagnosis")


def _show_why(result: "Prediction", picture: Path, first: int) -> None:
    """What decided: a line a frame of weight, a sentence, a picture."""
    import cv2

    from pipeline.evaluation.occlusion import draw

    assert result.why is not None
    assert result.crops is not None
    for number, loss in enumerate(result.why.frames):
        print(f"frame {first + number:3} covered {-100 * loss:+5.1f} points")
    print(f"counted from frame {first}: {result.why.sentence()}")
    with writing(picture) as part:
        cv2.imwrite(str(part), draw(result.why, result.crops)[..., ::-1])
    print(f"{picture}: what counts is red, what counts more has a longer bar")


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
