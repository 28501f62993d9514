import json

import pytest
from prefect import flow

from flows.chunks import make_all, task_runner
from pipeline.errors import ClipError, RefusedError, StageError
from pipeline.store.store import Job, make_each


def write_names(jobs, store):
    store.log("chunk", names=[job.name for job in jobs])
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(job.name)


def fail_once(jobs, store):
    """As a worker that is killed for memory the first time, after half of its chunk."""
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(job.name)
        if len(store.read_log()) == 0:
            store.log("killed", left=[job.name for job in jobs[1:]])
            raise ClipError("a worker ended without a word")
    store.log("chunk", names=[job.name for job in jobs])


def never_make_c(jobs, store):
    for job in jobs:
        if job.name == "c":
            store.log("tried", name="c")
            raise ClipError("a Blender worker crashed with SIGSEGV")
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(job.name)


def refuse_vowels(jobs, store):
    def make(job):
        store.log("tried", name=job.name)
        if job.name in "aeiou":
            raise RefusedError(f"{job.name}.png is no portrait: no face was found")
        with store.making(job.key) as folder:
            (folder / "name.txt").write_text(job.name)

    make_each(jobs, make)


def refuse(jobs, store):
    store.log("asked")
    raise StageError("the plan does not fit")


def forget(jobs, store):
    store.log("asked")


@pytest.fixture
def make(server, workspace, monkeypatch):
    """make_all as a stage calls it: in a flow, on a server."""
    monkeypatch.setattr("flows.chunks._make", quick_retries())

    def run(work, names="abcd", size=2, tolerated=0.0):
        jobs = [Job(key=f"{name * 4}", name=name, item=None) for name in names]

        @flow(name="toy", task_runner=task_runner())
        def toy():
            return make_all("toy", jobs, work, size, tolerated)

        return toy()

    return run


def quick_retries():
    from flows.chunks import _make

    return _make.with_options(retry_delay_seconds=0.01)


def chunks_of(store):
    return sorted(row["names"] for row in store.read_log() if row["event"] == "chunk")


def test_everything_missing_is_made_in_chunks(make, capsys):
    store = make(write_names, "abcde")
    assert chunks_of(store) == [["a", "b"], ["c", "d"], ["e"]]
    assert (store.path("eeee") / "name.txt").read_text() == "e"
    assert "toy 5/5" in capsys.readouterr().out


def test_what_is_at_hand_is_not_made_again(make):
    make(write_names, "abc")
    store = make(write_names, "abcd")
    assert chunks_of(store) == [["a", "b"], ["c"], ["d"]]


def test_a_few_items_are_shared_among_the_workers(make, monkeypatch):
    monkeypatch.setenv("PALLOR_WORKERS", "2")
    assert chunks_of(make(write_names, "abc", size=9)) == [["a", "b"], ["c"]]


def test_a_chunk_that_fails_by_chance_is_tried_again_for_what_is_missing(make, monkeypatch):
    monkeypatch.setenv("PALLOR_WORKERS", "1")
    store = make(fail_once, "abc", size=3)
    assert [row["event"] for row in store.read_log()] == ["killed", "chunk", "stage"]
    assert chunks_of(store) == [["b", "c"]]


def test_a_refusal_is_not_tried_again(make, workspace):
    with pytest.raises(StageError, match="the plan does not fit"):
        make(refuse, "a")
    log = (workspace / ".pallor/work/toy.log.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in log] == ["asked"]


def test_work_that_makes_nothing_is_found_out(make, monkeypatch):
    monkeypatch.setenv("PALLOR_WORKERS", "1")
    with pytest.raises(StageError, match="toy did not make a, b"):
        make(forget, "ab")


def test_an_item_that_always_fails_is_given_up_and_its_neighbours_are_made(make, capsys):
    store = make(never_make_c, "abcdefghij", size=5, tolerated=0.1)
    assert [store.has(name * 4) for name in "abcdefghij"] == [name != "c" for name in "abcdefghij"]
    assert store.given_up == {"cccc": "a Blender worker crashed with SIGSEGV"}
    assert "toy: c is given up: a Blender worker crashed" in capsys.readouterr().out
    tries = [row for row in store.read_log() if row["event"] == "tried"]
    assert len(tries) == 6  # three in its chunk, three alone


@pytest.mark.parametrize("names", ["a", "ab", "bcdfaghjkl"])
def test_one_refused_item_of_one_or_of_few_never_ends_a_run(make, names):
    store = make(refuse_vowels, names, size=5, tolerated=0.1)
    assert store.given_up == {"aaaa": "a.png is no portrait: no face was found"}
    assert [name for name in names if store.has(name * 4)] == [n for n in names if n != "a"]
    tries = [row for row in store.read_log() if row == {"event": "tried", "name": "a"}]
    assert len(tries) == 2  # in its chunk and alone: chance has no part in it


def test_more_than_the_tolerated_share_stops_the_run_and_is_named(make):
    with pytest.raises(ClipError, match=r"cannot make 2 items.* 1 of all: a: a\.png.*; e: e\.png"):
        make(refuse_vowels, "abcde", tolerated=0.1)


@pytest.mark.parametrize(("names", "tolerated"), [("cc", 0.1), ("abcdefghij", 0.0)])
def test_more_than_a_tenth_or_a_stage_that_may_lose_nothing_fails(make, names, tolerated):
    with pytest.raises(ClipError, match="crashed with SIGSEGV"):
        make(never_make_c, names, tolerated=tolerated)
