import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data
from PIL import Image

from pipeline import portraits
from pipeline.detect import HaarDetector
from pipeline.errors import AssetError

ASTRONAUT = skimage.data.astronaut()


def test_a_photograph_is_framed_like_an_avatar():
    framed = portraits.frame_face(ASTRONAUT, 128)
    left, top, right, bottom = HaarDetector().find(framed)[0] / 128
    assert framed.shape == (128, 128, 3)
    assert right - left == pytest.approx(0.55, abs=0.08)
    assert (top + bottom) / 2 == pytest.approx(0.545, abs=0.06)


def test_a_picture_without_a_face_is_refused():
    with pytest.raises(AssetError, match="cannot be framed: no face"):
        portraits.frame_face(np.full((200, 200, 3), 128, np.uint8), 64)


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
    rgb = portraits.to_rgb8(picture)
    assert rgb.shape == ASTRONAUT.shape
    assert rgb.dtype == np.uint8
    expected = ASTRONAUT[..., :1] if picture.ndim == 2 else ASTRONAUT
    assert np.abs(rgb.astype(int) - expected).max() <= 1


def test_transparent_parts_turn_white():
    clear = np.dstack([ASTRONAUT, np.zeros(ASTRONAUT.shape[:2], np.uint8)])
    assert (portraits.to_rgb8(clear) == 255).all()


def test_an_unreadable_photograph_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(AssetError, match=r"a\.png cannot be read"):
        portraits.load_photograph(tmp_path, "a.png")


def test_a_photograph_from_a_folder_is_read(tmp_path):
    iio.imwrite(tmp_path / "a.png", ASTRONAUT)
    assert np.array_equal(portraits.load_photograph(tmp_path, "a.png"), ASTRONAUT)


def test_a_photograph_of_huge_dimensions_is_refused_unread(tmp_path):
    Image.new("1", (9100, 9100)).save(tmp_path / "bomb.png")
    assert (tmp_path / "bomb.png").stat().st_size < 20_000
    with pytest.raises(AssetError, match="claims more than 80 million pixels"):
        portraits.load_photograph(tmp_path, "bomb.png")


def test_a_register_calls_no_other_function_of_scikit_image(tmp_path):
    with pytest.raises(AssetError, match="skimage:download_all is no photograph that is shipped"):
        portraits.load_photograph(tmp_path, "skimage:download_all")
