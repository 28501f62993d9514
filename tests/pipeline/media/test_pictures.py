import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
from PIL import Image

from pipeline.errors import AssetError
from pipeline.media import pictures

ASTRONAUT = skimage.data.astronaut()


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "I;16"])
def test_files_of_any_mode_are_read(tmp_path, mode):
    grey = ASTRONAUT.mean(axis=-1).astype(np.uint8)
    full = np.full_like(grey, 255)
    picture = {
        "L": grey, "LA": np.dstack([grey, full]), "RGBA": np.dstack([ASTRONAUT, full]),
        "I;16": grey.astype(np.uint16) * 257,
    }[mode]  # fmt: skip
    iio.imwrite(tmp_path / "a.png", picture)
    read = pictures.read_picture(tmp_path / "a.png")
    expected = ASTRONAUT if mode == "RGBA" else np.repeat(grey[..., None], 3, axis=2)
    assert read.dtype == np.uint8
    assert np.abs(read.astype(int) - expected).max() <= 1


@pytest.mark.parametrize(
    "picture",
    [
        ASTRONAUT[..., 0],
        ASTRONAUT.astype(np.uint16) * 257,
        ASTRONAUT / 255.0,
        np.dstack([ASTRONAUT, np.full(ASTRONAUT.shape[:2], 255, np.uint8)]),
    ],
    ids=["gray", "16-bit", "float", "alpha"],
)
def test_any_mode_becomes_eight_bit_rgb(picture):
    rgb = pictures.to_rgb8(picture)
    assert rgb.shape == ASTRONAUT.shape
    assert rgb.dtype == np.uint8
    expected = ASTRONAUT[..., :1] if picture.ndim == 2 else ASTRONAUT
    assert np.abs(rgb.astype(int) - expected).max() <= 1


def test_transparent_parts_turn_white():
    clear = np.dstack([ASTRONAUT, np.zeros(ASTRONAUT.shape[:2], np.uint8)])
    assert (pictures.to_rgb8(clear) == 255).all()


def test_an_unreadable_picture_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(AssetError, match=r"a\.png cannot be read"):
        pictures.read_picture(tmp_path / "a.png")


def test_a_photograph_of_huge_dimensions_is_refused_unread(tmp_path):
    Image.new("1", (9100, 9100)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 20_000
    with pytest.raises(AssetError, match="claims more than 80 million pixels"):
        pictures.read_picture(tmp_path / "bomb.png")
