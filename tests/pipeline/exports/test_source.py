import subprocess
from dataclasses import replace
from datetime import date

import pytest

from pipeline.errors import AssetError, StageError
from pipeline.exports.source import read_release, read_source
from pipeline.files import read_jsonl, write_jsonl

TODAY = date(2026, 11, 21)


def git(root, *arguments):
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=b", *arguments],
                   cwd=root, check=True, capture_output=True)  # fmt: skip


@pytest.fixture
def repository(tmp_path):
    git(tmp_path, "init")
    (tmp_path / "file").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "one", "--date", "2026-11-20T10:00:00+00:00")
    return tmp_path


def test_clips_have_their_files_and_people(source):
    avatar, photo = source.tracks[0], source.tracks[-2]
    assert (avatar.kind, source.portrait(avatar), source.driver(avatar).clip_id) == (
        "avatar", None, avatar.clip_id,
    )  # fmt: skip
    assert source.portrait(photo).licence == "public domain (NASA)"
    assert source.truth(photo) is None
    files = [source.video(avatar), source.crop(avatar), source.truth(avatar), source.video(photo)]
    assert all(path.is_file() for path in files)


def test_a_clip_of_an_unplanned_face_is_refused(copied, study):
    rows = read_jsonl(copied.plan)
    write_jsonl(copied.plan, [r for r in rows if r["kind"] != "portrait"])
    source = read_source(copied, study, TODAY)
    with pytest.raises(StageError, match=r"faces.jsonl: transfer-p names portrait-p.*licence"):
        source.portrait(source.tracks[-2])


def test_a_missing_table_is_named(copied, study):
    copied.samples("clean").unlink()
    with pytest.raises(StageError, match=r"split/clean.jsonl is missing"):
        assert read_source(copied, study, TODAY).splits


def test_the_sides_are_those_of_a_protocol_that_is_not_leaky(source, study):
    assert source.draw == "clean"
    rules = {**study.protocols, "clean": study.protocols["clean"].model_copy(
        update={"test": None, "folds": 2})}  # fmt: skip
    folded = study.model_copy(update={"protocols": rules})
    assert replace(source, study=folded).draw == "clean-1"
    leaky = study.model_copy(update={"protocols": {"published": rules["published"]}})
    shuffled = replace(source, study=leaky)
    assert shuffled.draw == "published"
    assert {shuffled.place(track)[1] for track in shuffled.tracks} == {None}  # windows on both


def test_a_consent_that_ended_leaves_the_house_no_more(copied, study):
    rows = read_jsonl(copied.plan)
    ended = [
        {**row, "consent": "written 2025-03-01 until 2026-11-20"} if row.get("file") else row
        for row in rows
    ]
    write_jsonl(copied.plan, ended)
    read_source(copied, study, date(2026, 11, 20))
    with pytest.raises(AssetError, match=r"^photo/astronaut has consent .* expired before 2026"):
        read_source(copied, study, TODAY)


def test_outside_git_there_is_no_revision(tmp_path):
    release = read_release(tmp_path, TODAY)
    assert (release.revision, release.date) == (None, "2026-11-21")
    assert release.version == "0.1.0"


def test_the_commit_is_part_of_the_version(repository):
    release = read_release(repository, TODAY)
    assert release.version == f"0.1.0+{release.revision[:12]}"
    assert len(release.revision) == 40
    assert len(release.date) == 10


def test_a_semantic_tag_is_the_version_unless_something_changed(repository):
    git(repository, "tag", "v1.2.0")
    git(repository, "tag", "good")
    assert read_release(repository, TODAY).version == "1.2.0"
    (repository / "file").write_text("two")
    dirty = read_release(repository, TODAY)
    assert dirty.version == f"0.1.0+{dirty.revision[:12]}-dirty"
