import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from flows.progress import Progress


def test_progress_tells_what_is_left(monkeypatch):
    clock = iter([0.0, 60.0, 120.0])
    monkeypatch.setattr("flows.progress.time.monotonic", lambda: next(clock))
    progress = Progress("render", done=5, total=20)
    assert progress.add(["a"] * 5) == "render 10/20, ~2 min left"
    assert progress.add(["b"] * 10) == "render 20/20"


def test_a_wall_clock_set_back_or_on_changes_nothing(monkeypatch):
    clock = iter([0.0, 60.0])
    monkeypatch.setattr("flows.progress.time.monotonic", lambda: next(clock))
    monkeypatch.setattr("flows.progress.time.time", lambda: -1e9)
    assert Progress("render", 0, 2).add(["a"]) == "render 1/2, ~60 s left"


def test_large_items_first_do_not_make_small_ones_look_large(monkeypatch):
    clock = iter([0.0, 40.0, 40.0, 50.0])
    monkeypatch.setattr("flows.progress.time.monotonic", lambda: next(clock))
    weights = {"a": 4.0, "b": 4.0, "c": 1.0, "d": 1.0, "e": 1.0}
    progress = Progress("folds", 1, 6, workers=2, weights=weights)
    assert progress.add(["a"]) == "folds 2/6"  # one of two that run at once tells no pace
    assert progress.add(["b"]) == "folds 3/6, ~20 s left"
    assert progress.add(["c"]) == "folds 4/6, ~10 s left"
    assert progress.told() == [[40.0, 20.0], [50.0, 10.0]]


@given(workers=st.integers(1, 8), seed=st.integers(0, 1000))
def test_the_time_left_is_right_within_a_quarter(workers, seed):
    """Chunks of 5 clips that take 0.8 to 1.25 times their mean by chance, from a tenth to the last
    but one: what is left is then off by at most a quarter, or by half a chunk."""
    free, ends = [0.0] * workers, []
    for factor in np.random.default_rng(seed).uniform(0.8, 1.25, 200):
        worker = free.index(min(free))
        free[worker] += 25 * factor
        ends.append(free[worker])
    ends.sort()
    progress = Progress("render", 0, 5 * len(ends), workers, 5)
    for number, end in enumerate(ends, start=1):
        progress.done += 5
        left, true = progress._left(end), ends[-1] - end
        if len(ends) / 10 < number < len(ends):
            assert abs(left - true) <= max(0.25 * true, 12.5)


def test_the_last_chunk_of_two_workers_is_told_whole():
    """Two workers, three chunks of ten seconds: after the second, the third has them to come."""
    progress = Progress("render", 0, 15, 2, 5)
    for end, left in ((10.0, 10.0), (10.0, 10.0), (20.0, 0.0)):
        progress.done += 5
        assert progress._left(end) == left
