import imageio.v3 as iio
import numpy as np
import pytest
import skimage.data

from pipeline.errors import AssetError
from pipeline.motion import portraits

ASTRONAUT = skimage.data.astronaut()


def test_an_unreadable_photograph_is_named(tmp_path):
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(AssetError, match=r"a\.png cannot be read"):
        portraits.load_photograph(tmp_path, "a.png")


def test_a_photograph_from_a_folder_is_read(tmp_path):
    iio.imwrite(tmp_path / "a.png", ASTRONAUT)
    assert np.array_equal(portraits.load_photograph(tmp_path, "a.png"), ASTRONAUT)


def test_a_register_calls_no_other_function_of_scikit_image(tmp_path):
    with pytest.raises(AssetError, match="skimage:download_all is no photograph that is shipped"):
        portraits.load_photograph(tmp_path, "skimage:download_all")
