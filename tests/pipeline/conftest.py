from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from skimage import data

from pipeline.corpus.plan import make_plan
from pipeline.corpus.planned import Plan, read_plan
from pipeline.evaluation.evaluate import evaluate_models
from pipeline.files import child_seed, write_json, write_jsonl
from pipeline.media.video import Frames, write_clip
from pipeline.params import Params, parse_params
from pipeline.records import PROTOCOLS, FaceTrack, Person
from pipeline.report.report import Inputs
from pipeline.splits.oversample import oversample_splits
from pipeline.splits.split import split_faces
from pipeline.training.train import read_samples, train


@pytest.fixture(scope="session")
def astronaut() -> Callable[..., Frames]:
    """A clip of a real face (NASA, public domain): the window over the photograph moves and zooms.

    At its turning point the face stands `right`, `down` px from where it started, `zoom` larger.
    """
    photograph = data.astronaut()

    def clip(right=8.0, down=0.0, zoom=0.0, frames=16, size=128, width=360.0) -> Frames:
        made = []
        for phase in np.sin(np.pi * np.linspace(0, 1, frames)):
            scale = size / width * (1 + zoom * phase)
            moved = np.array([size / 2 + right * phase, size / 2 + down * phase])
            view = np.column_stack([np.eye(2) * scale, moved - scale * np.array([220, 175])])
            made.append(cv2.warpAffine(photograph, view, (size, size), flags=cv2.INTER_AREA))
        return np.stack(made)

    return clip


PUPPET_PARAMS = {
    "seed": 5,
    "plan": {"identities": 8, "frames": 8, "fps": 4, "size": 48},
    "portraits": {"count": 6},
    "split": {"window": 4, "stride": 1},
    "train": {"hidden": 8, "epochs": 12, "batch": 16, "learning_rate": 5e-3},
    "evaluate": {"bootstrap": 200},
}


@dataclass(frozen=True)
class Line:
    """A whole small workspace of puppets, from the plan to the evaluation."""

    params: Params
    plan: Plan
    inputs: Inputs
    oversampled: Path
    split: Path
    predictions: Path


def puppet(person: Person, display: str, frames=8, size=48) -> Frames:
    """A drawn face whose head turns and whose lips part as the display says; eyes close."""
    rng = np.random.default_rng(child_seed(0, person.identity_id, display))
    skin, paper = rng.integers(90, 200), rng.integers(0, 256)
    turn = {"L": 1, "R": -1}.get(display[-1], 0)  # the own left is the picture's right
    made = []
    for phase in np.sin(np.pi * np.linspace(0, 1, frames)):
        picture = np.full((size, size, 3), paper, np.uint8)
        cv2.ellipse(picture, (24, 24), (16, 20), 0, 0, 360, (int(skin),) * 3, -1)
        x = 24 + round(9 * turn * phase)
        for eye in (x - 6, x + 6):
            cv2.ellipse(picture, (eye, 18), (3, round(2 * (1 - phase))), 0, 0, 360, (0,) * 3, -1)
        lips = round(5 * phase) if display.startswith(("FD1", "FD3")) else 0
        cv2.ellipse(picture, (x, 34), (6, lips), 0, 0, 360, (0,) * 3, -1)
        made.append(picture)
    return np.stack(made)


@pytest.fixture(scope="session")
def line(tmp_path_factory) -> Line:
    """Puppets through split, oversample, train and evaluate: the stages' own functions."""
    root = tmp_path_factory.mktemp("line")
    params = parse_params(PUPPET_PARAMS)
    rows = make_plan(params, Path(__file__).parents[2] / "portraits" / "register.csv")
    write_jsonl(root / "plan.jsonl", [row.row() for row in rows])
    plan = read_plan(root / "plan.jsonl")
    inputs = Inputs(
        plan=root / "plan.jsonl", clips=root / "clips", portraits=root / "portraits",
        transferred=root / "transferred", faces=root / "faces", models=root / "models",
        metrics=root / "metrics", plots=root / "plots",
    )  # fmt: skip
    _draw(plan, inputs)
    split, oversampled, predictions = root / "split", root / "oversampled", root / "predictions"
    split_faces(inputs.faces, split, inputs.metrics / "split_proof.json", params.split, 1)
    balance = inputs.metrics / "balance.json"
    oversample_splits(split, inputs.faces, oversampled, balance, params.oversample, 2)
    for protocol in PROTOCOLS:
        samples = read_samples(oversampled / f"{protocol}.jsonl")
        train(protocol, samples, inputs.faces, params.train, 3, inputs.models)
    evaluate_models(
        inputs.models, split, inputs.faces, predictions, inputs.metrics / "evaluation.json",
        inputs.plots, params.evaluate, 4,
    )  # fmt: skip
    return Line(params, plan, inputs, oversampled, split, predictions)


def _draw(plan: Plan, inputs: Inputs) -> None:
    drivers = {clip.clip_id: clip for clip in plan.clips}
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    tracks = []
    for clip in plan.clips:
        frames = puppet(clip.person, clip.expression)
        write_clip(inputs.clips / f"{clip.clip_id}.mp4", frames, clip.fps)
        phase = np.sin(np.pi * np.linspace(0, 1, len(frames)))
        np.savez(
            inputs.clips / f"{clip.clip_id}.npz",
            executed=phase[:, None, None] * np.ones((1, 3, 2), np.float32),
            head_deg=phase[:, None] * np.array([30.0, 0, 0]),
        )
        tracks.append((inputs.clips, clip.clip_id, "avatar", clip, clip.person, None))
    inputs.portraits.mkdir()
    for portrait in plan.portraits:
        still = puppet(portrait.person, "neutral", frames=1)[0]
        cv2.imwrite(str(inputs.portraits / f"{portrait.portrait_id}.png"), still)
    for row in plan.transfers:
        person = people[row.portrait_id]
        frames = puppet(person, row.expression)
        write_clip(inputs.transferred / f"{row.clip_id}.mp4", frames, 4)
        driver = drivers[row.driving_clip_id]
        tracks.append(
            (inputs.transferred, row.clip_id, "transfer", driver, person, row.portrait_id)
        )
    # The last clip is turned away, as a real line may do.
    *kept, lost = sorted(tracks, key=lambda track: track[1])
    for folder, clip_id, *_ in kept:
        inputs.faces.mkdir(exist_ok=True)
        (inputs.faces / f"{clip_id}.mp4").write_bytes((folder / f"{clip_id}.mp4").read_bytes())
    write_jsonl(inputs.faces / "faces.jsonl", [_track(*track[1:]).row() for track in kept])
    reason = {"clip_id": lost[1], "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(inputs.faces / "quarantine.jsonl", [reason])
    write_json(inputs.faces / "detector.json", {"detector": "haar", "because": "it is drawn"})


def _track(clip_id, kind, driver, person, portrait_id) -> FaceTrack:
    return FaceTrack(
        clip_id=clip_id, kind=kind, label=driver.expression, person=person,
        identity_id=driver.person.identity_id, portrait_id=portrait_id,
        driving_clip_id=driver.clip_id, detector="haar", boxes=[[0.0, 0.0, 48.0, 48.0]] * 8,
    )  # fmt: skip
