"""Formats that are not read, told by their first bytes, with what to do about each."""

from pathlib import Path

_RAW = "a camera's raw file; develop it and save it as JPEG or PNG"
# First bytes (or those after an ISO box's size) > what the file is and what to do.
_SIGNATURES = (
    (b"\xff\x0a", "a JPEG XL picture, which is not read here; save it as PNG or JPEG"),
    (b"\x00\x00\x00\x0cJXL ", "a JPEG XL picture, which is not read here; save it as PNG or JPEG"),
    (b"8BPS", "a Photoshop document; export it as PNG or JPEG"),
    (b"%!PS", "a PostScript document; export it as PNG or JPEG"),
    (b"%PDF", "a PDF document; export its picture as PNG or JPEG"),
    (b"<svg", "a drawing (SVG); save it as PNG"),
    (b"<?xml", "an XML document, perhaps a drawing; save it as PNG"),
    (b"\x1aE\xdf\xa3", "a film; save one frame of it as PNG"),
    (b"FLV", "a film; save one frame of it as PNG"),
    (b"FUJIFILMCCD-RAW", f"{_RAW}"),
    (b"IIU\x00", f"{_RAW}"),
    (b"IIRO", f"{_RAW}"),
    (b"II*\x00", "a TIFF of a layout that is not read here; save it as PNG"),
    (b"MM\x00*", "a TIFF of a layout that is not read here; save it as PNG"),
)  # fmt: skip
# What pictures that are read begin with, where that is letters.
_LETTERS = (b"GIF8", b"RIFF", b"BM", b"qoif", *(b"P%d" % kind for kind in range(1, 8)))
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"mif1", b"msf1")
_HEIC_SAID = (
    "a HEIC picture, which no library here reads; save it as JPEG, or set the phone's camera to "
    "its most compatible format"
)


def foreign(path: Path) -> str | None:
    """`it is ...; what to do` for a file of a known format that is no readable picture, or None."""
    with path.open("rb") as stream:
        head = stream.read(64)
    if not head:
        return "it is empty, of 0 bytes; copy it again"
    said = _by_box(head) or next((s for start, s in _SIGNATURES if head.startswith(start)), None)
    if said is None and head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        said = "a film; save one frame of it as PNG"
    if said is None and _is_text(head):
        said = "text, perhaps the answer of a website; fetch the picture again"
    return f"it is {said}" if said else None


def _is_text(head: bytes) -> bool:
    return not head.startswith(_LETTERS) and all(
        byte in b"\t\n\r" or 32 <= byte < 127 for byte in head
    )


def _by_box(head: bytes) -> str | None:
    """What the brand of an ISO base media file (ISO/IEC 14496-12) says."""
    if head[4:8] != b"ftyp":
        return None
    brand = head[8:12]
    if b"avif" in head[8:] or b"avis" in head[8:]:
        return "an AVIF picture, which is broken or not read here; save it as PNG or JPEG"
    if brand in _HEIC:
        return _HEIC_SAID
    return _RAW if brand == b"crx " else "a film; save one frame of it as PNG"
