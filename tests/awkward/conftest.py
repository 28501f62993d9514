import subprocess
from pathlib import Path

import imageio_ffmpeg
import pytest

TURN = Path(__file__).parents[1] / "data" / "faces" / "turn.mp4"  # 16 frames at 8 a second


@pytest.fixture
def remade(tmp_path):
    """A film made by ffmpeg itself from TURN, as other people's programs would write it."""

    def make(name, *after, before=(), source=TURN, more=()):
        path = tmp_path / name
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *before]
        subprocess.run([*command, "-i", str(source), *more, *after, str(path)], check=True)
        return path

    return make
