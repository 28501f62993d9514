"""The stage over real files: one real face clip, one rendered clip, and every planted defect."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from pipeline.corpus.planned import Plan
from pipeline.faces.detect import HaarDetector, choose_detector
from pipeline.faces.faces import assemble, crop_faces, jobs_of, work
from pipeline.files import read_json, read_jsonl, tree_digest
from pipeline.media.video import read_clip, write_clip
from pipeline.params import FaceParams
from pipeline.records import ClipPlan, FaceTrack, Person, PortraitPlan, TransferPlan
from pipeline.store.store import Store

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"  # an avatar turning 40 degrees
HAAR = FaceParams(detector="haar", margin=0.2)
OWN = FaceParams(detector="own")


def person(name):
    return Person(identity_id=name, age=None, sex=None, ethnicity=None)


def clip_plan(name):
    return ClipPlan(
        clip_id=name, key=name, person=person("id-0"), identity={}, expression="FD2-L", scene={},
        seed=0, frames=16, fps=8, size=128, samples=8, label="FD2-L", cohort="cast",
    )  # fmt: skip


def plan_of(*names, transfers=()):
    portrait = PortraitPlan(
        portrait_id="face-0", key="face-0", person=person("id-9"), licence="", consent="",
        origin="", file="face.png", clip=None,
    )  # fmt: skip
    rows = [
        TransferPlan(
            clip_id=t,
            portrait_id="face-0",
            driving_clip_id=names[0],
            expression="FD2-L",
            label="FD2-L",
            cohort="cast",
        )
        for t in transfers
    ]
    return Plan([clip_plan(name) for name in names], [portrait], rows)


def run(plan, folder, params=HAAR, size=64):
    store = Store(folder / "home", "faces")
    todo = jobs_of(plan, (folder / "clips", folder / "transferred"), params, size)
    work([job for job in todo if not store.has(job.key)], store)
    assemble(todo, store, SimpleNamespace(faces=folder / "faces"))
    kept = {
        row["clip_id"]: FaceTrack.parse(row) for row in read_jsonl(folder / "faces/faces.jsonl")
    }
    rejected = {r["clip_id"]: r for r in read_jsonl(folder / "faces/quarantine.jsonl")}
    return kept, rejected, store


def made(store):
    return [row["name"] for row in store.read_log() if row["event"] == "made"]


def damage(kind, face):
    frames = face.copy()
    if kind == "black":
        frames[:] = 0
    if kind == "black_frame":
        frames[9] = 0
    if kind == "frozen":
        frames[:] = frames[0]
    if kind == "one_frame":
        frames = frames[:1]
    if kind == "no_face":
        frames[:, :70] = frames[:, 70:71]
    if kind == "four_faces":
        frames = np.tile(frames[:, 16:112, 16:112], (1, 2, 2, 1))
    if kind == "two_faces":
        frames = np.concatenate([frames[:, :, 16:112], frames[:, :, 16:112]], axis=2)
    if kind == "blurred":
        frames = np.stack([cv2.GaussianBlur(frame, (0, 0), 5) for frame in frames])
    if kind == "cut_by_border":
        frames = np.stack([np.roll(f, -4 * t, axis=1) for t, f in enumerate(frames)])
    return frames


DEFECTS = {
    "black": "blank", "black_frame": "blank", "frozen": "frozen", "one_frame": "short",
    "no_face": "no_face", "two_faces": "several_faces", "blurred": "blurred",
    "cut_by_border": "face_cut", "four_faces": "several_faces", "empty": "unreadable",
    "text": "unreadable", "truncated": "unreadable", "absent": "missing", "turn_again": "duplicate",
    "turn_recoded": "near_duplicate",
}  # fmt: skip


def lay_out(clips, face):
    """Two sound clips and one clip of each defect of `face`."""
    clips.mkdir()
    write_clip(clips / "photo.mp4", face, 8)
    (clips / "turn.mp4").write_bytes(TURN.read_bytes())
    for kind in list(DEFECTS)[:9]:
        write_clip(clips / f"{kind}.mp4", damage(kind, face), 8)
    (clips / "empty.mp4").write_bytes(b"")
    (clips / "text.mp4").write_text("this is no video")
    whole = (clips / "photo.mp4").read_bytes()
    (clips / "truncated.mp4").write_bytes(whole[: len(whole) // 3])
    (clips / "turn_again.mp4").write_bytes(TURN.read_bytes())
    darker = read_clip(TURN) * 0.8 + np.random.default_rng(0).normal(0, 2, read_clip(TURN).shape)
    write_clip(clips / "turn_recoded.mp4", darker.clip(0, 255).astype(np.uint8), 8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, astronaut):
    """What the stage finds: sound clips, defects and a transferred clip."""
    folder = tmp_path_factory.mktemp("stage")
    lay_out(folder / "clips", astronaut(width=240))
    write_clip(folder / "transferred" / "moved.mp4", astronaut(right=-8.0, width=240), 8)
    return folder


@pytest.fixture(scope="module")
def outcome(folder):
    return run(plan_of("photo", "turn", *DEFECTS, transfers=["moved"]), folder)


@pytest.mark.parametrize(("kind", "reason"), DEFECTS.items())
def test_each_planted_defect_is_caught_with_its_reason(outcome, kind, reason):
    kept, rejected, _ = outcome
    assert kind not in kept
    assert rejected[kind]["reason"] == reason
    assert set(rejected[kind]) == {"clip_id", "reason", "detail"}
    assert str(TURN.parent) not in rejected[kind]["detail"]


def test_our_own_networks_catch_each_planted_defect_too(tmp_path):
    face = read_clip(TURN)[:, :, ::-1]
    lay_out(tmp_path / "clips", face)
    nobody = face.copy()
    nobody[:, :100] = nobody[:, 100:101]  # the mouth and chin that `damage` leaves are face enough
    write_clip(tmp_path / "clips/no_face.mp4", nobody, 8)
    kept, rejected, _ = run(plan_of("photo", "turn", *DEFECTS), tmp_path, OWN)
    # The FAN sees no landmarks in a face as blurred as that, so it is none.
    expected = DEFECTS | {"blurred": "no_face"}
    assert {name: row["reason"] for name, row in rejected.items()} == expected
    assert set(kept) == {"photo", "turn"}


def test_sound_clips_are_kept_whole(outcome, folder):
    kept, rejected, _ = outcome
    assert set(kept) == {"photo", "turn", "moved"}
    assert set(rejected) == set(DEFECTS)
    for name, track in kept.items():
        assert read_clip(folder / f"faces/{name}.mp4").shape == (16, 64, 64, 3)
        assert len(track.boxes) == 16


def test_transferred_clip_names_driver_portrait_and_who_is_seen(outcome):
    track = outcome[0]["moved"]
    assert (track.kind, track.portrait_id) == ("transfer", "face-0")
    assert (track.identity_id, track.driving_clip_id) == ("id-0", "photo")
    assert track.person.identity_id == "id-9"


def test_record_says_which_detector_ran_and_why(outcome, folder):
    record = read_json(folder / "faces/detector.json")
    assert record["detector"] == "haar"
    assert record["because"] == "faces.detector asks for it"
    assert len(record["identity"]["cascades"]) == 2
    assert any(row["event"] == "detector" for row in outcome[2].read_log())


def test_second_run_makes_nothing_and_gives_the_same_bytes(outcome, folder):
    before, done = tree_digest(folder / "faces"), made(outcome[2])
    again = run(plan_of("photo", "turn", *DEFECTS, transfers=["moved"]), folder)
    assert made(again[2]) == done
    assert tree_digest(folder / "faces") == before


def test_same_clip_gives_the_same_bytes_in_another_store(outcome, folder, tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips/turn.mp4").write_bytes(TURN.read_bytes())
    run(plan_of("turn"), tmp_path)
    other = (tmp_path / "faces/turn.mp4").read_bytes()
    assert other == (folder / "faces/turn.mp4").read_bytes()


def test_only_what_changed_is_made_again(outcome, folder, tmp_path):
    (tmp_path / "clips").mkdir()
    for name in ("photo", "turn"):
        (tmp_path / f"clips/{name}.mp4").write_bytes((folder / f"clips/{name}.mp4").read_bytes())
    run(plan_of("photo", "turn"), tmp_path)
    write_clip(tmp_path / "clips/photo.mp4", read_clip(TURN)[:, :, ::-1], 8)
    assert made(run(plan_of("photo", "turn"), tmp_path)[2]) == ["photo", "turn", "photo"]
    smaller = run(plan_of("photo", "turn"), tmp_path, size=32)
    assert len(made(smaller[2])) == 5
    assert read_clip(tmp_path / "faces/turn.mp4").shape == (16, 32, 32, 3)


@pytest.mark.parametrize("params", [HAAR, OWN], ids=["haar", "own"])
def test_crop_keeps_brows_and_chin_of_a_head_that_turns_forty_degrees(params):
    truth = np.load(TURN.with_suffix(".npz"))
    assert truth["head_deg"][:, 0].max() > 35
    detector = choose_detector(params.detector).load()
    _, boxes = crop_faces(read_clip(TURN), detector, params, 64)
    points = truth["landmarks_px"]
    inside = ((points > boxes[:, None, :2]) & (points < boxes[:, None, 2:])).all(axis=2)
    assert inside[truth["landmarks_visible"]].all()
    assert inside[:, [8, *range(17, 27)]].all()


def test_crop_follows_the_nose_and_comes_back():
    truth = np.load(TURN.with_suffix(".npz"))["landmarks_px"][:, 27:36].mean(axis=1)
    _, boxes = crop_faces(read_clip(TURN), HaarDetector(), HAAR, 64)
    side = boxes[0, 2] - boxes[0, 0]
    miss = (boxes[:, :2] + boxes[:, 2:]) / 2 - truth
    assert np.abs(miss - miss[0]).max() < 0.16 * side
    assert np.abs(miss[-1] - miss[0]).max() < 0.05 * side
