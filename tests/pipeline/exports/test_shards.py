import io
import tarfile

import numpy as np
import pytest

from pipeline.exports.shards import write_shards
from pipeline.files import file_digest, read_json, tree_digest

wds = pytest.importorskip("webdataset")
# webdataset leaves the tar it read to the garbage collector.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(scope="module")
def folder(source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shards")
    write_shards(source, folder, clips_a_shard=3)
    return folder


def loaded(folder, name):
    return list(wds.WebDataset(str(folder / name), shardshuffle=False).decode())


def test_webdataset_reads_every_clip_with_its_row(folder, source):
    samples = [
        sample for name in read_json(folder / "index.json") for sample in loaded(folder, name)
    ]
    found = {sample["__key__"]: sample for sample in samples}
    assert set(found) == {track.clip_id for track in source.tracks}
    for track in source.tracks:
        sample = found[track.clip_id]
        assert sample["mp4"] == source.video(track).read_bytes()
        assert sample["face.mp4"] == source.crop(track).read_bytes()
        assert sample["json"]["label"] == track.label
        assert len(sample["json"]["windows"]) == 2 * 3  # two protocols, three windows
        assert ("npz" in sample) == (track.kind == "avatar")


def test_truth_arrives_as_arrays(folder):
    sample = loaded(folder, "pallor-test-000000.tar")[0]
    assert np.array_equal(sample["npz"]["head_deg"], np.zeros((4, 3), np.float32))


def test_a_shard_holds_one_side_of_the_clean_split(folder):
    for name in read_json(folder / "index.json"):
        assert {sample["json"]["side"] for sample in loaded(folder, name)} == {name.split("-")[1]}


def test_the_index_is_of_what_lies_there(folder):
    index = read_json(folder / "index.json")
    assert {name: row["clips"] for name, row in index.items()} == {
        "pallor-test-000000.tar": 2, "pallor-train-000000.tar": 3, "pallor-train-000001.tar": 2,
    }  # fmt: skip
    for name, row in index.items():
        assert file_digest(folder / name) == row["sha256"]


def test_same_corpus_same_bytes_and_nothing_of_this_machine(folder, source, tmp_path):
    write_shards(source, tmp_path, clips_a_shard=3)
    assert tree_digest(tmp_path) == tree_digest(folder)
    with tarfile.open(fileobj=io.BytesIO((folder / "pallor-test-000000.tar").read_bytes())) as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname) for m in tar} == {(0, 0, 0, "pallor")}
