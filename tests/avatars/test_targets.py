import numpy as np
import pytest

from avatars import threejs
from avatars.errors import AssetError, AvatarError
from avatars.targets import Targets


def test_corrupt_archive_is_one_sentence(tmp_path):
    (tmp_path / "targets.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(AssetError, match="no readable target archive"):
        Targets(tmp_path / "targets.npz")


def test_damage_inside_the_archive_is_one_sentence(tmp_path):
    path = tmp_path / "targets.npz"
    np.savez_compressed(path, **{"targets/nose.index": np.arange(4000), "targets/nose.vector": [0]})
    whole = bytearray(path.read_bytes())
    whole[200:400] = bytes(200)
    path.write_bytes(whole)
    with pytest.raises(AssetError, match=r"morph target 'nose' cannot be read \(.*pallor assets"):
        Targets(path).get("nose")


def test_unknown_target_is_named(assets):
    with pytest.raises(AvatarError, match="no morph target 'nose/beak'"):
        Targets(assets.targets()).get("nose/beak")


def test_broken_model_is_one_sentence(tmp_path):
    (tmp_path / "model.json").write_text('{"vertices": [0, 1]}')
    with pytest.raises(AssetError, match=r"no readable three\.js model"):
        threejs.read(tmp_path / "model.json")
