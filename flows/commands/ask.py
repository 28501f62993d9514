"""Commands that ask a model: predict and score of films, benchmark of somebody else's model."""

import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np

from flows.commands.options import add_model, names
from flows.studies import model_file, opened
from flows.terminal import say_json
from flows.workspace import require_workspace
from pipeline.errors import IncompleteError, ParamsError

SECONDS = 4.0  # to look through a camera that is asked once

if TYPE_CHECKING:  # torch, which `pallor --help` does not need
    from pipeline.evaluation.conformal import Doubt
    from pipeline.evaluation.occlusion import Why
    from pipeline.evaluation.predict import Watcher
    from pipeline.evaluation.steps import Step


def predict_options(page: ArgumentParser) -> None:
    """What `pallor predict` can be asked."""
    page.add_argument("video", metavar="VIDEO|FOLDER|camera[:N]", nargs="?")
    page.add_argument("--camera", metavar="N", help="look live, until stopped")
    page.add_argument("--step", type=float, metavar="SECONDS", help="one answer for each step "
                      "(default: one a video; beyond 60 s steps as long as a clip)")  # fmt: skip
    page.add_argument("--seconds", type=float, help="how long a camera is read (default: 4; live: "
                      "until stopped)")  # fmt: skip
    page.add_argument("-o", "--out", metavar="FILE", help="also write the answers: .csv or .json")
    page.add_argument("--explain", metavar="FILE.png", help="also draw which frames and parts "
                      "decided; of one film")  # fmt: skip
    add_model(page)


def score_options(page: ArgumentParser) -> None:
    """What `pallor score` can be asked."""
    page.add_argument("folder", metavar="FOLDER")
    page.add_argument("--labels", required=True, metavar="labels.csv",
                      help="columns file, label; start, end (s), subject where known")  # fmt: skip
    page.add_argument("-o", "--out", metavar="FILE.json", help="also write every figure")
    add_model(page)


def benchmark_options(page: ArgumentParser) -> None:
    """What `pallor benchmark` can be asked."""
    page.add_argument("onnx", metavar="MODEL.onnx")
    page.add_argument("--labels", type=names, metavar="A,B,...", help="its classes, in its order")
    page.add_argument("--white", type=float, default=1.0, metavar="LEVEL",
                      help="of white in an input of floats (default: 1; often 255)")  # fmt: skip
    page.add_argument("-o", "--out", metavar="FILE.json", help="also write every figure")
    add_model(page)


@dataclass(frozen=True)
class Asked:
    """The model that the options mean, and when its answer is none."""

    watcher: "Watcher"
    doubt: "Doubt | None"
    model: Path


def predict(options: Namespace) -> None:
    """`pallor predict`: one answer about a film, or a row a film or stretch."""
    from pipeline.exports.answers import answers_file, writing_answers
    from pipeline.media.camera import camera_number
    from pipeline.report.templates import counted

    if (options.video is None) == (options.camera is None):
        raise ParamsError("name a video, a folder or camera[:N], or give --camera N to look live")
    asked, number = _asked(options), camera_number(options.video or "")
    if options.step is None and not options.out and options.camera is None:
        film = Path(options.video)
        if number is not None or not (film.is_dir() or _is_long(film)):
            _print_answer(asked, options)
            return
    if options.explain:
        raise ParamsError("--explain draws one film's answer; leave out --step, -o and folders")
    if number is not None:
        options.camera, options.seconds = str(number), options.seconds or SECONDS
    out = answers_file(options.out, [Path(options.video or "")]) if options.out else None
    labels = asked.watcher.model.labels
    rows: list[dict[str, Any]] = []  # for --json alone: a film may be long, a camera endless
    seen: Counter[str] = Counter()
    failed: set[str] = set()
    with writing_answers(out, labels) as write, _stoppable(options):
        for step in _steps(options, asked):
            row = step.row(labels, asked.doubt)
            write(row)
            if options.json:
                rows.append(row)
            else:
                print(_told(row), flush=True)
            seen[row["label"] or "nothing"] += 1
            failed |= {step.file} if step.end == 0 else set()
    if options.json:
        say_json(rows)
    else:
        counts = ", ".join(f"{name} {count}" for name, count in seen.most_common())
        print(f"{counts}; not a diagnosis")
    if failed:
        raise IncompleteError(
            f"{counted(len(failed), 'film')} could not be read to the end, see above"
        )


def score(options: Namespace) -> None:
    """`pallor score`: the figures of an evaluation on a user's own labelled films."""
    from pipeline.evaluation.kinds import corpus_detector, corpus_features
    from pipeline.evaluation.score import scored
    from pipeline.exports.outputs import output_file
    from pipeline.files import child_seed, write_json
    from pipeline.report.scored import score_lines

    folder, table = Path(options.folder), Path(options.labels)
    if not folder.is_dir():
        raise ParamsError(f"{folder} is no folder; name the folder that holds the films")
    out = output_file(options.out, ".json", [table]) if options.out else None
    asked = _asked(options)
    workspace, _, params = opened(options.study)
    chance = (params.evaluate.bootstrap, child_seed(params.seed, "score"))
    corpus = corpus_features(workspace, asked.model.stem, asked.watcher.model)
    result = scored((folder, table), asked.watcher, asked.doubt, corpus, chance)
    left = result["left_out"]
    result |= {"model": str(asked.model), "detector": asked.watcher.detector_name,
               "corpus_detector": corpus_detector(workspace)}  # fmt: skip
    if options.json:
        say_json(result)
    else:
        print("\n".join([*left, *score_lines(result, str(asked.model))]))
    if out:
        write_json(out, result)
    if left:
        what = "row or film was" if len(left) == 1 else "rows or films were"
        raise IncompleteError(f"{len(left)} {what} left out, see above")


def benchmark(options: Namespace) -> None:
    """`pallor benchmark`: a guest's figures with ours beside them."""
    from pipeline.evaluation.benchmark import benchmark as judge
    from pipeline.evaluation.benchmark import classes_of
    from pipeline.evaluation.guest import Guest
    from pipeline.exports.outputs import output_file
    from pipeline.files import write_json
    from pipeline.report.scored import benchmark_lines

    require_workspace()
    workspace, study, params = opened(options.study)
    ours = model_file(options.study, options.task, options.model, options.protocol)
    task, model = ours.parts[-3:-1]
    trial = (task, model, next(name for name, draw in study.draws() if draw == ours.stem))
    out = output_file(options.out, ".json", [Path(options.onnx)]) if options.out else None
    classes = classes_of(workspace, study, trial[0], trial[2])
    guest = Guest(Path(options.onnx), study.input, classes, options.labels, options.white)
    row = judge((workspace, study, params), guest, trial)
    if options.json:
        say_json(row)
    else:
        print("\n".join(benchmark_lines(row, options.onnx, trial[1])))
    if out:
        write_json(out, row)


def _asked(options: Namespace) -> Asked:
    from pipeline.evaluation.predict import Watcher
    from pipeline.report.record import doubt_of

    require_workspace()
    workspace, study, params = opened(options.study)
    model = model_file(options.study, options.task, options.model, options.protocol)
    return Asked(Watcher(model, params, study.input), doubt_of(workspace, study, model), model)


def _is_long(film: Path) -> bool:
    from pipeline.media.films import open_film
    from pipeline.media.footage import LONGEST

    return open_film(film).seconds > LONGEST


def _print_answer(asked: Asked, options: Namespace) -> None:
    from pipeline.exports.outputs import output_file
    from pipeline.media.camera import camera_number, read_camera
    from pipeline.media.footage import read_footage
    from pipeline.report.record import said_with

    picture = output_file(options.explain, ".png") if options.explain else None
    camera, watcher = camera_number(options.video), asked.watcher
    if camera is None:
        frames, name = read_footage(Path(options.video), watcher.fps), Path(options.video).name
    else:
        seconds, name = options.seconds or SECONDS, options.video
        look = f"look into {options.video} for {seconds:g} s, calm at first"
        print(look, file=sys.stderr if options.json else sys.stdout, flush=True)
        frames = read_camera(camera, watcher.fps, seconds, monotonic)
    seen = watcher.look(frames, name)
    result = watcher.answer(seen)
    said = said_with(asked.doubt, result.probabilities)
    if options.json:
        say_json(
            {**asdict(result), "video": options.video, "model": str(asked.model), "said": said}
        )
        return
    for label, share in sorted(result.probabilities.items(), key=lambda pair: -pair[1]):
        print(f"{label:12} {share:7.1%} {'#' * round(40 * share)}")
    for note in result.notes:
        print(note)
    print(said)
    first, end = result.frames
    if picture:
        _show_why(*watcher.why(seen), picture, first)
    print(f"{options.video}: {result.label}, frames {first} to {end - 1}; not a diagnosis")


def _show_why(why: "Why", crops: np.ndarray, picture: Path, first: int) -> None:
    """What decided: a line a frame of weight, a sentence, a picture."""
    import cv2

    from pipeline.evaluation.occlusion import draw
    from pipeline.files import writing

    for number, loss in enumerate(why.frames):
        print(f"frame {first + number:3} covered {-100 * loss:+5.1f} points")
    print(f"counted from frame {first}: {why.sentence()}")
    with writing(picture) as part:
        cv2.imwrite(str(part), draw(why, crops)[..., ::-1])
    print(f"{picture}: what counts is red, what counts more has a longer bar")


def _steps(options: Namespace, asked: Asked) -> "Iterator[Step]":
    from pipeline.evaluation.steps import asked_camera, asked_film, films_of

    watcher, step = asked.watcher, options.step
    if options.camera is not None:
        yield from asked_camera(options.camera, watcher, step, monotonic, options.seconds)
        return
    given = Path(options.video)
    for film in films_of(given) if given.is_dir() else [given]:
        name = film.relative_to(given).as_posix() if given.is_dir() else str(film)
        yield from asked_film(film, watcher, step, name)


def _stoppable(options: Namespace) -> AbstractContextManager[None]:
    """A live look ends by being stopped, and keeps what it wrote."""
    return suppress(KeyboardInterrupt) if options.camera is not None else nullcontext()


def _told(row: dict) -> str:
    where = f"{row['file']} {row['start']:6.1f} to {row['end']:6.1f} s"
    if row["label"] is None:
        return f"{row['reason']}" if row["end"] == 0 else f"{where}  {row['reason']}"
    sure = f"{row['probabilities'][row['label']]:.1%}"
    doubt = "" if row["set"] is None else f"  {{{', '.join(row['set'])}}}"
    return f"{where}  {'unknown' if row['unknown'] else row['label']:10}{sure:>7}{doubt}"
