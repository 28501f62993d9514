import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import StageError
from pipeline.files import digest, file_digest
from pipeline.store.shards import merge, pack, part_of
from pipeline.store.store import Job, Store

JOBS = [Job(digest(name), f"clip {name}", None) for name in range(40)]


def make(store, jobs):
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "clip.mp4").write_bytes(job.name.encode() * 100)
            (folder / "clip.npz").write_bytes(job.key.encode())
    return store


def shard_of(folder, members):
    """A hand-made archive under its true name."""
    path = folder / "x.tar"
    with tarfile.open(path, "w") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path.rename(folder / f"render-all-{file_digest(path)[:16]}.tar")


@given(of=st.integers(1, 9))
def test_every_job_is_in_exactly_one_part(of):
    parts = [part_of(JOBS, number, of) for number in range(1, of + 1)]
    assert sorted(j.key for part in parts for j in part) == sorted(j.key for j in JOBS)


@pytest.mark.parametrize("number", [0, 3])
def test_a_part_that_is_not_there(number):
    with pytest.raises(StageError, match=f"no part {number} of 2"):
        part_of(JOBS, number, 2)


def test_two_halves_merged_are_what_one_machine_makes(tmp_path):
    one = pack(
        make(Store(tmp_path / "one", "render"), JOBS), JOBS, tmp_path / "whole", 40, items=10
    )
    shards = []
    for half in (1, 2):
        store = make(Store(tmp_path / f"machine{half}", "render"), part_of(JOBS, half, 2))
        shards += pack(store, part_of(JOBS, half, 2), tmp_path / "shared", 40, items=10)
    merged = Store(tmp_path / "merged", "render")
    assert sum(merge(merged, shard) for shard in shards) == len(JOBS)
    again = pack(merged, JOBS, tmp_path / "again", 40, items=10)
    assert [path.name for path in again] == [path.name for path in one]
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in one]
    assert len(one) > 1


def test_merging_twice_takes_nothing_in(tmp_path):
    [shard] = pack(make(Store(tmp_path / "a", "render"), JOBS), JOBS, tmp_path, 40)
    store = Store(tmp_path / "b", "render")
    assert [merge(store, shard), merge(store, shard)] == [len(JOBS), 0]


def test_packing_again_writes_nothing_new(tmp_path):
    store = make(Store(tmp_path / "a", "render"), JOBS[:5])
    assert pack(store, JOBS, tmp_path / "s", 40) == pack(store, JOBS, tmp_path / "s", 40)
    assert len(list((tmp_path / "s").iterdir())) == 1


def test_an_altered_shard_is_refused(tmp_path):
    [shard] = pack(make(Store(tmp_path / "a", "render"), JOBS), JOBS, tmp_path / "s", 40)
    content = bytearray(shard.read_bytes())
    content[600] ^= 1
    shard.write_bytes(content)
    store = Store(tmp_path / "b", "render")
    with pytest.raises(StageError, match="is not what its name says"):
        merge(store, shard)
    assert not store.folder.exists()


@pytest.mark.parametrize(
    "member",
    [
        tarfile.TarInfo("../../outside"),
        tarfile.TarInfo(f"{JOBS[0].key}/../../outside"),
        tarfile.TarInfo("/etc/cron.d/outside"),
        tarfile.TarInfo(f"{JOBS[0].key}/sub/clip.mp4"),
    ],
    ids=lambda member: member.name[-20:],
)
def test_a_member_that_points_elsewhere_is_refused(member, tmp_path):
    with pytest.raises(StageError, match="which is no item's file; refused"):
        merge(Store(tmp_path / "home", "render"), shard_of(tmp_path, [(member, b"x")]))
    assert not (tmp_path / "outside").exists()


def test_a_link_in_a_shard_is_refused(tmp_path):
    link = tarfile.TarInfo(f"{JOBS[0].key}/clip.mp4")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with pytest.raises(StageError, match="refused"):
        merge(Store(tmp_path / "home", "render"), shard_of(tmp_path, [(link, b"")]))


def test_machines_that_make_other_pixels_are_found_out(tmp_path):
    [shard] = pack(make(Store(tmp_path / "a", "render"), JOBS[:1]), JOBS, tmp_path, 40)
    store = Store(tmp_path / "b", "render")
    with store.making(JOBS[0].key) as folder:
        (folder / "clip.mp4").write_bytes(b"rounded otherwise")
    with pytest.raises(StageError, match="hold other bytes under one key"):
        merge(store, shard)
