import numpy as np
import pytest

from avatars import threejs
from avatars.assets import TargetFiles
from avatars.errors import AssetError, AvatarError
from avatars.targets import Targets


def test_corrupt_archive_is_one_sentence(tmp_path):
    (tmp_path / "targets.npz").write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(AssetError, match="no readable target archive"):
        Targets(TargetFiles(tmp_path / "targets.npz", tmp_path))


def test_damage_inside_the_archive_is_one_sentence(tmp_path):
    path = tmp_path / "targets.npz"
    np.savez_compressed(path, **{"targets/nose.index": np.arange(4000), "targets/nose.vector": [0]})
    whole = bytearray(path.read_bytes())
    whole[200:400] = bytes(200)
    path.write_bytes(whole)
    with pytest.raises(AssetError, match=r"morph target 'nose' cannot be read \(.*pallor assets"):
        Targets(TargetFiles(path, tmp_path)).get("nose")


def test_unknown_target_is_named(assets):
    with pytest.raises(AvatarError, match="no morph target 'nose/beak'"):
        Targets(assets.targets()).get("nose/beak")


def test_unknown_face_unit_is_named(assets):
    with pytest.raises(AvatarError, match="no morph target 'faceunits/earWiggle'"):
        Targets(assets.targets()).get("faceunits/earWiggle")


def test_damaged_face_unit_is_one_sentence(assets, tmp_path):
    (tmp_path / "mouthFrownLeft.target").write_text("362 .001 0\n450 zero 1 2\n")
    files = assets.targets()._replace(sculpted=tmp_path)
    with pytest.raises(AssetError, match=r"'faceunits/mouthFrownLeft' cannot be read \(.*assets"):
        Targets(files).get("faceunits/mouthFrownLeft")


def test_face_units_stand_on_the_base_mesh(assets):
    ids, offsets = Targets(assets.targets()).get("faceunits/mouthSmileLeft")
    assert ids.max() < 19158
    assert 0.1 < np.linalg.norm(offsets, axis=1).max() < 0.3  # dm


def test_broken_model_is_one_sentence(tmp_path):
    (tmp_path / "model.json").write_text('{"vertices": [0, 1]}')
    with pytest.raises(AssetError, match=r"no readable three\.js model"):
        threejs.read(tmp_path / "model.json")
