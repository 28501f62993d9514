import shutil
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest

from flows.cli import main
from flows.commands import look
from pipeline.corpus.gallery import SHEETS
from pipeline.corpus.overlay import FACE, PANEL
from pipeline.media.video import write_clip
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]


@pytest.fixture
def here(tmp_path, monkeypatch, assets):
    """A workspace of the main study alone, with the assets in its home."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.delenv("PALLOR_HOME", raising=False)
    (tmp_path / ".pallor").mkdir()
    (tmp_path / ".pallor" / "assets").symlink_to(assets.root)
    return tmp_path


def test_grammar_knows_every_sheet():
    assert set(look.KINDS) == set(SHEETS)


def test_sheet_of_real_people(here, capsys):
    assert main(["sheet", "people", "--identities", "2", "--size", "32", "-o", "people.png"]) == 0
    page = iio.imread(here / "people.png")
    assert page.std() > 10
    assert "people.png: 2 frames rendered" in capsys.readouterr().out
    assert not list(here.glob("*.part*"))


def test_overlay_of_a_clip(here):
    frames = np.zeros((2, 64, 64, 3), np.uint8)
    points = np.full((2, 68, 2), 20, np.float32)
    write_clip(here / "clip.mp4", frames, 4)
    np.savez(
        here / "clip.npz", units=np.array(["12"]), intended=np.zeros((2, 1, 2)),
        executed=np.zeros((2, 1, 2)), head_deg=np.zeros((2, 3)), gaze_deg=np.zeros((2, 2)),
        camera=np.eye(3, 4), landmarks_px=points, landmarks_visible=np.ones((2, 68), bool),
        aperture_mm=np.ones((2, 2)), mouth_mm=np.ones(2),
    )  # fmt: skip
    assert main(["overlay", "clip.mp4", "-o", "seen.mp4"]) == 0
    assert iio.imread(here / "seen.mp4", index=0).shape == (FACE, FACE + PANEL, 3)
    shutil.move(here / "clip.npz", here / "clip-1.npz")
    shutil.move(here / "clip.mp4", here / "clip-1.mp4")
    clips = Workspace().clips
    clips.mkdir(parents=True)
    for name in ("clip-1.npz", "clip-1.mp4"):
        shutil.move(here / name, clips / name)
    assert main(["overlay", "clip-1", "-o", "again.mp4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["sheet", "peple", "-o", "x.png"], "'peple' is unknown; the nearest is 'people'"),
        (["sheet", "people", "-o", "x.jpg"], "x.jpg must end in .png"),
        (["sheet", "people", "--size", "7", "-o", "x.png"], "32 to 512 px a side, got 7"),
        (["overlay", "clip-0", "-o", "x.mp4"], "data/deterioration/clips/clip-0.mp4 is missing"),
    ],
)
def test_faults_are_one_sentence(here, arguments, said, capsys):
    try:
        code = main(arguments)
    except SystemExit as end:
        code = end.code
    assert code == 2
    assert said in capsys.readouterr().err
    assert not (here / "x.png").exists()
