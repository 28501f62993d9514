from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from skimage import data

from pipeline.corpus.plan import make_plan
from pipeline.corpus.planned import Plan, read_plan
from pipeline.evaluation import evaluate
from pipeline.evaluation.groups import angle
from pipeline.faces.faces import jobs_of
from pipeline.files import child_seed, read_jsonl, write_json, write_jsonl
from pipeline.media.video import Frames, write_clip
from pipeline.params import Params, load_params
from pipeline.records import ClipPlan, Person, TransferPlan
from pipeline.splits import oversample, split
from pipeline.splits.tables import read_tracks
from pipeline.store.store import Store
from pipeline.study import Study, read_study
from pipeline.training import train
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
REGISTER = ROOT / "portraits" / "register.csv"


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


PARAMS = {
    "seed": 7,
    "plan": {"frames": 8, "fps": 4, "size": 48},
    "train": {"epochs": 12, "batch": 16, "learning_rate": 5e-3},
    "evaluate": {"bootstrap": 200},
}
QUICK = PARAMS | {"train": {"epochs": 1, "batch": 32}, "evaluate": {"bootstrap": 100}}
# The main study's file with fewer people, shorter windows and a smaller network.
PUPPETS = yaml.safe_load((ROOT / "studies" / "deterioration" / "study.yaml").read_text()) | {
    "cohorts": {"cast": 8},
    "portraits": 6,
    "input": {"frames": 4, "size": 48},
    "models": {"convlstm": {"parameters": {"hidden": 8, "dropout": 0.2}}},
}
# Everything that the main study has none of: severities, references, several tasks and models.
TOY: dict[str, Any] = {
    "name": "toy",
    "title": "Toy",
    "question": "Is it weak, and how weak?",
    "cohorts": {"cast": 7, "others": 3},
    "arms": [
        {"label": "calm", "cohorts": ["cast", "others"], "expressions": ["FD2-L"]},
        {"label": "strong", "cohorts": ["cast", "others"], "expressions": ["FD1", "FD3-L"]},
        {
            "label": "weak",
            "cohorts": ["cast", "others"],
            "expressions": ["FD1", "FD3-L"],
            "conditions": [{"kind": "palsy", "severity": [0.4, 1.0], "drawn_per": "clip"}],
        },
        {"label": "odd", "cohorts": ["others"], "expressions": ["FD3-R"], "trained": False},
    ],
    "input": {"frames": 4, "stride": 4, "size": 48, "channels": 3, "reference": "calm"},
    "tasks": {
        "diagnosis": {"among": ["strong", "weak", "odd"], "positive": "weak"},
        "severity": {
            "among": "weak",
            "classes": {"mild": {"severity": [0, 0.7]}, "severe": {"severity": [0.7001, 1]}},
            "detect": ["severe"],
        },
    },
    "protocols": {
        "folds": {"unit": "person", "together": "person", "folds": 2, "repeats": 2, "leaky": False},
        "unseen": {"unit": "clip", "together": "person", "test_cohorts": ["others"],
                   "leaky": False},
    },
    "models": {
        "convlstm": {"parameters": {"hidden": 4}},
        "framecnn": {"tasks": ["diagnosis"], "train": {"epochs": 1}},
    },
}  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A whole small workspace of puppets, from the plan to the evaluation.

    Its root also holds params.yaml and the study's file, so that a command finds what it reads.
    """

    workspace: Workspace
    study: Study
    params: Params
    plan: Plan


@pytest.fixture(scope="session")
def line(made_once) -> Line:
    """The main study at a small size; what a test changes it must change in a copy."""
    return read_line(made_once("line", lambda root: puppet_line(root, PUPPETS, PARAMS)))


@pytest.fixture(scope="session")
def toy(made_once) -> Line:
    """A study of severities, references, two tasks, two models, repeated folds and a cohort."""
    return read_line(made_once("toy", lambda root: puppet_line(root, TOY, QUICK)))


# A study that asks for everything beyond figures, of a network with a reference and one without.
ASKING: dict[str, Any] = TOY | {
    "name": "asking",
    "tasks": {
        "diagnosis": {
            "among": ["strong", "weak", "odd"], "positive": "weak", "dose": "severity",
            "hide": ["mouth", "start"], "errors_by": ["condition", "setting", "light", "sex"],
        },
    },
    "protocols": {
        "known": {"unit": "clip", "together": "person", "folds": 2, "cohorts": ["cast"],
                  "threshold_from": "known", "leaky": False},
        "unseen": {"unit": "clip", "together": "person", "test_cohorts": ["others"],
                   "threshold_from": "known", "leaky": False},
    },
    "models": {
        "framecnn": {"parameters": {"width": 4}},
        "alone": {"network": "framecnn", "parameters": {"width": 4}, "reference": False},
    },
}  # fmt: skip


@pytest.fixture(scope="session")
def asking(made_once) -> Line:
    """Two cohorts, of which one is never learnt from nor used to choose anything."""
    return read_line(made_once("asking", lambda root: puppet_line(root, ASKING, QUICK)))


@pytest.fixture(scope="session")
def spoilt(made_once) -> Line:
    """The same study; everything of the unseen cohort is noise."""

    def spoil(workspace: Workspace) -> None:
        rng = np.random.default_rng(0)
        for track in read_tracks(workspace.faces):
            if track.cohort == "others":
                noise = rng.integers(0, 256, (PARAMS["plan"]["frames"], 48, 48, 3), dtype=np.uint8)
                write_clip(workspace.faces / f"{track.clip_id}.mp4", noise, 4)

    return read_line(made_once("spoilt", lambda root: puppet_line(root, ASKING, QUICK, spoil)))


# Two cameras and two protocols, of which one copies windows before it draws sides.
FACELESS: dict[str, Any] = {
    "name": "faceless",
    "title": "Faceless",
    "question": "Is it strong?",
    "cohorts": {"cast": 5},
    "arms": [
        {"label": label, "cohorts": ["cast"], "expressions": [shown],
         "cameras": ["straight", "full-left"]}
        for label, shown in (("calm", "FD2-L"), ("strong", "FD1"))
    ],
    "input": {"frames": 4, "stride": 4, "size": 48},
    "tasks": {"strength": {"errors_by": ["angle", "skin"]}},
    "protocols": {
        "copied": {"unit": "window", "together": "nothing", "test": 0.4, "copies": 0.5,
                   "leaky": True},
        "folds": {"unit": "clip", "together": "person", "folds": 2, "leaky": False},
    },
    "models": {"framecnn": {"parameters": {"width": 4}}},
}  # fmt: skip


@pytest.fixture(scope="session")
def faceless(made_once) -> Line:
    """A study of which no face was found in three clips, all seen from the full left."""

    def spoil(workspace: Workspace) -> None:
        plan, tracks = read_plan(workspace.plan), read_tracks(workspace.faces)
        profiles = {clip.clip_id for clip in plan.clips if angle(clip) == "full-left"}
        lost = [track.clip_id for track in tracks if track.clip_id in profiles][:3]
        kept = [track.row() for track in tracks if track.clip_id not in lost]
        write_jsonl(workspace.faces / "faces.jsonl", kept)
        rows = read_jsonl(workspace.faces / "quarantine.jsonl")
        rows += [{"clip_id": name, "reason": "no_face", "detail": "in 8 of 8"} for name in lost]
        write_jsonl(workspace.faces / "quarantine.jsonl", rows)

    return read_line(made_once("faceless", lambda root: puppet_line(root, FACELESS, QUICK, spoil)))


@pytest.fixture(scope="session")
def split_line(tmp_path_factory):
    """Puppets of any study from the plan through split and oversample."""

    def make(study: Study) -> Line:
        values = study.model_dump(mode="json", exclude_unset=True)
        workspace = drawn_workspace(tmp_path_factory.mktemp(study.name), values, PARAMS)
        params = load_params(workspace.params)
        split.make(workspace, study, params)
        oversample.make(workspace, study, params)
        return Line(workspace, study, params, read_plan(workspace.plan))

    return make


def read_line(root: Path) -> Line:
    """What `puppet_line` left below `root`."""
    [study_file] = (root / "studies").glob("*/study.yaml")
    workspace = Workspace(study_file.parent.name, root)
    study, params = read_study(workspace.study_file), load_params(workspace.params)
    return Line(workspace, study, params, read_plan(workspace.plan))


def puppet_line(
    root: Path,
    study_values: dict[str, Any],
    params_values: dict[str, Any],
    spoil: Callable[[Workspace], None] = lambda workspace: None,
) -> None:
    """Puppets through split, oversample, train and evaluate: the stages' own functions.

    `spoil` may change the crops before anything is learnt from them.
    """
    workspace = drawn_workspace(root, study_values, params_values)
    spoil(workspace)
    study, params = read_study(workspace.study_file), load_params(workspace.params)
    split.make(workspace, study, params)
    oversample.make(workspace, study, params)
    store = Store(root / ".pallor", "train")
    jobs = train.jobs(workspace, study, params)
    for job in jobs:
        with store.making(job.key) as folder:
            train.train(job.item, folder)
    train.assemble(jobs, store, workspace)
    evaluate.make(workspace, study, params)


def drawn_workspace(
    root: Path, study_values: dict[str, Any], params_values: dict[str, Any]
) -> Workspace:
    """A workspace with a plan and its clips, portraits and crops, drawn in place of rendered."""
    workspace = Workspace(study_values["name"], root)
    workspace.study_folder.mkdir(parents=True)
    workspace.study_file.write_text(yaml.safe_dump(study_values, sort_keys=False))
    workspace.params.write_text(yaml.safe_dump(params_values))
    study, params = read_study(workspace.study_file), load_params(workspace.params)
    rows = make_plan(study, params, REGISTER)
    write_jsonl(workspace.plan, [row.row() for row in rows])
    plan = read_plan(workspace.plan)
    _draw_clips(plan, workspace)
    _crop(plan, workspace, params)
    return workspace


def puppet(
    person: Person, clip: ClipPlan | TransferPlan, frames: int = 8, size: int = 48
) -> Frames:
    """A drawn face whose head turns and whose lips part as its clip says; eyes close.

    The more severe a condition, the less the lips part. A pattern of the person's own lies over
    it: without one all puppets were one face.
    """
    own = np.random.default_rng(child_seed(0, person.identity_id)).integers(0, 80, (16, 16, 1))
    own = np.kron(own, np.ones((3, 3, 3))).astype(np.uint8)
    rng = np.random.default_rng(child_seed(0, person.identity_id, clip.expression))
    skin, paper = rng.integers(90, 200), rng.integers(0, 256)
    turn = {"L": 1, "R": -1}.get(clip.expression[-1], 0)  # the own left is the picture's right
    parting = 5 * (1 - clip.targets.get("severity", 0.0))
    made = []
    for phase in np.sin(np.pi * np.linspace(0, 1, frames)):
        picture = np.full((size, size, 3), paper, np.uint8)
        cv2.ellipse(picture, (24, 24), (16, 20), 0, 0, 360, (int(skin),) * 3, -1)
        x = 24 + round(9 * turn * phase)
        for eye in (x - 6, x + 6):
            cv2.ellipse(picture, (eye, 18), (3, round(2 * (1 - phase))), 0, 0, 360, (0,) * 3, -1)
        lips = round(parting * phase) if clip.expression.startswith(("FD1", "FD3")) else 0
        cv2.ellipse(picture, (x, 34), (6, lips), 0, 0, 360, (0,) * 3, -1)
        made.append(cv2.subtract(picture, own))
    return np.stack(made)


def _draw_clips(plan: Plan, workspace: Workspace) -> None:
    people = {portrait.portrait_id: portrait.person for portrait in plan.portraits}
    for clip in plan.clips:
        frames = puppet(clip.person, clip)
        write_clip(workspace.clips / f"{clip.clip_id}.mp4", frames, clip.fps)
        phase = np.sin(np.pi * np.linspace(0, 1, len(frames)))
        np.savez(
            workspace.clips / f"{clip.clip_id}.npz",
            executed=phase[:, None, None] * np.ones((1, 3, 2), np.float32),
            head_deg=phase[:, None] * np.array([30.0, 0, 0]),
        )
    for row in plan.transfers:
        frames = puppet(people[row.portrait_id], row)
        write_clip(workspace.transferred / f"{row.clip_id}.mp4", frames, 4)
    workspace.portraits.mkdir()
    for portrait in plan.portraits:
        neutral = TransferPlan(
            clip_id="", portrait_id=portrait.portrait_id, driving_clip_id="", expression="neutral"
        )
        still = puppet(portrait.person, neutral, frames=1)[0]
        cv2.imwrite(str(workspace.portraits / f"{portrait.portrait_id}.png"), still)


def _crop(plan: Plan, workspace: Workspace, params: Params) -> None:
    """The faces stage's own records; the whole picture is the crop, as no detector sees puppets."""
    jobs = jobs_of(plan, (workspace.clips, workspace.transferred), params.faces, 48)
    # The last transferred clip, or the last of all, is turned away, as a real line may do.
    kept = sorted(jobs, key=lambda job: (job.item.track.kind, job.name))
    lost = kept.pop()
    boxes = [[0.0, 0.0, 48.0, 48.0]] * params.plan.frames
    workspace.faces.mkdir()
    tracks = []
    for job in sorted(kept, key=lambda job: job.name):
        (workspace.faces / f"{job.name}.mp4").write_bytes(job.item.video.read_bytes())
        track = job.item.track.model_copy(update={"boxes": boxes, "detector": "haar"})
        tracks.append(track.row())
    write_jsonl(workspace.faces / "faces.jsonl", tracks)
    reason = {"clip_id": lost.name, "reason": "blurred", "detail": "sharpness 0.001"}
    write_jsonl(workspace.faces / "quarantine.jsonl", [reason])
    write_json(workspace.faces / "detector.json", {"detector": "haar", "because": "it is drawn"})
