"""Commands on one clip: render a film of one person, predict what a film shows."""

from argparse import Namespace
from pathlib import Path
from time import monotonic

from flows.settings import PARAMS
from flows.workspace import MODELS, home, require_workspace
from pipeline.errors import ParamsError
from pipeline.params import Params, load_params, parse_params
from pipeline.records import ClipPlan


def render(options: Namespace) -> None:
    """`pallor render`: one clip through the render stage's own code, as a film."""
    from avatars.assets import fetch
    from pipeline.corpus import render as stage
    from pipeline.media.film import write_film
    from pipeline.media.video import read_clip
    from pipeline.store.store import Store

    params = load_params() if PARAMS.is_file() else Params()
    clip = _one_clip(params, options.identity, options.expression, options.size)
    fetch(home())
    [job] = stage.jobs([clip], params)
    store = Store(home(), "render")
    if not store.has(job.key):
        stage.work([job], store)
    frames = read_clip(store.path(job.key) / "clip.mp4")
    write_film(Path(options.out), frames, clip.fps)
    print(f"{options.out}: {clip.key}, {len(frames)} frames of {clip.size} px, {_who(clip)}")


def predict(options: Namespace) -> None:
    """`pallor predict`: the displays by probability."""
    from pipeline.evaluation.predict import judge
    from pipeline.evaluation.predict import predict as judge_video
    from pipeline.media.camera import camera_number, read_camera

    require_workspace()
    params, model = load_params(), MODELS / f"{options.protocol}.safetensors"
    camera = camera_number(options.video)
    if camera is None:
        result = judge_video(Path(options.video), model, params)
    else:
        print(f"look into {options.video} for {options.seconds:g} s, calm at first", flush=True)
        frames = read_camera(camera, params.plan.fps, options.seconds, monotonic)
        result = judge(frames, options.video, model, params)
    for name, share in sorted(result.probabilities.items(), key=lambda pair: -pair[1]):
        print(f"{name:6} {share:7.1%} {'#' * round(40 * share)}")
    first, end = result.frames
    print(f"{options.video}: {result.label}, frames {first} to {end - 1}; not a diagnosis")


def _one_clip(params: Params, identity: int, expression: str, size: int | None) -> ClipPlan:
    from pipeline.corpus.plan import make_plan

    if not 0 <= identity < params.plan.identities:
        last = params.plan.identities - 1
        raise ParamsError(f"there is no identity {identity}; plan.identities gives 0 to {last}")
    values = params.model_dump()
    values["plan"].update(expressions=[expression], size=size or params.plan.size)
    rows = make_plan(
        parse_params(values, "pallor render"), Path(params.portraits.source) / "register.csv"
    )
    return next(
        row for row in rows if isinstance(row, ClipPlan) and int(row.key.split("/")[0]) == identity
    )


def _who(clip: ClipPlan) -> str:
    person = clip.person
    return f"{person.sex}, {person.age:.0f}, {person.ethnicity}"
