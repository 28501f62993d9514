"""Sizes of the published networks and of the compact one that is trained in this repository."""

from dataclasses import dataclass, replace

from fomm.errors import MotionError

MOTION_SIZE = 64  # pixels a side that the motion networks see, whatever the frame's size


@dataclass(frozen=True)
class HourglassConfig:
    """An hourglass: `blocks` halvings, `width` channels doubled at each up to `max_width`."""

    width: int
    max_width: int
    blocks: int


@dataclass(frozen=True)
class MotionConfig:
    """One motion model, trained on square frames of `size` pixels.

    Siarohin et al., NeurIPS 2019; the field names follow the paper, the numbers the checkpoints.
    """

    name: str
    size: int
    detector: HourglassConfig
    dense: HourglassConfig
    width: int  # channels after the generator's first convolution
    max_width: int
    residual_blocks: int
    key_points: int = 10
    down_blocks: int = 2
    temperature: float = 0.1
    # The decoder sees where key points were and are to be, and says, pixel by pixel, where the
    # warped source will do: what a motion uncovers (teeth, lids) no other part can tell it.
    blend: bool = False
    # Key points were taught to lie where fomm.supervision.POINTS says, so their places have names.
    taught: bool = False
    # Others trained it, at its own size alone: frames of another are scaled to it and back.
    fixed: bool = False

    @property
    def factor(self) -> int:
        """How many times smaller the motion networks' input is than the frame."""
        return self.size // MOTION_SIZE


def _vox(name: str) -> MotionConfig:
    return MotionConfig(
        name=name,
        size=256,
        detector=HourglassConfig(32, 1024, 5),
        dense=HourglassConfig(64, 1024, 5),
        width=64,
        max_width=512,
        residual_blocks=6,
        fixed=True,
    )


COMPACT = MotionConfig(
    name="compact-128",
    size=128,
    detector=HourglassConfig(16, 256, 4),
    dense=HourglassConfig(32, 256, 4),
    width=32,
    max_width=256,
    residual_blocks=4,
)
BLEND = replace(
    COMPACT,
    name="blend-128",
    residual_blocks=3,  # painting is left where nothing can be warped to
    down_blocks=1,  # features of 2 x 2 pixels: a lip's line still moves by itself
    blend=True,
    taught=True,
)
CONFIGS = {
    config.name: config
    for config in (
        _vox("vox-256"),
        _vox("vox-adv-256"),
        COMPACT,
        BLEND,
        # Motion at 64 px as ever, so that blend-128's motion networks are where it starts.
        replace(
            BLEND,
            name="blend-256",
            size=256,
            down_blocks=2,  # features of 4 x 4 pixels: the same share of a lip as 2 x 2 at 128
            max_width=128,  # 18 MB
        ),
    )
}


def named_config(config: str | MotionConfig) -> MotionConfig:
    """A configuration by name, or itself; MotionError lists the known names."""
    if isinstance(config, MotionConfig):
        return config
    if config not in CONFIGS:
        raise MotionError(f"unknown motion model '{config}'; known: {', '.join(CONFIGS)}")
    return CONFIGS[config]
