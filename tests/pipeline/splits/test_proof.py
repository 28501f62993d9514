import shutil

import cv2
import numpy as np
import pytest

from pipeline.errors import StageError
from pipeline.files import write_jsonl
from pipeline.media.video import write_clip
from pipeline.params import Params
from pipeline.records import FaceTrack, Person
from pipeline.splits.proof import frame_hashes, split_proof
from pipeline.splits.split import make, split
from pipeline.study import Protocol, parse_study
from pipeline.workspace import Workspace

STUDY = parse_study({
    "name": "s", "title": "", "question": "", "cohorts": {"cast": 10},
    "arms": [{"label": "FD2-L", "cohorts": ["cast"], "expressions": ["FD2-L"]}],
    "input": {"frames": 8}, "tasks": {"display": {}}, "models": {"convlstm": {}},
    "protocols": {
        "published": {"unit": "window", "together": "nothing", "test": 0.15, "leaky": True},
        "clean": {"unit": "clip", "together": "group", "test": 0.15, "leaky": False},
    },
}, "s")  # fmt: skip


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Ten people, two classes: a person is a still pattern, its clip that pattern drifting."""
    folder = tmp_path_factory.mktemp("faces")
    tracks = []
    for number in range(10):
        rng = np.random.default_rng(number)
        still = np.kron(rng.integers(0, 255, (8, 8, 3)), np.ones((4, 4, 1))).astype(np.uint8)
        person = Person(identity_id=f"id-{number}", age=None, sex=None, ethnicity=None)
        for step, label in ((1, "FD2-L"), (-1, "FD2-R")):
            clip = f"{person.identity_id}-{label}"
            write_clip(
                folder / f"{clip}.mp4",
                np.stack([np.roll(still, step * (t // 3), 1) for t in range(10)]),
                8,
            )
            tracks.append(
                FaceTrack(
                    clip_id=clip,
                    kind="avatar",
                    label=label,
                    identity_id=person.identity_id,
                    portrait_id=None,
                    driving_clip_id=clip,
                    person=person,
                    detector="haar",
                    boxes=[[0, 0, 32, 32]] * 10,
                    cohort="cast",
                    trained=True,
                )
            )
    write_jsonl(folder / "faces.jsonl", [t.row() for t in tracks])
    return folder, tracks


def test_clean_shares_nothing_and_published_is_caught(faces):
    folder, tracks = faces
    proof = split_proof(tracks, split(tracks, STUDY, 1), STUDY.protocols, folder)
    assert proof["clean"]["shared_groups"] == 0
    assert proof["clean"]["shared_frames"] == 0
    for kind in ("clips", "groups", "identity", "portrait", "driving_clip"):
        assert proof["clean"][kind]["shared"] == 0
    assert proof["published"]["shared_groups"] >= 5
    assert proof["published"]["shared_frames"] > 0
    assert proof["published"]["identity"]["shared"] == proof["published"]["shared_groups"]


def test_published_windows_have_nearer_neighbours(faces):
    folder, tracks = faces
    proof = split_proof(tracks, split(tracks, STUDY, 1), STUDY.protocols, folder)
    assert proof["published"]["nearest"]["median"] < 0.1
    assert proof["clean"]["nearest"]["smallest"] > 0.2


def test_validation_counts_as_learnt(faces):
    folder, tracks = faces
    rows = split(tracks, STUDY, 1)["clean"]
    moved = [s if s.side == "test" else s.model_copy(update={"side": "validation"}) for s in rows]
    moved[0] = moved[0].model_copy(update={"side": "train"})
    proof = split_proof(tracks, {"clean": moved}, STUDY.protocols, folder)["clean"]
    assert proof["samples"] == split_proof(tracks, {"clean": rows}, STUDY.protocols, folder)[
        "clean"]["samples"]  # fmt: skip


@pytest.mark.parametrize("together", ["person", "group"])
def test_a_draw_that_shares_people_against_its_protocol_fails(faces, together):
    folder, tracks = faces
    rows = split(tracks, STUDY, 1)["published"]
    rules = {"p": Protocol(unit="clip", together=together, test=0.2, leaky=False)}
    with pytest.raises(StageError, match=f"draw p has .* says that it holds {together} together"):
        split_proof(tracks, {"p": rows}, rules, folder)


def test_hash_follows_the_pattern_not_the_light():
    rng = np.random.default_rng(0)
    frames = np.kron(rng.integers(0, 120, (2, 9, 9, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    assert frame_hashes(frames).shape == (2, 64)
    assert (frame_hashes(frames * 2) != frame_hashes(frames)).mean() < 0.05
    assert (frame_hashes(frames)[0] != frame_hashes(frames)[1]).mean() > 0.25


PLANTS = {
    "the same film": lambda frames: frames,
    "darkened": lambda frames: (frames * 0.7).astype(np.uint8),
    "mirrored": lambda frames: frames[:, :, ::-1],
    "coded anew, half the size": lambda frames: np.stack([
        cv2.resize(cv2.imdecode(cv2.imencode(".jpg", f, [1, 40])[1], 1), (32, 32)) for f in frames
    ]),
}  # fmt: skip


def plant(faces, tmp_path, astronaut, change):
    """The folder of `faces`, in which id-0 and id-1 are one face under two names."""
    folder, tracks = faces
    place = shutil.copytree(folder, tmp_path / "faces")
    for number, made in ((0, astronaut(size=64)), (1, PLANTS[change](astronaut(size=64)))):
        for label in ("FD2-L", "FD2-R"):
            write_clip(place / f"id-{number}-{label}.mp4", np.ascontiguousarray(made[:10]), 8)
    return place, tracks


def apart(tracks):
    """Both protocols with id-0 on the side test and everyone else on train."""
    made = split(tracks, STUDY, 1)
    return {
        protocol: [
            s.model_copy(update={"side": "test" if s.group == "id-0" else "train"}) for s in samples
        ]
        for protocol, samples in made.items()
    }


@pytest.mark.parametrize("change", PLANTS)
def test_a_planted_twin_makes_the_clean_proof_fail_and_names_both(
    faces, tmp_path, astronaut, change
):
    place, tracks = plant(faces, tmp_path, astronaut, change)
    splits = apart(tracks)
    ids = {(s.clip_id, s.start): s.sample_id for s in splits["clean"]}
    with pytest.raises(StageError, match="the clean split has one face on both sides") as caught:
        split_proof(tracks, splits, STUDY.protocols, place)
    assert ids["id-0-FD2-L", 0] in str(caught.value)
    assert ids["id-1-FD2-L", 0] in str(caught.value)


def test_a_protocol_that_is_known_to_leak_reports_the_twin(faces, tmp_path, astronaut):
    place, tracks = plant(faces, tmp_path, astronaut, "darkened")
    published = {"published": apart(tracks)["published"]}
    found = split_proof(tracks, published, STUDY.protocols, place)["published"]["faces"]
    assert found["twins"] == 2
    assert found["likeness"] > 0.91


def test_a_failed_proof_writes_no_split(faces, tmp_path, astronaut):
    place, _ = plant(faces, tmp_path, astronaut, "the same film")
    workspace = Workspace("s", tmp_path)
    shutil.copytree(place, workspace.faces)
    for seed in range(20):  # until the twins are drawn to two sides
        try:
            make(workspace, STUDY, Params(seed=seed))
        except StageError:
            assert not workspace.split.exists()
            assert not workspace.proof.exists()
            return
        shutil.rmtree(workspace.split)
        workspace.proof.unlink()
    pytest.fail("the twins never stood apart")


def test_strangers_are_no_twins(faces):
    folder, tracks = faces
    proof = split_proof(tracks, split(tracks, STUDY, 1), STUDY.protocols, folder)
    found = proof["clean"]["faces"]
    assert found["twins"] == 0
    assert found["likeness"] < 0.8
