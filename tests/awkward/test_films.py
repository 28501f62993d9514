"""One film re-made in every way that films come: the same frames in time, or the reason why not."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from PIL import Image

from pipeline.errors import ClipError
from pipeline.media.films import open_film
from pipeline.media.footage import read_footage
from pipeline.media.video import read_clip, write_clip

TURN = Path(__file__).parents[1] / "data" / "faces" / "turn.mp4"  # 16 frames at 8 a second
H264 = ("-c:v", "libx264", "-crf", "10")
YUV = (*H264, "-pix_fmt", "yuv420p")
BT709 = ("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709")
PCM = ("-f", "lavfi", "-i", "sine=d=2")


def as_turn(frames):
    """Frames at TURN's own size."""
    return np.stack([cv2.resize(f, (128, 128), interpolation=cv2.INTER_AREA) for f in frames])


def check_same(path, levels=12.0):
    """The frames of TURN at their times, give or take one; `levels` of grey apart on average."""
    frames, truth = as_turn(read_footage(path, 8)), read_clip(TURN)
    assert abs(len(frames) - 16) <= 1
    apart = np.abs(frames[:, None].astype(np.int16) - truth[None]).mean(axis=(2, 3, 4))
    nearest = apart.argmin(axis=1)
    alike = np.minimum(np.arange(len(frames)), 15)
    assert np.abs(nearest - alike).max() <= 1
    assert apart.min(axis=1).max() < levels


REMADE = {  # file > what ffmpeg is told
    # containers
    "plain.mp4": YUV, "copy.mkv": ("-c", "copy"), "copy.mov": ("-c", "copy"),
    "phone.MP4": ("-c", "copy", "-f", "mp4"), "nothing": ("-c", "copy", "-f", "mp4"),
    "wrong.avi": ("-c", "copy", "-f", "matroska"), "a.m4v": (*YUV, "-f", "mp4"),
    "a.qt": (*YUV, "-f", "mov"), "a.ts": YUV, "a.mts": (*YUV, "-f", "mpegts"),
    "a.m2ts": (*YUV, "-f", "mpegts", "-mpegts_m2ts_mode", "1"), "a.3gp": YUV,
    "a.flv": ("-c:v", "flv1", "-q:v", "2"), "a.ogv": ("-c:v", "libtheora", "-q:v", "9"),
    "a.webm": ("-c:v", "libvpx-vp9", "-crf", "15", "-b:v", "0", "-cpu-used", "8"),
    "a.avi": ("-c:v", "mjpeg", "-q:v", "2"), "a.wmv": ("-c:v", "wmv2", "-q:v", "2"),
    "a.gif": ("-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse"), "a.apng": ("-plays", "1"),
    "a.webp": ("-c:v", "libwebp_anim", "-lossless", "1"),
    "a.avif": ("-c:v", "libaom-av1", "-cpu-used", "8", "-crf", "15", "-pix_fmt", "yuv420p"),
    "a.mpg": ("-c:v", "mpeg2video", "-q:v", "2", "-r", "24"), "a.nut": ("-c:v", "ffv1"),
    "live.mp4": (*YUV, "-movflags", "+frag_keyframe+empty_moov"),
    "live.webm": ("-c:v", "libvpx", "-b:v", "2M", "-live", "1", "-f", "webm"),
    "camera.h264": (*YUV, "-r", "25", "-f", "h264"),
    # codecs and depths
    "hevc10.mp4": ("-c:v", "libx265", "-crf", "10", "-pix_fmt", "yuv420p10", "-x265-params",
                   "log-level=error"),
    "av1.mp4": ("-c:v", "libsvtav1", "-crf", "20", "-preset", "10", "-svtav1-params", "lp=1"),
    "prores.mov": ("-c:v", "prores_ks"), "raw.avi": ("-c:v", "rawvideo", "-pix_fmt", "bgr24"),
    "deep.mkv": ("-c:v", "ffv1", "-pix_fmt", "gbrp16le"), "alpha.mov": ("-c:v", "qtrle"),
    "clear.mov": ("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt", "yuva444p10le"),
    # rates and times
    "r24.mp4": (*YUV, "-r", "24"), "r2997.mp4": (*YUV, "-r", "30000/1001"),
    "r240.mp4": (*YUV, "-r", "240"), "r12.mkv": (*YUV, "-r", "12"),
    "variable.mp4": (*YUV, "-vf", "fps=60,select='if(lt(t,1),not(mod(n,2)),not(mod(n,6)))'",
                     "-fps_mode", "vfr"),
    "variable.mkv": (*YUV, "-vf", "fps=40,select='if(lt(t,1),not(mod(n,5)),1)'", "-fps_mode",
                     "vfr"),
    "late.ts": (*YUV, "-output_ts_offset", "7000"),
    # shapes
    "wide.mp4": (*YUV, "-vf", "scale=96:128,setsar=4/3"),
    "tall.mkv": (*YUV, "-vf", "scale=256:128,setsar=1/2"), "big.mp4": (*YUV, "-vf", "scale=720:-1"),
    "odd.mkv": ("-c:v", "ffv1", "-pix_fmt", "yuv420p", "-vf", "scale=127:129"),
    "woven.ts": ("-c:v", "mpeg2video", "-q:v", "2", "-flags", "+ilme+ildct", "-field_order", "tt",
                 "-vf", "scale=128:256,fps=50,tinterlace=interleave_top,setfield=tff"),
    # colours
    "full.mp4": (*YUV, "-vf", "scale=out_range=full", "-color_range", "pc"),
    "full.avi": ("-c:v", "mjpeg", "-q:v", "2", "-pix_fmt", "yuvj444p"),
    "hd.mp4": (*YUV, "-vf", "scale=out_color_matrix=bt709", *BT709),
    "unsaid.mkv": ("-c:v", "ffv1", "-pix_fmt", "yuv444p", "-vf",
                   "scale=720:720:out_color_matrix=bt709,setparams=colorspace=unknown"),
    "sd.mp4": (*YUV, "-vf", "scale=out_color_matrix=smpte170m", "-colorspace", "smpte170m"),
}  # fmt: skip


@pytest.mark.parametrize("name", REMADE)
def test_one_film_in_another_form_shows_the_same(remade, name):
    check_same(remade(name, *REMADE[name]))


def mean_colour(path):
    return as_turn(read_footage(path, 8)[:15]).mean(axis=(0, 1, 2))


@pytest.mark.parametrize("name", ["full.mp4", "full.avi", "hd.mp4", "unsaid.mkv", "sd.mp4"])
def test_range_and_matrix_are_those_the_film_was_made_with(remade, name):
    right = read_clip(TURN)[:15].mean(axis=(0, 1, 2))
    assert np.abs(mean_colour(remade(name, *REMADE[name])) - right).max() < 2.5


@pytest.mark.parametrize("curve", ["smpte2084", "arib-std-b67"])
def test_a_high_dynamic_range_is_brought_down(remade, curve):
    bright = remade(
        "hdr.mp4", "-c:v", "libx265", "-crf", "10", "-x265-params", "log-level=error", "-vf",
        "scale=out_color_matrix=bt709,format=yuv444p10,setparams=colorspace=bt709:color_trc=bt709:"
        f"color_primaries=bt709,zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt2020:t={curve}:"
        "m=bt2020nc:npl=203,format=yuv420p10", "-color_primaries", "bt2020", "-color_trc", curve,
        "-colorspace", "bt2020nc",
    )  # fmt: skip
    check_same(bright, levels=5)


@pytest.mark.parametrize("turn", [-90, 90, 180, -90.0001])
@pytest.mark.parametrize("mirrored", [False, True])
def test_rotation_and_mirroring_are_applied(remade, tmp_path, turn, mirrored):
    seen = read_clip(TURN)[:, :, ::-1] if mirrored else read_clip(TURN)  # mirrored last
    stored = np.rot90(seen, round(-turn / 90), axes=(1, 2))
    write_clip(tmp_path / "lying.mp4", np.ascontiguousarray(stored), 8)
    flags = ["-display_hflip"] if mirrored else []
    before = ("-display_rotation", str(turn), *flags)
    phone = remade("phone.mp4", "-c", "copy", before=before, source=tmp_path / "lying.mp4")
    assert np.array_equal(read_footage(phone, 8), read_clip(TURN))


def test_sound_and_a_cover_beside_the_film_do_not_matter(remade, tmp_path):
    with_sound = remade("sound.mp4", "-map", "0", "-map", "1", *YUV, "-c:a", "aac", more=PCM)
    check_same(with_sound)
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "cover.png")
    cover = remade(
        "cover.mp4", "-map", "1", "-map", "0", *YUV, "-disposition:v:0", "attached_pic",
        "-c:v:0", "copy", more=("-i", str(tmp_path / "cover.png")),
    )  # fmt: skip
    check_same(cover)


def test_an_edit_list_is_followed(remade):
    longer = remade("long.mp4", *YUV, "-vf", "tpad=start=24:start_mode=add:color=red")
    check_same(remade("cut.mp4", "-c", "copy", before=("-ss", "3"), source=longer))


@pytest.mark.parametrize("name", ["a: b.mp4", "-x.mp4", "100%d.mp4", "a'b\"c.mp4", "http:x.mp4"])
def test_any_name_is_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    shutil.copy(TURN, tmp_path / name)
    assert np.array_equal(read_footage(Path(name), 8), read_clip(TURN))


def said(path):
    with pytest.raises(ClipError) as caught:
        read_footage(path, 8)
    text = str(caught.value)
    assert str(path) in text
    assert "\n" not in text
    return text


def test_a_limit_counts_real_seconds(remade):
    slow = "setpts='if(lt(N,8),N,8+(N-8)*48)/8/TB'"  # one second, then a frame every six seconds
    assert len(read_footage(remade("short.mp4", *YUV, "-vf", slow, "-fps_mode", "vfr"), 8)) > 300
    slower = "setpts='if(lt(N,8),N,8+(N-8)*80)/8/TB'"
    long = remade("long.mp4", *YUV, "-vf", slower, "-fps_mode", "vfr")
    assert said(long).endswith("lasts longer than 60 s; cut out the part of interest")


def test_sound_alone_is_said(remade, tmp_path):
    sound = remade("a.m4a", "-map", "1", "-c:a", "aac", more=PCM)
    assert said(sound).endswith("it holds sound and no moving picture")
    Image.fromarray(skimage.data.astronaut()).save(tmp_path / "cover.jpg")
    song = remade("a.mp3", "-map", "1", "-map", "2", "-c:v", "copy", "-disposition:v",
                  "attached_pic", more=(*PCM, "-i", str(tmp_path / "cover.jpg")))  # fmt: skip
    assert said(song).endswith("it holds sound and no moving picture")


OTHER = {
    "a.mp4": (b"this is no video", "cannot be read as a video"),
    "b.mp4": (b"", "cannot be read as a video"),
    "a.txt": (b"letters " * 90, "it is text"),
    "a.m3u8": (b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\nturn.mp4\n#EXT-X-ENDLIST\n",
               "cannot be read as a video"),
    "list.mp4": (b"ffconcat version 1.0\nfile turn.mp4\n", "it is a list of other files"),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHER)
def test_what_is_no_film_is_refused(tmp_path, name):
    content, expected = OTHER[name]
    shutil.copy(TURN, tmp_path / "turn.mp4")
    (tmp_path / name).write_bytes(content)
    assert expected in said(tmp_path / name)


def test_absurd_claims_are_refused(remade):
    flat = remade("flat.mkv", "-c:v", "ffv1", "-vf", "setsar=1/60")
    assert "claims pixels 0.0167 times as wide as high" in said(flat)
    strip = remade("strip.mkv", "-c:v", "ffv1", "-vf", "scale=640:16")
    assert "640 x 16 px, a strip" in said(strip)
    fast = remade("fast.mp4", *YUV, "-vf", "setpts=N/2000/TB", "-r", "2000")
    assert "claims 2000 frames a second; it takes 1 to 1000" in said(fast)


def test_a_film_that_changes_its_shape_is_refused(remade, tmp_path):
    upright = remade("a.ts", *YUV, "-vf", "scale=96:160")
    across = remade("b.ts", *YUV, "-vf", "scale=160:96", "-output_ts_offset", "2")
    (tmp_path / "call.ts").write_bytes(upright.read_bytes() + across.read_bytes())
    assert "changes its picture's shape on the way" in said(tmp_path / "call.ts")


def test_a_film_that_changes_its_size_alone_is_read(remade, tmp_path):
    large = remade("a.ts", *YUV, "-vf", "trim=end=1")
    small = remade("b.ts", *YUV, "-vf", "trim=start=1,setpts=PTS-STARTPTS,scale=96:96",
                   "-output_ts_offset", "1")  # fmt: skip
    (tmp_path / "call.ts").write_bytes(large.read_bytes() + small.read_bytes())
    check_same(tmp_path / "call.ts")


@pytest.mark.parametrize("kind", ["mp4", "mkv", "ts", "avi"])
@pytest.mark.parametrize("seed", range(2))
def test_bytes_changed_at_random_end_in_frames_or_one_sentence(remade, kind, seed):
    path = remade(f"a.{kind}", *YUV)
    rng, data = np.random.default_rng(seed), bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), 1 + 8 * seed):
        data[place] = rng.integers(0, 256)
    path.write_bytes(data)
    try:
        frames = read_footage(path, 8)
    except ClipError as error:
        frames = None
        text = str(error)
    assert frames is None or frames.dtype == np.uint8
    assert frames is not None or "\n" not in text


def test_the_rate_is_the_films_own(remade):
    assert open_film(TURN).rate == 8
    assert open_film(remade("a.mp4", *YUV, "-r", "30000/1001")).rate == pytest.approx(29.97)
