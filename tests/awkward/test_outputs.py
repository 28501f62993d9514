"""What a command would write is asked at the door: no input is lost, no work is done in vain."""

import shutil
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

from flows.cli import main

ROOT = Path(__file__).parents[2]
TURN = ROOT / "tests" / "data" / "faces" / "turn.mp4"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a film, its truth, a picture, parameters and a register."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(TURN, tmp_path / "film.mp4")
    shutil.copy(TURN.with_suffix(".npz"), tmp_path / "film.npz")
    (tmp_path / "link.mp4").symlink_to("film.mp4")
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "face.png")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "portraits").mkdir()
    shutil.copy(ROOT / "portraits" / "register.csv", tmp_path / "portraits")
    shutil.copytree(ROOT / "studies", tmp_path / "studies")
    (tmp_path / "film.onnx").symlink_to("film.mp4")
    (tmp_path / ".dvc").mkdir()
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    return tmp_path


READS = "is what the command reads"
REFUSED = {
    "transfer face.png film.mp4 -o film.mp4": READS,
    "transfer face.png film.mp4 -o ./link.mp4": READS,
    "transfer film.mp4 link.mp4 -o film.mp4": READS,
    "transfer face.png film.mp4 -o out.MP4": "out.MP4 must end in .mp4",
    "transfer face.png film.mp4 -o portraits": "portraits must end in .mp4",
    "transfer face.png film.mp4 -o face.png/out.mp4": "face.png is a file",
    "overlay film.mp4 -o link.mp4": READS,
    "overlay film.mp4 -o film.npz": "film.npz must end in .mp4",
    "plan -o params.yaml": READS,
    "plan -o portraits/../portraits/register.csv": READS,
    "plan -o portraits": "portraits is a folder",
    "sheet people -o film.mp4": "film.mp4 must end in .png",
    "render --identity 0 --expression FD1 -o film.npz": "film.npz must end in .mp4",
    "shard -o film.mp4": "film.mp4 is a file; name a folder",
}


@pytest.mark.parametrize("line", REFUSED)
def test_an_output_is_refused_before_the_work(here, line, capsys):
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert main(line.split()) == 2
    said = capsys.readouterr().err
    assert REFUSED[line] in said
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_a_driver_that_is_no_film_is_one_sentence(here, capsys):
    (here / "driver.mp4").write_bytes(b"no film")
    checkpoint = str(ROOT / "checkpoints" / "motion" / "blend-128.safetensors")
    line = ["transfer", "face.png", "driver.mp4", "-o", "out.mp4", "--checkpoint", checkpoint]
    assert main(line) == 2
    assert capsys.readouterr().err == "pallor: driver.mp4 cannot be read as a video\n"
