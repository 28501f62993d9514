"""How unlike two pictures look, as a benchmark asks it: the training's own network and weights."""

from fomm import perception
from pipeline.errors import AssetError
from pipeline.motion.perception import load_perception


def Perception() -> perception.Perception:
    """The network with its weights; SystemExit when the package or its bytes are not as pinned."""
    try:
        return load_perception()
    except AssetError as error:
        raise SystemExit(str(error)) from error
