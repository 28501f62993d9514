from pathlib import Path

import numpy as np
import pytest

from pipeline.facenets import textures, training
from pipeline.facenets.stills import Stills
from pipeline.media.video import read_clip
from pipeline.records import Person

TURN = Path(__file__).parents[2] / "data" / "faces" / "turn.mp4"  # an avatar turning 40 degrees


def person(number):
    return Person(
        identity_id=f"identity-{number}", age=20.0 + 30 * (number % 3),
        sex=("female", "male")[number % 2], ethnicity="asian",
    )  # fmt: skip


@pytest.fixture(scope="session")
def stills():
    """Forty stills of one rendered face, under forty names."""
    rows = np.arange(40) % 16
    marks = np.load(TURN.with_suffix(".npz"))["landmarks_px"]
    masks = np.zeros((40, 128, 128), np.uint8)
    masks[:, 10:, 14:114] = 255
    return Stills(read_clip(TURN)[rows], marks[rows], masks, tuple(map(person, range(40))))


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setattr(training, "THREADS", 1)  # two spin where other tests want the cores


@pytest.fixture(scope="session")
def bank():
    return textures.bank(np.random.default_rng(0), count=5)
