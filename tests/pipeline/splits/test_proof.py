import numpy as np
import pytest

from pipeline.files import read_json, write_jsonl
from pipeline.media.video import write_clip
from pipeline.params import SplitParams
from pipeline.records import FaceTrack, Person
from pipeline.splits.proof import frame_hashes, split_proof
from pipeline.splits.split import split, split_faces


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
                )
            )
    write_jsonl(folder / "faces.jsonl", [t.row() for t in tracks])
    return folder, tracks


def test_clean_shares_nothing_and_published_is_caught(faces):
    folder, tracks = faces
    proof = split_proof(tracks, split(tracks, SplitParams(window=8), 1), folder)
    assert proof["clean"]["shared_groups"] == 0
    assert proof["clean"]["shared_frames"] == 0
    for kind in ("clips", "groups", "identity", "portrait", "driving_clip"):
        assert proof["clean"][kind]["shared"] == 0
    assert proof["published"]["shared_groups"] >= 5
    assert proof["published"]["shared_frames"] > 0
    assert proof["published"]["identity"]["shared"] == proof["published"]["shared_groups"]


def test_published_windows_have_nearer_neighbours(faces):
    folder, tracks = faces
    proof = split_proof(tracks, split(tracks, SplitParams(window=8), 1), folder)
    assert proof["published"]["nearest"]["median"] < 0.1
    assert proof["clean"]["nearest"]["smallest"] > 0.2


def test_stage_writes_rows_and_proof(faces, tmp_path):
    folder, tracks = faces
    split_faces(folder, tmp_path / "split", tmp_path / "proof.json", SplitParams(), 1)
    assert read_json(tmp_path / "proof.json")["clean"]["shared_groups"] == 0
    assert len((tmp_path / "split" / "clean.jsonl").read_text().splitlines()) == len(tracks) * 3


def test_hash_follows_the_pattern_not_the_light():
    rng = np.random.default_rng(0)
    frames = np.kron(rng.integers(0, 120, (2, 9, 9, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    assert frame_hashes(frames).shape == (2, 64)
    assert (frame_hashes(frames * 2) != frame_hashes(frames)).mean() < 0.05
    assert (frame_hashes(frames)[0] != frame_hashes(frames)[1]).mean() > 0.25
