import os

import pytest

from pipeline.errors import ParamsError
from pipeline.exports.outputs import output_file, output_folder


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mp4").write_bytes(b"film")
    (tmp_path / "folder.mp4").mkdir()


@pytest.mark.parametrize("name", ["new.mp4", "below/new.mp4", "other.mp4"])
def test_a_free_name_is_taken(tmp_path, name):
    (tmp_path / "other.mp4").write_bytes(b"an older one")
    assert str(output_file(name, ".mp4", [tmp_path / "film.mp4"])) == name


@pytest.mark.parametrize("name", ["a.MP4", "a.mov", "a", ".mp4", ""])
def test_another_suffix_is_refused(name):
    with pytest.raises(ParamsError, match=r"must end in \.mp4"):
        output_file(name, ".mp4")


@pytest.mark.parametrize("name", ["film.mp4", "./film.mp4", "folder.mp4/../film.mp4"])
def test_an_input_is_never_written(tmp_path, name):
    with pytest.raises(ParamsError, match="is what the command reads"):
        output_file(name, ".mp4", [tmp_path / "none.png", tmp_path / "film.mp4"])


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_an_input_under_another_name_is_never_written(tmp_path, link):
    link(tmp_path / "film.mp4", tmp_path / "twin.mp4")
    with pytest.raises(ParamsError, match="is what the command reads"):
        output_file("twin.mp4", ".mp4", [tmp_path / "film.mp4"])


@pytest.mark.parametrize(("name", "said"), [
    ("folder.mp4", "is a folder"), ("/dev/null", "is no ordinary file"),
    ("film.mp4/a.mp4", "is a file, so nothing can be written below it"),
    ("film.mp4/b/a.mp4", "is a file, so nothing can be written below it"),
])  # fmt: skip
def test_a_place_where_no_file_can_be_is_refused(name, said):
    with pytest.raises(ParamsError, match=said):
        output_file(name)


def test_a_place_that_may_not_be_written_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path / "below")
    (tmp_path / "below").mkdir()
    with pytest.raises(ParamsError, match="may not be written"):
        output_file(str(tmp_path / "below" / "a.mp4"))
    with pytest.raises(ParamsError, match="may not be written"):
        output_folder(str(tmp_path / "below" / "new"))


def test_a_file_is_no_folder():
    with pytest.raises(ParamsError, match=r"film\.mp4 is a file; name a folder"):
        output_folder("film.mp4")
    assert output_folder("folder.mp4").is_dir()
    assert not output_folder("new").exists()
