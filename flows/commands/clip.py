"""Commands on one clip: render a film of one person, predict what a film shows."""

from argparse import Namespace
from pathlib import Path
from time import monotonic

from flows.studies import model_file, opened
from flows.workspace import home, require_workspace
from pipeline.errors import ParamsError
from pipeline.outputs import output_file
from pipeline.params import Params, merged, parse_params
from pipeline.records import ClipPlan


def render(options: Namespace) -> None:
    """`pallor render`: one clip through the render stage's own code, as a film."""
    from avatars.assets import fetch
    from pipeline.corpus import render as stage
    from pipeline.media.film import write_film
    from pipeline.media.video import read_clip
    from pipeline.store.store import Store

    _, study, params = opened(options.study)
    if options.identity not in range(study.people):
        last = study.people - 1
        raise ParamsError(f"there is no identity {options.identity}; {study.name} has 0 to {last}")
    out = output_file(options.out, ".mp4")
    clip = _one_clip(params, options.identity, options.expression, options.size)
    fetch(home())
    [job] = stage.clip_jobs([clip])
    store = Store(home(), "render")
    if not store.has(job.key):
        stage.work([job], store)
    frames = read_clip(store.path(job.key) / "clip.mp4")
    write_film(out, frames, clip.fps)
    print(f"{options.out}: {clip.key}, {len(frames)} frames of {clip.size} px, {_who(clip)}")


def predict(options: Namespace) -> None:
    """`pallor predict`: the classes of a task by probability."""
    from pipeline.evaluation.predict import judge
    from pipeline.evaluation.predict import predict as judge_video
    from pipeline.media.camera import camera_number, read_camera

    require_workspace()
    _, study, params = opened(options.study)
    model = model_file(options.study, options.task, options.model, options.protocol)
    camera = camera_number(options.video)
    if camera is None:
        result = judge_video(Path(options.video), model, params, study.input)
    else:
        print(f"look into {options.video} for {options.seconds:g} s, calm at first", flush=True)
        frames = read_camera(camera, params.plan.fps, options.seconds, monotonic)
        result = judge(frames, options.video, model, params, study.input)
    for name, share in sorted(result.probabilities.items(), key=lambda pair: -pair[1]):
        print(f"{name:12} {share:7.1%} {'#' * round(40 * share)}")
    for note in result.notes:
        print(note)
    first, end = result.frames
    print(f"{options.video}: {result.label}, frames {first} to {end - 1}; not a diagnosis")


def _one_clip(params: Params, number: int, expression: str, size: int | None) -> ClipPlan:
    from avatars import expression as performance
    from avatars.errors import AvatarError
    from pipeline.corpus.plan import plan_clip, population

    try:
        performance.load(expression)
    except AvatarError as error:
        raise ParamsError(f"--expression: {error}") from error
    side = params.plan.size if size is None else size
    asked = merged(params.model_dump(), {"plan": {"size": side}})
    given = parse_params(asked, "pallor render")
    plan = given.plan
    salt = plan.reseed.get(number, 0)
    key = f"{number}/{expression}" + (f"#{salt}" if salt else "")
    return plan_clip(given, population(given, "corpus", number, salt), key, expression, plan.frames)


def _who(clip: ClipPlan) -> str:
    person = clip.person
    return f"{person.sex}, {person.age:.0f}, {person.ethnicity}"
