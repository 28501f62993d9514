"""The command `pallor motion`: a motion model trained outside the line, on a GPU where one is."""

from argparse import ArgumentParser, Namespace
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

from flows.runners import workers
from flows.workspace import home, require_workspace
from pipeline.exports.outputs import output_folder
from pipeline.params import load_params, merged, parse_params
from pipeline.store.store import Job, Store

if TYPE_CHECKING:
    from pipeline.params import Params

NETWORKS = ("blend-128", "blend-256")


def motion_options(page: ArgumentParser) -> None:
    """What `pallor motion` can be asked."""
    page.add_argument("--network", choices=NETWORKS, default="blend-256")
    page.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    page.add_argument("--steps", type=int, help="of the whole model (default: motion.steps)")
    page.add_argument("--batch", type=int, help="triplets a step (default: motion.batch)")
    page.add_argument("-o", "--out", required=True, metavar="FOLDER")


def motion(options: Namespace) -> None:
    """`pallor motion`: renders the grid where it is not at hand, then trains on it."""
    require_workspace()
    out = output_folder(options.out)
    params = _params(options)
    from avatars.assets import fetch
    from pipeline.motion.grid import load_grid
    from pipeline.motion.training import check_device, jobs_of, train_motion

    check_device(params.motion.device)  # before the grid is rendered
    fetch(home())
    jobs, store = jobs_of(params), Store(home(), "motion")
    _render([job for job in jobs if not store.has(job.key)])
    out.mkdir(parents=True, exist_ok=True)
    state = out / f"{params.motion.network}.state.pt"
    train_motion(load_grid(jobs, store, params), params.motion, params.seed, out, state, _say)
    state.unlink(missing_ok=True)
    print(f"{out} holds {params.motion.network} and its record")


def _params(options: Namespace) -> "Params":
    asked: dict[str, Any] = {"network": options.network, "device": options.device}
    asked |= {n: v for n in ("steps", "batch") if (v := getattr(options, n)) is not None}
    values = load_params().model_dump()
    return parse_params(merged(values, {"motion": asked}), "pallor motion")


def _say(line: str) -> None:
    print(line, flush=True)


def _render(missing: list[Job]) -> None:
    from pipeline.report.templates import counted

    if not missing:
        return
    _say(f"of the training grid {counted(len(missing), 'item')} must be rendered once")
    chunks = [missing[at : at + 9] for at in range(0, len(missing), 9)]
    with ProcessPoolExecutor(workers(), get_context("spawn")) as pool:
        for number, _ in enumerate(pool.map(_work, chunks), start=1):
            _say(f"chunk {number} of {len(chunks)}")


def _work(jobs: list[Job]) -> None:
    from pipeline.corpus import render

    render.work(jobs, Store(home(), "motion"))
