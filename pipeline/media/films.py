"""The door for films: a file of anybody's > RGB frames at a steady rate, as a player shows them.

ffmpeg tells the container by content, and applies edit lists, rotation and mirroring. Frames are
taken by their timestamps, never by their number: a phone's variable rate keeps its real time.
Pixels are made square, interlaced fields woven into frames, transparent parts white, high dynamic
range brought down to the standard one.
"""

import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
_TOO_LARGE = "max pixel count"  # in ffmpeg's words
_SEQUENCE = re.compile(r"major_brand +: (avis|hevc|hevx|msf1)")  # its still comes before the film
_VIDEO = re.compile(
    r"Video: .*?, (?P<pixels>[a-z]\w*)(?:\((?P<colour>[^)]*)\))?, (?P<w>\d+)x(?P<h>\d+)"
)
_ASPECT = re.compile(r"[\[ ]SAR (\d+):(\d+)")  # in brackets the codec's, then the container's
_RATE = re.compile(r", ([\d.]+)(k?) fps")
_LENGTH = re.compile(r"^  Duration: (\d+):(\d+):([\d.]+)", re.MULTILINE)
_CLEAR = re.compile(r"yuva|rgba|bgra|argb|abgr|gbrap|ya\d|pal8")  # pixel formats with alpha


@dataclass(frozen=True)
class Film:
    """What ffmpeg says of a file's first moving picture; `rate` in frames a second, 0 unsaid.

    `seconds` is the length that the file claims, 0 unsaid. `number` is its own among the file's
    pictures; `others` are those of further ones and covers.
    """

    path: Path
    rate: float
    seconds: float
    pixels: str
    colour: tuple[str, ...]
    height: int
    number: int
    others: tuple[int, ...]

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
        raise ClipError(f"{path} is {'no file' if path.exists() else 'missing'}")
    said = subprocess.run(
        [*_ffmpeg("info"), *_source(path)], capture_output=True, text=True, errors="replace"
    ).stderr
    number, line = _stream(path, said)
    found, rate = _VIDEO.search(line), _RATE.search(line)
    if found is None:
        raise _formless(path, said)
    wide, high = (_ASPECT.findall(line) or [(1, 1)])[-1]
    _check(path, int(found["w"]), int(found["h"]), int(wide), int(high))
    claimed = float(rate[1]) * (1000 if rate[2] else 1) if rate else 0.0
    if claimed > FASTEST:
        raise ClipError(f"{path} claims {claimed:g} frames a second; it takes 1 to {FASTEST}")
    colour = tuple(re.split(r"[,/]\s*", found["colour"] or ""))
    others = tuple(n for n in range(len(_videos(said))) if n != number)
    return Film(
        path, claimed, _seconds(said), found["pixels"], colour, int(found["h"]), number, others
    )


def steady_frames(film: Film, fps: int, most: int) -> Iterator[np.ndarray]:
    """The (H, W, 3) uint8 RGB frames seen at 0, 1 / fps, 2 / fps ... s; `most` of them at most.

    Raises ClipError when none can be decoded, or the picture changes its shape on the way.
    """
    # Rounded up: at time t the last frame shown at t or before is seen.
    steady = ["setpts=PTS-STARTPTS", f"fps={fps}:round=up"]
    filters = [*_woven(film), *steady, *_shown(film)]
    return _decoded(
        film.path, [*_seen(film, filters), "-frames:v", str(most)], partial(_judge, film)
    )


def every_frame(film: Film) -> Iterator[np.ndarray]:
    """As `steady_frames`, each frame once, however long it is shown."""
    return _decoded(film.path, _seen(film, [*_woven(film), *_shown(film)]), partial(_judge, film))


def raw_frames(path: Path, number: int) -> Iterator[np.ndarray]:
    """(H, W, 3) uint8 RGB of a file's moving picture or cover `number`, whatever the door says.

    None when there is no such picture. Raises ClipError for frames beyond PIXELS.
    """

    def judge(log: str, _: int) -> None:
        if _TOO_LARGE in log:
            raise unreadable(path, OSError(log))

    return _decoded(path, ["-map", f"0:v:{number}", "-pix_fmt", "rgb24"], judge)


def _seen(film: Film, filters: Sequence[str]) -> list[str]:
    return ["-map", f"0:v:{film.number}", "-vf", ",".join(filters)]


def _decoded(
    path: Path, options: Sequence[str], judge: Callable[[str, int], None]
) -> Iterator[np.ndarray]:
    """What ffmpeg decodes; at the end `judge` is given its words and the number of frames."""
    command = [
        *_ffmpeg("warning"), "-reinit_filter", "0", *_source(path), *options,
        "-fps_mode", "passthrough", "-c:v", "pam", "-f", "image2pipe", "pipe:1",
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
        judge(log.read().decode(errors="replace"), count)


def _ffmpeg(level: str) -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostdin", "-v", level]


def _source(path: Path) -> list[str]:
    # `file:`, as a name may hold a colon; no protocol else, as a playlist may name an address.
    return [*BOUNDED, "-protocol_whitelist", "file", "-i", f"file:{path}"]


def _stream(path: Path, said: str) -> tuple[int, str]:
    """Number and line, in ffmpeg's words, of the first moving picture, which a cover is not."""
    kind = re.search(r"^Input #0, ([\w,]+), from", said, re.MULTILINE)
    if kind is None:
        raise unreadable(path, OSError(said))
    if kind[1] in NO_FILMS:
        raise ClipError(f"{path} cannot be read as a video: it is {NO_FILMS[kind[1]]}")
    still = ("(attached pic)", "(timed thumbnails)")
    films = [(n, s) for n, s in enumerate(_videos(said)) if not s.endswith(still)]
    if films:
        return films[-1 if _SEQUENCE.search(said) else 0]
    sound = re.search(r"^  Stream #0:\d+.*: Audio: ", said, re.MULTILINE)
    what = "it holds sound and no moving picture" if sound else "it holds no moving picture"
    raise ClipError(f"{path} cannot be read as a video: {what}")


def _seconds(said: str) -> float:
    found = _LENGTH.search(said)
    hours, minutes, seconds = found.groups() if found else (0, 0, 0)
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds)


def _videos(said: str) -> list[str]:
    return re.findall(r"^  Stream #0:\d+.*: Video: .*$", said, re.MULTILINE)


def _formless(path: Path, said: str) -> ClipError:
    if _TOO_LARGE in said:
        return unreadable(path, OSError(said))
    return ClipError(f"{path} cannot be read as a video: its pictures are in no form known here")


def _check(path: Path, width: int, height: int, wide: int, high: int) -> None:
    if width * height > PIXELS:
        raise unreadable(path, OSError(_TOO_LARGE))
    stretch = wide / high if wide and high else 1.0
    if not 1 / STRETCHED <= stretch <= STRETCHED:
        raise ClipError(f"{path} claims pixels {stretch:.3g} times as wide as high; save it anew")
    if not 1 / SLENDER <= width * stretch / height <= SLENDER:
        raise ClipError(f"{path} is {width} x {height} px, a strip; cut out the part with the face")


def _woven(film: Film) -> list[str]:
    """Fields woven into frames."""
    fields = {"top first", "bottom first", "top coded first (swapped)"}
    return ["bwdif=mode=send_frame:deint=interlaced"] if fields & {*film.colour} else []


def _shown(film: Film) -> list[str]:
    """Tones of the standard range, square pixels, RGB."""
    tones = [_TONES] if set(_HDR) & {*film.colour} else []
    unsaid = not {"bt709", "smpte170m", "bt470bg", "bt2020nc", "gbr", "fcc"} & {*film.colour}
    matrix = ":in_color_matrix=bt709" if unsaid and film.height > HD and _is_yuv(film) else ""
    square = f"scale=w='max(1,round(iw*sar))':h=ih{matrix}"
    return [*tones, square, "setsar=1", "format=rgba" if film.clear else "format=rgb24"]


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
