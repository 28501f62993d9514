import numpy as np
import pytest

from pipeline.errors import ParamsError
from pipeline.evaluation.steps import films_of, pieces


def cut(count, length=4, least=2):
    frames = (np.full((2, 2, 3), n, np.uint8) for n in range(count))
    return [(first, part[:, 0, 0, 0].tolist()) for first, part in pieces(frames, length, least)]


@pytest.mark.parametrize(
    ("count", "found"),
    [
        (8, [(0, [0, 1, 2, 3]), (4, [4, 5, 6, 7])]),
        (6, [(0, [0, 1, 2, 3]), (4, [4, 5])]),
        (5, [(0, [0, 1, 2, 3])]),  # one frame is too few for a model that needs two
        (1, [(0, [0])]),  # all that there is; what judges it says that it is short
        (0, []),
    ],
)
def test_a_film_is_cut_into_stretches(count, found):
    assert cut(count) == found


def test_one_stretch_is_held_at_a_time():
    given = []

    def frames():
        for n in range(100):
            given.append(n)
            yield np.zeros((2, 2, 3), np.uint8)

    stretches = pieces(frames(), 10, 2)
    next(stretches)
    assert len(given) == 10  # nothing is read ahead


def test_tables_and_strays_are_no_films(tmp_path):
    for name in ("b.mp4", "labels.csv", ".DS_Store", "a.MOV", "notes.txt", ".hidden/c.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert [path.name for path in films_of(tmp_path)] == ["a.MOV", "b.mp4"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(ParamsError, match="holds no file that may be a film"):
        films_of(tmp_path / "empty")
