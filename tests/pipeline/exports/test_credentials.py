import shutil
from datetime import UTC, datetime

import numpy as np
import pytest

from pipeline.errors import ClipError
from pipeline.exports.certificate import local_certificate
from pipeline.exports.credentials import manifest, read_credentials, sign, write_credentials
from pipeline.exports.tables import clip_rows
from pipeline.files import file_digest, read_json
from pipeline.media.video import read_clip

pytest.importorskip("c2pa")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return local_certificate(tmp_path_factory.mktemp("c2pa"), datetime.now(UTC))


@pytest.fixture(scope="module")
def folder(source, certificate, tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    write_credentials(source, folder, certificate)
    return folder


def assertion(found, label):
    [data] = [a["data"] for a in found["manifest"]["assertions"] if a["label"] == label]
    return data


@pytest.mark.parametrize(
    ("clip", "type_"),
    [("clip-b0", "digitalCreation"), ("transfer-p", "trainedAlgorithmicMedia")],
)
def test_a_clip_says_how_it_was_made(folder, certificate, clip, type_):
    found = read_credentials(folder / "clips" / f"{clip}.mp4", certificate.anchor)
    [action] = assertion(found, "c2pa.actions.v2")["actions"]
    assert found["state"] == "Trusted"
    assert action["action"] == "c2pa.created"
    assert action["digitalSourceType"].endswith(f"digitalsourcetype/{type_}")
    assert action["description"].startswith("Synthetic: ")


def test_a_clip_carries_its_lineage(folder, source):
    found = assertion(read_credentials(folder / "clips" / "transfer-p.mp4"), "pallor.lineage")
    assert found["portrait_id"] == "portrait-p"
    assert found["licence"] == "public domain (NASA)"
    [track] = [track for track in source.tracks if track.clip_id == "transfer-p"]
    assert found["video_sha256"] == file_digest(source.video(track))


def test_the_frames_are_the_clips_own_and_no_thumbnail_is_added(folder, source):
    track = source.tracks[0]
    signed, plain = folder / "clips" / f"{track.clip_id}.mp4", source.video(track)
    assert np.array_equal(read_clip(signed), read_clip(plain))
    assert signed.stat().st_size < plain.stat().st_size + 8000
    assert "thumbnail" not in read_credentials(signed)["manifest"]


def test_every_clip_is_signed_and_listed(folder, source):
    listed = read_json(folder / "credentials.json")
    assert list(listed) == [track.clip_id for track in source.tracks]
    assert {row["state"] for row in listed.values()} == {"Trusted"}
    assert {path.stem for path in (folder / "clips").iterdir()} == set(listed)


def test_without_its_authority_a_signature_is_valid_but_not_trusted(folder):
    assert read_credentials(folder / "clips" / "clip-b0.mp4")["state"] == "Valid"


def test_another_authority_does_not_vouch_for_it(folder, tmp_path):
    other = local_certificate(tmp_path / "other", datetime.now(UTC))
    found = read_credentials(folder / "clips" / "clip-b0.mp4", other.anchor)
    assert found["state"] != "Trusted"


def test_an_altered_picture_is_found_out(folder, tmp_path, certificate):
    clip = shutil.copy(folder / "clips" / "clip-b0.mp4", tmp_path / "altered.mp4")
    content = bytearray(clip.read_bytes())
    content[content.index(b"mdat") + 200] ^= 1
    clip.write_bytes(content)
    assert read_credentials(clip, certificate.anchor)["state"] == "Invalid"


def test_a_clip_without_credentials_is_said_to_have_none(source):
    with pytest.raises(ClipError, match=r"clip-a1.mp4 has no readable content credentials"):
        read_credentials(source.video(source.tracks[0]))


def test_what_is_no_video_cannot_be_signed(source, certificate, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"not a video")
    definition = manifest(clip_rows(source)[0], source)
    with pytest.raises(ClipError, match=r"clip.mp4 cannot be given content credentials"):
        sign(clip, tmp_path / "signed.mp4", definition, certificate)
    assert list(tmp_path.iterdir()) == [clip]
