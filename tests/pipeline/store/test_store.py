import subprocess
import sys

import pytest

from pipeline.store.store import Store


def everything_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_finished_block_becomes_the_item(tmp_path):
    store = Store(tmp_path, "render")
    assert not store.has("abcd")
    with store.making("abcd") as folder:
        (folder / "clip.txt").write_text("frames")
        assert not store.has("abcd")
    assert store.has("abcd")
    assert (store.path("abcd") / "clip.txt").read_text() == "frames"
    assert store.path("abcd") == tmp_path / "work" / "render" / "ab" / "abcd"


def test_what_an_item_goes_on_from_is_kept_until_it_is_finished(tmp_path):
    store = Store(tmp_path, "train")
    state = store.unfinished("abcd") / "state.pt"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"epoch 3")
    with pytest.raises(RuntimeError, match="half way"):
        stop_half_way(store)
    assert state.is_file()
    assert not store.has("abcd")
    with store.making("abcd"):
        assert state.is_file()
    assert not state.parent.exists()


def stop_half_way(store):
    with store.making("abcd") as folder:
        (folder / "clip.txt").write_text("half")
        raise RuntimeError("half way")


def test_a_block_that_raises_leaves_nothing(tmp_path):
    store = Store(tmp_path, "render")
    with pytest.raises(RuntimeError, match="half way"):
        stop_half_way(store)
    assert not store.has("abcd")
    assert everything_below(tmp_path) == []


def test_the_first_of_two_makers_stays_and_the_second_is_cleared(tmp_path):
    store = Store(tmp_path, "render")
    with store.making("abcd") as slow:
        (slow / "clip.txt").write_text("slow")
        with store.making("abcd") as fast:
            (fast / "clip.txt").write_text("fast")
    assert [path.read_text() for path in everything_below(tmp_path)] == ["fast"]


def test_stages_do_not_share_items(tmp_path):
    with Store(tmp_path, "render").making("abcd") as folder:
        (folder / "clip.txt").write_text("frames")
    assert not Store(tmp_path, "faces").has("abcd")


def test_the_log_keeps_one_json_line_an_event(tmp_path):
    store = Store(tmp_path, "render")
    assert store.read_log() == []
    store.log("made", name="3/FD3-L", seconds=1.5)
    store.log("kept", name="4/FD1")
    assert [row["name"] for row in store.read_log()] == ["3/FD3-L", "4/FD1"]
    assert (tmp_path / "work" / "render.log.jsonl").read_text().count("\n") == 2


def test_a_log_line_cut_short_by_a_crash_is_left_out(tmp_path):
    store = Store(tmp_path, "render")
    store.log("made", name="3/FD3-L")
    with (tmp_path / "work" / "render.log.jsonl").open("a") as stream:
        stream.write('{"event": "ma')
    assert [row["event"] for row in store.read_log()] == ["made"]


def test_what_killed_workers_left_is_swept_and_finished_items_stay(tmp_path):
    store = Store(tmp_path, "render")
    with store.making("abcd") as folder:
        (folder / "clip.txt").write_text("frames")
    left = store.path("abcd").with_name(".abef0123-x.part")
    left.mkdir()
    store.sweep()
    assert not left.exists()
    assert store.has("abcd")


def test_the_sweep_leaves_what_a_living_process_makes(tmp_path):
    store = Store(tmp_path, "render")
    with store.making("abcd") as folder, store.scratch() as scratch:
        store.sweep()
        assert folder.is_dir()
        assert scratch.is_dir()
    assert not scratch.exists()
    assert store.has("abcd")


def test_a_killed_maker_leaves_what_the_sweep_removes(tmp_path):
    program = (
        "import os; from pathlib import Path; from pipeline.store.store import Store\n"
        f"store = Store(Path({str(tmp_path)!r}), 'render')\n"
        "with store.making('abcd'), store.scratch(): os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == -9
    assert len(list(tmp_path.rglob("*.part"))) == 2
    Store(tmp_path, "render").sweep()
    assert not list(tmp_path.rglob("*.part"))
