"""Pictures and films are found by content, in every format, under any name."""

import subprocess

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from pipeline.errors import ClipError
from pipeline.lineage import looks
from pipeline.lineage.decode import frames_of

STILLS = ("png", "jpg", "webp", "tiff", "bmp", "gif", "avif", "jp2", "tga", "ppm", "ico", "dds")
DEEP = ("png", "tiff", "hdr", "pfm")
BY_FFMPEG = ("exr", "dpx", "jxl", "fits", "xwd")  # stills that ffmpeg alone writes here
FILMS = {
    "webm": "libvpx", "mkv": "libaom-av1 -cpu-used 8", "avi": "mpeg4", "mov": "prores_ks",
    "ts": "libx264",
    "mpg": "mpeg2video", "flv": "flv", "3gp": "libx264", "ogv": "libtheora", "wmv": "wmv2",
    "mp4": "libx265 -x265-params log-level=none", "m4v": "libx264",
    "h264": "libx264", "mxf": "mpeg2video", "y4m": "wrapped_avframe",
}  # fmt: skip


@pytest.fixture(scope="module")
def face():
    """(48, 48, 3) uint8 RGB, unlike itself turned or mirrored."""
    small = np.random.default_rng(1).integers(0, 256, (5, 5, 3), dtype=np.uint8)
    return cv2.resize(small, (48, 48), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def known(face):
    return looks.turned(looks.look(np.stack([face, face[..., ::-1]])))


def ffmpeg(source, target, *options):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y"]
    subprocess.run([*command, *source, *options, str(target)], check=True)


def misnamed(path):
    return path.rename(path.with_name("notes%03d.txt"))


def found(path, known, kind):
    said, near = looks.nearest(misnamed(path), known)
    assert said == kind
    assert near < looks.ALIKE


@pytest.mark.parametrize("suffix", STILLS)
def test_stills_of_every_format(face, known, tmp_path, suffix):
    Image.fromarray(face).save(tmp_path / f"a.{suffix}")
    found(tmp_path / f"a.{suffix}", known, "picture")


@pytest.mark.parametrize("suffix", DEEP)
def test_deep_stills_are_stretched_not_cut_off(face, known, tmp_path, suffix):
    deep = face[..., ::-1].astype(np.uint16) * 200
    content = deep if suffix in ("png", "tiff") else deep.astype(np.float32)
    cv2.imwrite(str(tmp_path / f"a.{suffix}"), content)
    found(tmp_path / f"a.{suffix}", known, "picture")


@pytest.mark.parametrize("suffix", BY_FFMPEG)
def test_stills_that_ffmpeg_reads(face, known, tmp_path, suffix):
    Image.fromarray(face).save(tmp_path / "source.png")
    ffmpeg(["-i", tmp_path / "source.png"], tmp_path / f"a.{suffix}", "-frames:v", "1")
    found(tmp_path / f"a.{suffix}", known, "film")


@pytest.mark.parametrize("suffix", FILMS)
def test_films_of_every_container(face, known, tmp_path, suffix):
    Image.fromarray(face).resize((96, 96)).save(tmp_path / "source.png")
    source = ["-loop", "1", "-t", "0.4", "-r", "25", "-i", str(tmp_path / "source.png")]
    ffmpeg(source, tmp_path / f"a.{suffix}", *f"-pix_fmt yuv420p -c:v {FILMS[suffix]}".split())
    found(tmp_path / f"a.{suffix}", known, "film")


def test_what_the_doors_refuse_or_do_not_show_is_seen(face, known, tmp_path):
    clear = np.dstack([face, np.zeros((48, 48), np.uint8)])
    Image.fromarray(clear).save(tmp_path / "clear.png")
    other = np.random.default_rng(2).integers(0, 256, (48, 48, 3), dtype=np.uint8)
    Image.fromarray(face).save(tmp_path / "face.png")
    Image.fromarray(other).save(tmp_path / "other.png")
    one, two = (["-i", tmp_path / f"{name}.png"] for name in ("other", "face"))
    tone = ["-f", "lavfi", "-t", "0.1", "-i", "sine"]
    maps, copied = ["-map", "0", "-map", "1"], ["-c:v", "copy"]
    ffmpeg([*one, *two], tmp_path / "two.mkv", *maps, "-c:v", "ffv1", "-pix_fmt", "bgr0")
    cover = ["-disposition:v:0", "attached_pic"]
    ffmpeg([*tone, *two], tmp_path / "song.mp3", *maps, *copied, *cover)
    ffmpeg([*tone, *two], tmp_path / "song.m4a", *maps, *copied, *cover)
    ffmpeg(two, tmp_path / "strip.mkv", "-vf", "scale=960:32", "-c:v", "ffv1", "-pix_fmt", "bgr0")
    ffmpeg(two, tmp_path / "fast.mkv", "-c:v", "ffv1", "-pix_fmt", "bgr0", "-r", "3000")
    for name in ("clear.png", "two.mkv", "song.mp3", "song.m4a", "strip.mkv", "fast.mkv"):
        assert looks.nearest(tmp_path / name, known)[1] < looks.ALIKE, name


def test_every_page_of_a_moving_picture_is_seen(face, known, tmp_path):
    blank = Image.new("RGB", (48, 48), "grey")
    for suffix in ("gif", "webp", "tiff", "png"):
        path = tmp_path / f"a.{suffix}"
        blank.save(path, save_all=True, append_images=[blank, Image.fromarray(face)])
        assert looks.nearest(path, known)[1] < looks.ALIKE, suffix


def test_colour_modes_and_turns_are_seen_as_a_person_sees_them(face, known, tmp_path):
    picture = Image.fromarray(face)
    for mode, suffix in (
        ("CMYK", "jpg"),
        ("L", "png"),
        ("P", "png"),
        ("RGBA", "webp"),
        ("I;16", "tiff"),
    ):
        converted = picture.convert("L").convert(mode) if mode == "I;16" else picture.convert(mode)
        converted.save(tmp_path / f"{mode}.{suffix}")
        assert looks.nearest(tmp_path / f"{mode}.{suffix}", known)[1] < looks.ALIKE, mode
    exif = Image.Exif()
    exif[0x0112] = 6
    picture.rotate(90, expand=True).save(tmp_path / "turned.jpg", exif=exif)
    plain = looks.look(face[None])
    assert looks.nearest(tmp_path / "turned.jpg", plain)[1] < looks.ALIKE
    picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "mirrored.png")
    assert looks.nearest(tmp_path / "mirrored.png", plain)[1] > looks.ALIKE
    assert looks.nearest(tmp_path / "mirrored.png", known)[1] < looks.ALIKE


@pytest.mark.parametrize(
    "content", [b"", b"a,b\n1,2\n", b"PK\x03\x04" + bytes(99), bytes(range(256)) * 9]
)
def test_what_is_no_picture_shows_nothing(known, tmp_path, content):
    (tmp_path / "a.mp4").write_bytes(content)
    assert looks.nearest(tmp_path / "a.mp4", known) == ("nothing", 1.0)


def test_a_picture_too_large_to_open_is_said_to_be_broken(known, tmp_path, monkeypatch):
    Image.new("L", (64, 64)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(ClipError, match="more pixels"):
        frames_of(tmp_path / "a.png")
    assert looks.nearest(tmp_path / "a.png", known)[0] == "broken"
