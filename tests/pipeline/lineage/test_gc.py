"""What grew old and is in no version goes; whatever any branch, stash or experiment names stays."""

import hashlib
import json
import os
import time
from dataclasses import replace

import pytest

from flows.cli import main
from pipeline.errors import StageError
from pipeline.lineage.lock import object_path, objects
from pipeline.lineage.reach import named, reach
from pipeline.lineage.waste import AGES, DAY, find, remove
from pipeline.store.store import Store

LONG = 400.0  # days


def grow_old(*paths):
    then = time.time() - LONG * DAY
    for path in paths:
        for each in (path, *(path.rglob("*") if path.is_dir() else ())):
            os.utime(each, (then, then))


def item(place, stage, key, content):
    with Store(place.home, stage).making(key) as folder:
        (folder / "clip.mp4").write_bytes(content)
    grow_old(Store(place.home, stage).path(key))
    return Store(place.home, stage).path(key)


def gone(place, **ages):
    found = find(place, reach(place), time.time(), ages or AGES)
    return {row.path for row in found.waste}


@pytest.fixture
def here(made, monkeypatch):
    """A copy of the corpus that is the current folder."""
    monkeypatch.chdir(made.root)
    return made


def test_an_old_item_that_no_version_has_goes_and_others_stay(made):
    clip = next(made.files.clips.glob("*.mp4")).read_bytes()
    kept = item(made.place, "render", "aa" * 16, clip)
    lost = item(made.place, "render", "bb" * 16, b"of nobody")
    with Store(made.place.home, "render").making("cc" * 16) as young:
        (young / "clip.mp4").write_bytes(b"of nobody, today")
    assert gone(made.place, work=30.0) == {lost}
    for waste in find(made.place, reach(made.place), time.time(), {"work": 30.0}).waste:
        assert waste.days == pytest.approx(LONG, abs=1)
        remove(waste)
    store = Store(made.place.home, "render")
    assert kept.is_dir()
    assert store.has("cc" * 16)
    assert not store.has("bb" * 16)


def take(made, content):
    """Put another film into the cache and, in a folder's list, into the lock: as DVC would."""
    [old] = _folders(made, "render")
    store = made.place.cache
    rows = json.loads(object_path(store, old).read_text())
    next(row for row in rows if row["relpath"].endswith(".mp4"))["md5"] = put(store, content)
    new = put(store, json.dumps(rows).encode(), ".dir")
    lock = made.root / "dvc.lock"
    lock.write_text(lock.read_text().replace(old, new))


def put(store, content, end=""):
    md5 = hashlib.md5(content).hexdigest() + end
    path = object_path(store, md5)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return md5


@pytest.mark.parametrize("where", ["branch", "stash", "lost commit", "experiment", "workspace"])
def test_what_another_version_names_stays(made, where):
    """A clip that the lock of only that version lists, in the work store and in the cache."""
    take(made, b"another take")
    if where == "stash":
        made.run("git", "stash", "--quiet")
    elif where != "workspace":
        made.run("git", "checkout", "--quiet", "-b", "other")
        made.commit("another take")
        commit = made.run("git", "rev-parse", "HEAD").strip()
        made.run("git", "checkout", "--quiet", "main")
        if where != "branch":
            made.run("git", "branch", "--quiet", "-D", "other")
        if where == "experiment":
            made.run("git", "update-ref", "refs/exps/12/take", commit)
    kept = item(made.place, "render", "aa" * 16, b"another take")
    stray = object_path(made.place.cache, "0" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"of nobody")
    grow_old(*(path for _, path in objects(made.place.cache)))
    removed = gone(made.place, work=30.0, cache=30.0)
    assert stray in removed
    assert kept not in removed
    assert len(removed) == 1


def test_a_file_that_dvc_add_follows_stays(made):
    md5 = put(made.place.cache, b"a face")
    (made.root / "photo.png.dvc").write_text(f"outs:\n- md5: {md5}\n  path: photo.png\n")
    made.commit("a photograph")
    made.run("git", "rm", "--quiet", "photo.png.dvc")
    made.commit("without it")
    grow_old(*(path for _, path in objects(made.place.cache)))
    assert gone(made.place, cache=30.0) == set()


def test_where_a_list_is_lost_its_stage_is_left_alone_and_it_is_said(made):
    lost = item(made.place, "render", "bb" * 16, b"of nobody")
    other = item(made.place, "transfer", "cc" * 16, b"of nobody")
    for store in made.place.stores:
        [md5] = _folders(made, "render")
        object_path(store, md5).unlink(missing_ok=True)
    stray = object_path(made.place.cache, "0" * 32)
    stray.parent.mkdir(parents=True, exist_ok=True)
    stray.write_bytes(b"of nobody")
    grow_old(stray)
    found = find(made.place, reach(made.place), time.time(), AGES)
    removed = {row.path for row in found.waste}
    assert other in removed
    assert not {lost, stray} & removed
    assert [line.split(":")[0] for line in found.left] == ["work store", "DVC cache"]
    assert "`dvc fetch --all-commits` brings the lists" in found.left[0]


def _folders(made, stage):
    rows = named((made.root / "dvc.lock").read_text(), "dvc.lock")
    return {md5 for key, md5 in rows if key == stage and md5.endswith(".dir")}


def test_a_home_and_a_cache_that_others_use_are_left_alone(made, tmp_path):
    lent = replace(made.place, home=tmp_path / "home", cache=tmp_path / "cache")
    item(lent, "render", "bb" * 16, b"of nobody")
    found = find(lent, reach(made.place), time.time(), AGES)
    assert [row.kind for row in found.waste] == []
    assert "lies outside this clone" in found.left[0]
    assert "may be others' too" in found.left[1]


def test_the_last_good_record_of_a_stage_stays(made):
    folder = made.root / ".pallor/runs"
    for number, outcome in enumerate(["completed", "completed", "failed"]):
        row = {"name": "split@deterioration", "outcome": outcome}
        (folder / f"20200{number + 1}01T000000.0-split-1.json").write_text(json.dumps(row))
    grow_old(*folder.glob("*.json"))
    names = {path.name[:6] for path in gone(made.place, records=30.0)}
    assert names == {"202001", "202003"}


def test_without_all_versions_nothing_is_removed(made, tmp_path):
    made.run(
        "git", "clone", "--quiet", "--depth", "1", f"file://{made.root}", str(tmp_path / "cut")
    )
    with pytest.raises(StageError, match="this clone is shallow"):
        reach(replace(made.place, root=tmp_path / "cut"))


def test_the_command_lists_first_and_removes_when_asked(here, capsys):
    lost = item(here.place, "render", "bb" * 16, b"of nobody")
    assert main(["gc", "--only", "work,records"]) == 0
    said = capsys.readouterr().out
    assert "work           1       0.0 MB  400 to 400 days" in said
    assert "nothing was removed; --apply removes it" in said
    assert lost.is_dir()
    assert main(["gc", "--only", "work", "--days", "500"]) == 0
    assert "nothing to remove" in capsys.readouterr().out
    assert main(["gc", "--apply", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert str(lost.relative_to(here.root)) in [
        row["path"].split("template/")[-1] for row in answer["waste"]
    ]
    assert not lost.exists()
    assert main(["verify"]) == 0  # the corpus stands as it was made


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--only", "wrk"], "the nearest is 'work'"), (["--days", "0"], "below an hour")],
)
def test_a_wrong_request_is_one_sentence(here, options, said, capsys):
    assert main(["gc", *options]) == 2
    assert said in capsys.readouterr().err
