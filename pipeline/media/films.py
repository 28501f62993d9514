"""The door for films: a file of anybody's > RGB frames at a steady rate, as a player shows them.

ffmpeg tells the container by content, and applies edit lists, rotation and mirroring. Frames are
taken by their timestamps, never by their number: a phone's variable rate keeps its real time.
Pixels are made square, interlaced fields woven into frames, transparent parts white, high dynamic
range brought down to the standard one.
"""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import imageio_ffmpeg
import numpy as np

from pipeline.errors import ClipError
from pipeline.media.pictures import SLENDER, to_rgb8
from pipeline.media.video import BOUNDED, PIXELS, unreadable

FASTEST = 1000  # frames a second, a high-speed camera's: more would be decoded in vain
HD = 576  # px high: beyond, a film that names no colour matrix means BT.709, as players take it
STRETCHED = 8.0  # times as wide as high that a pixel may claim to be; anamorphic film has 2
# ffmpeg opens these too: text shown as a terminal's art, lists that lead to other files.
NO_FILMS = {"tty": "text", "hls": "a list of other files", "dash": "a list of other files",
            "concat": "a list of other files"}  # fmt: skip
_HDR = ("smpte2084", "arib-std-b67")  # perceptual quantiser, hybrid log-gamma
# White at 203 cd/m2 (ITU-R BT.2408); what is brighter than 0.7 of it is folded in below white.
_TONES = (
    "zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,tonemap=mobius:param=0.7:desat=0,"
    "zscale=t=bt709:m=bt709:r=limited,format=yuv444p"
)
_VIDEO = re.compile(
    r"Video: .*?, (?P<pixels>[a-z]\w*)(?:\((?P<colour>[^)]*)\))?, (?P<w>\d+)x(?P<h>\d+)"
)
_ASPECT = re.compile(r"[\[ ]SAR (\d+):(\d+)")  # in brackets the codec's, then the container's
_RATE = re.compile(r", ([\d.]+)(k?) fps")
_CLEAR = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8")  # pixel formats with alpha


@dataclass(frozen=True)
class Film:
    """What ffmpeg says of a file's first moving picture; `rate` in frames a second, 0 unsaid."""

    path: Path
    rate: float
    pixels: str
    colour: tuple[str, ...]
    height: int

    @property
    def clear(self) -> bool:
        """Whether a pixel can be transparent."""
        return bool(_CLEAR.match(self.pixels))


def open_film(path: Path) -> Film:
    """What a file says of itself, before a frame is decoded.

    Raises ClipError, with the reason, when it is missing, no film, sound alone, or claims frames
    beyond PIXELS, pixels beyond STRETCHED or a rate beyond FASTEST.
    """
    if not path.is_file():
        raise ClipError(f"{path} is missing")
    said = subprocess.run(
        [*_ffmpeg("info"), *_source(path)], capture_output=True, text=True, errors="replace"
    ).stderr
    line = _stream(path, said)
    found, rate = _VIDEO.search(line), _RATE.search(line)
    if found is None:
        raise _formless(path, said)
    wide, high = (_ASPECT.findall(line) or [(1, 1)])[-1]
    _check(path, int(found["w"]), int(found["h"]), int(wide), int(high))
    claimed = float(rate[1]) * (1000 if rate[2] else 1) if rate else 0.0
    if claimed > FASTEST:
        raise ClipError(f"{path} claims {claimed:g} frames a second; it takes 1 to {FASTEST}")
    colour = tuple(re.split(r"[,/]\s*", found["colour"] or ""))
    return Film(path, claimed, found["pixels"], colour, int(found["h"]))


def steady_frames(film: Film, fps: int, most: int) -> Iterator[np.ndarray]:
    """The (H, W, 3) uint8 RGB frames seen at 0, 1 / fps, 2 / fps ... s; `most` of them at most.

    Raises ClipError when none can be decoded, or the picture changes its shape on the way.
    """
    command = [
        *_ffmpeg("warning"), "-reinit_filter", "0", *_source(film.path), "-map", "0:V:0",
        "-vf", _filters(film, fps), "-frames:v", str(most), "-fps_mode", "passthrough",
        "-c:v", "pam", "-f", "image2pipe", "pipe:1",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
        assert process.stdout is not None
        count = 0
        try:
            for count, frame in enumerate(_pictures(process.stdout), start=1):  # noqa: B007
                yield frame
        finally:
            process.stdout.close()
            process.kill()
            process.wait()
        log.seek(0)
        _judge(film, log.read().decode(errors="replace"), count)


def _ffmpeg(level: str) -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-v", level]


def _source(path: Path) -> list[str]:
    # `file:`, as a name may hold a colon; no protocol else, as a playlist may name an address.
    return [*BOUNDED, "-protocol_whitelist", "file", "-i", f"file:{path}"]


def _stream(path: Path, said: str) -> str:
    """ffmpeg's line on the first moving picture, which a cover is not."""
    kind = re.search(r"^Input #0, ([\w,]+), from", said, re.MULTILINE)
    if kind is None:
        raise unreadable(path, OSError(said))
    if kind[1] in NO_FILMS:
        raise ClipError(f"{path} cannot be read as a video: it is {NO_FILMS[kind[1]]}")
    streams = re.findall(r"^  Stream #0:\d+.*$", said, re.MULTILINE)
    still = ("(attached pic)", "(timed thumbnails)")
    films = [s for s in streams if ": Video: " in s and not s.endswith(still)]
    if films:
        return str(films[0])
    sound = any(": Audio: " in stream for stream in streams)
    what = "it holds sound and no moving picture" if sound else "it holds no moving picture"
    raise ClipError(f"{path} cannot be read as a video: {what}")


def _formless(path: Path, said: str) -> ClipError:
    if "max pixel count" in said:
        return unreadable(path, OSError(said))
    return ClipError(f"{path} cannot be read as a video: its pictures are in no form known here")


def _check(path: Path, width: int, height: int, wide: int, high: int) -> None:
    if width * height > PIXELS:
        raise unreadable(path, OSError("max pixel count"))
    stretch = wide / high if wide and high else 1.0
    if not 1 / STRETCHED <= stretch <= STRETCHED:
        raise ClipError(f"{path} claims pixels {stretch:.3g} times as wide as high; save it anew")
    if not 1 / SLENDER <= width * stretch / height <= SLENDER:
        raise ClipError(f"{path} is {width} x {height} px, a strip; cut out the part with the face")


def _filters(film: Film, fps: int) -> str:
    """The way of a frame: fields woven, taken by time, tones, square pixels, RGB."""
    woven = {"top first", "bottom first", "top coded first (swapped)"}
    chain = ["bwdif=mode=send_frame:deint=interlaced"] if woven & {*film.colour} else []
    # Rounded up: at time t the last frame shown at t or before is seen.
    chain += ["setpts=PTS-STARTPTS", f"fps={fps}:round=up"]
    if set(_HDR) & {*film.colour}:
        chain.append(_TONES)
    unsaid = not {"bt709", "smpte170m", "bt470bg", "bt2020nc", "gbr", "fcc"} & {*film.colour}
    matrix = ":in_color_matrix=bt709" if unsaid and film.height > HD and _is_yuv(film) else ""
    chain.append(f"scale=w='max(1,round(iw*sar))':h=ih{matrix}")
    return ",".join([*chain, "setsar=1", "format=rgba" if film.clear else "format=rgb24"])


def _is_yuv(film: Film) -> bool:
    return film.pixels.startswith(("yuv", "nv", "p0"))


def _pictures(stream: IO[bytes]) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB of each picture of a stream in Netpbm's PAM format."""
    while stream.readline():  # P7
        size = {}
        while (line := stream.readline().split()) and line[0] != b"ENDHDR":
            size[line[0]] = line[-1]
        if not line:
            return
        shape = tuple(int(size[name]) for name in (b"HEIGHT", b"WIDTH", b"DEPTH"))
        data = stream.read(int(np.prod(shape)))
        if len(data) < np.prod(shape):
            return
        picture = np.frombuffer(data, np.uint8).reshape(shape)
        yield to_rgb8(picture) if shape[2] == 4 else picture


def _judge(film: Film, log: str, count: int) -> None:
    """Refuse what ffmpeg's words say cannot have been shown right."""
    sizes = re.findall(r"(?:context|frame) - w: (\d+) h: (\d+)", log)
    shapes = {round(int(width) / int(height), 1) for width, height in sizes if int(height)}
    if len(shapes) > 1:
        raise ClipError(f"{film.path} changes its picture's shape on the way; cut out one part")
    if "No such filter: 'zscale'" in log:
        raise ClipError(
            f"{film.path} has a high dynamic range, which the ffmpeg here cannot show; save it in "
            "the standard one"
        )
    if not count:
        raise unreadable(film.path, OSError(log))
