"""One face in every kind of picture file: the same pixels each time, or the reason why not."""

import contextlib
import struct
import zlib

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms

from pipeline.errors import AssetError
from pipeline.media.pictures import read_picture

FACE = np.ascontiguousarray(skimage.data.astronaut()[20:180, 150:310])  # (160, 160, 3)
GREY = cv2.cvtColor(FACE, cv2.COLOR_RGB2GRAY)
HALF = np.linspace(0, 255, 160).round().astype(np.uint8)[None].repeat(160, axis=0)  # of alpha


def difference(path, expected):
    """Largest mean difference of a channel, in grey levels."""
    read = read_picture(path)
    expected = np.broadcast_to(expected[..., None] if expected.ndim == 2 else expected, read.shape)
    return float(np.abs(read.astype(float) - expected).mean(axis=(0, 1)).max())


def said(path):
    with pytest.raises(AssetError) as caught:
        read_picture(path)
    text = str(caught.value)
    assert path.name in text
    assert "\n" not in text
    assert len(text) < 400
    return text


def exif(orientation):
    tags = Image.Exif()
    tags[274] = orientation
    return tags


TURNED = {  # orientation > how the stored pixels differ from what a person sees
    1: lambda p: p, 2: lambda p: p[:, ::-1], 3: lambda p: p[::-1, ::-1], 4: lambda p: p[::-1],
    5: lambda p: p.transpose(1, 0, 2), 6: lambda p: np.rot90(p, 1),
    7: lambda p: p[::-1, ::-1].transpose(1, 0, 2), 8: lambda p: np.rot90(p, -1),
}  # fmt: skip


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "avif"])
def test_orientation_is_applied(tmp_path, orientation, kind):
    picture = FACE[:120]
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](picture)))
    how = {"lossless": True} if kind == "webp" else {"quality": 95}
    stored.save(tmp_path / f"a.{kind}", exif=exif(orientation), **how)
    assert difference(tmp_path / f"a.{kind}", picture) < 5  # JPEG; any other way up: 20 and more


def palette():
    return Image.fromarray(FACE).quantize(256)


def clear_palette():
    made = palette()
    made.info["transparency"] = bytes([255] * 256)
    return made


def adobe_cmyk():
    return Image.fromarray(FACE).convert("CMYK")


KINDS = {  # file > (what to save, what is seen, grey levels it may differ by)
    "l.png": (lambda: Image.fromarray(GREY), GREY, 0),
    "la.png": (lambda: Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(HALF)]),
               GREY * (HALF / 255) + 255 - HALF.astype(float), 1),
    "rgba.png": (lambda: Image.fromarray(np.dstack([FACE, HALF])),
                 FACE * (HALF / 255)[..., None] + 255 - HALF[..., None].astype(float), 1),
    "rgba.webp": (lambda: Image.fromarray(np.dstack([FACE, HALF])),
                  FACE * (HALF / 255)[..., None] + 255 - HALF[..., None].astype(float), 6),
    "p.png": (palette, FACE, 8),
    "p.gif": (palette, FACE, 8),
    "clear.png": (clear_palette, FACE, 8),
    "one.png": (lambda: Image.fromarray(GREY).convert("1"),
                np.asarray(Image.fromarray(GREY).convert("1")) * 255, 0),
    "cmyk.jpg": (adobe_cmyk, FACE, 4),
    "cmyk.tif": (adobe_cmyk, FACE, 1),
    "ycc.tif": (lambda: Image.fromarray(FACE).convert("YCbCr"), FACE, 2),
    "lab.tif": (lambda: ImageCms.profileToProfile(
        Image.fromarray(FACE), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"),
        outputMode="LAB"), FACE, 2),
    "i16.png": (lambda: Image.fromarray(GREY.astype(np.uint16) * 257), GREY, 0),
    "i16.tif": (lambda: Image.fromarray(GREY.astype(np.uint16) * 257), GREY, 0),
    "i32.tif": (lambda: Image.fromarray(GREY.astype(np.int32) * 257), GREY, 0),
    "unit.tif": (lambda: Image.fromarray((GREY / 255).astype(np.float32)), GREY, 0),
    "bytes.tif": (lambda: Image.fromarray(GREY.astype(np.float32)), GREY, 0),
    "a.bmp": (lambda: Image.fromarray(FACE), FACE, 0),
    "a.jp2": (lambda: Image.fromarray(FACE), FACE, 0),
    "a.ppm": (lambda: Image.fromarray(FACE), FACE, 0),
}  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_a_mode_is_converted_by_what_it_means(tmp_path, name):
    make, seen, most = KINDS[name]
    make().save(tmp_path / name)
    assert difference(tmp_path / name, np.asarray(seen)) <= most
    (tmp_path / name).rename(tmp_path / "no-suffix")
    assert difference(tmp_path / "no-suffix", np.asarray(seen)) <= most


@pytest.mark.parametrize("name", ["deep.png", "deep.tif", "deep.ppm", "alpha.png"])
def test_sixteen_bits_a_colour_are_scaled(tmp_path, name):
    deep = FACE[..., ::-1].astype(np.uint16) * 257
    if name == "alpha.png":
        deep = np.dstack([deep, np.full(GREY.shape, 65535, np.uint16)])
    cv2.imwrite(str(tmp_path / name), deep)
    assert difference(tmp_path / name, FACE) <= 1


def wide_profile():
    """A display profile whose red and green are swapped: whoever ignores it shows other colours."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    rows = {bytes(profile[132 + 12 * n : 136 + 12 * n]): 132 + 12 * n for n in range(count)}
    red, green = rows[b"rXYZ"], rows[b"gXYZ"]
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    text = profile.find("sRGB".encode("utf-16-be"))
    profile[text : text + 8] = "Turn".encode("utf-16-be")
    return bytes(profile)


@pytest.mark.parametrize("kind", ["png", "jpg", "tif", "webp"])
def test_an_embedded_profile_is_converted(tmp_path, kind):
    picture = Image.fromarray(np.ascontiguousarray(FACE[..., [1, 0, 2]]))
    how = {"lossless": True} if kind == "webp" else {"quality": 95}
    picture.save(tmp_path / f"a.{kind}", icc_profile=wide_profile(), **how)
    assert difference(tmp_path / f"a.{kind}", FACE) < 4


@pytest.mark.parametrize("profile", [b"no profile", wide_profile()[:200]])
def test_a_profile_that_nobody_can_read_is_ignored(tmp_path, profile):
    Image.fromarray(FACE).save(tmp_path / "a.png", icc_profile=profile)
    assert difference(tmp_path / "a.png", FACE) == 0


def test_an_rgb_profile_in_a_gray_picture_is_ignored(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png", icc_profile=wide_profile())
    assert difference(tmp_path / "a.png", GREY) == 0


@pytest.mark.parametrize("kind", ["gif", "png", "webp", "avif"])
def test_an_animated_picture_is_called_so(tmp_path, kind):
    first, second = Image.fromarray(FACE), Image.fromarray(FACE[::-1])
    first.save(tmp_path / f"a.{kind}", save_all=True, append_images=[second])
    assert "is animated; save the frame that shows the face" in said(tmp_path / f"a.{kind}")


def test_the_first_of_several_pages_or_pictures_counts(tmp_path):
    first, second = Image.fromarray(FACE), Image.fromarray(FACE[::-1])
    first.save(tmp_path / "pages.tif", save_all=True, append_images=[second])
    assert difference(tmp_path / "pages.tif", FACE) == 0
    first.save(tmp_path / "phone.jpg", format="MPO", save_all=True, append_images=[second])
    assert difference(tmp_path / "phone.jpg", FACE) < 5


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "gif", "tif", "bmp", "jp2", "avif"])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.7])
def test_a_picture_cut_short_is_refused(tmp_path, kind, share):
    noise = np.random.default_rng(0).integers(0, 256, FACE.shape, dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / f"a.{kind}")
    whole = (tmp_path / f"a.{kind}").read_bytes()
    (tmp_path / f"a.{kind}").write_bytes(whole[: round(share * len(whole))])
    assert "cannot be read" in said(tmp_path / f"a.{kind}")


def png_of(width, height):
    """A PNG that claims a size and holds nothing."""
    chunks = [(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b"")]
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [9_100, 10_000, 50_000, 2_000_000])
def test_a_picture_that_claims_too_much_is_refused_unread(tmp_path, side):
    (tmp_path / "bomb.png").write_bytes(png_of(side, side))
    assert "claims more than 80 million pixels; scale it down" in said(tmp_path / "bomb.png")


def test_a_strip_is_refused(tmp_path):
    (tmp_path / "strip.png").write_bytes(png_of(70_000, 1))
    assert "70000 x 1 px, a strip" in said(tmp_path / "strip.png")


FOREIGN = {
    "photo.jpg": (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a HEIC picture"),
    "photo.heic": (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic", "a HEIC picture"),
    "a.avif": (b"\x00\x00\x00\x18ftypavif\x00\x00\x00\x00mif1avif", "cannot be read"),
    "a.jxl": (b"\xff\x0a" + b"\x00" * 30, "a JPEG XL picture"),
    "a.png": (b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00isom", "a film"),
    "a.gif": (b"\x1aE\xdf\xa3" + b"\x00" * 30, "a film"),
    "a.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript document"),
    "a.pdf": (b"%PDF-1.7\n", "a PDF document"),
    "a.svg": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing"),
    "a.psd": (b"8BPS\x00\x01", "a Photoshop document"),
    "a.cr3": (b"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01", "raw file"),
    "a.txt": (b"<!doctype html>", "it is text"),
    "b.png": (b"", "it is empty"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_format_that_is_not_read_is_named(tmp_path, name):
    content, expected = FOREIGN[name]
    (tmp_path / name).write_bytes(content)
    assert expected in said(tmp_path / name)


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\x01\x04\x00\x00"}])
def test_a_raw_file_is_not_taken_for_its_thumbnail(tmp_path, tags):
    Image.fromarray(FACE).save(tmp_path / "a.dng", "TIFF", tiffinfo=tags)
    assert "is a camera's raw file; develop it" in said(tmp_path / "a.dng")


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0, 1e9])
def test_float_values_without_a_meaning_are_refused(tmp_path, value):
    picture = (GREY / 255).astype(np.float32)
    picture[3, 4] = value
    Image.fromarray(picture).save(tmp_path / "a.tif")
    assert "cannot be read: it" in said(tmp_path / "a.tif")


def test_a_folder_or_nothing_is_one_sentence(tmp_path):
    assert "no such file" in said(tmp_path / "a.png")
    (tmp_path / "b.png").mkdir()
    assert "it is no file" in said(tmp_path / "b.png")


@pytest.mark.parametrize("seed", range(27))
def test_bytes_changed_at_random_end_in_pixels_or_one_sentence(tmp_path, seed):
    rng = np.random.default_rng(seed)
    kind = ["jpg", "png", "webp", "gif", "tif", "bmp", "jp2", "avif", "ppm"][seed % 9]
    Image.fromarray(FACE[::2, ::2]).save(tmp_path / f"a.{kind}")
    data = bytearray((tmp_path / f"a.{kind}").read_bytes())
    for place in rng.integers(0, len(data), 1 + seed % 7):
        data[place] = rng.integers(0, 256)
    (tmp_path / f"a.{kind}").write_bytes(data)
    with contextlib.suppress(AssetError):
        assert read_picture(tmp_path / f"a.{kind}").dtype == np.uint8
