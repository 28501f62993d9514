"""How a motion model is trained: every choice with its reason."""

from dataclasses import dataclass

from fomm.config import CONFIGS, MotionConfig


@dataclass(frozen=True)
class TrainConfig:
    """How a motion model is trained; the choices were measured on two CPU cores."""

    model: MotionConfig = CONFIGS["compact-128"]
    steps: int = 4000  # of the whole model
    point_steps: int = 600  # key points alone first: cheap, and flow is useless before they hold
    flow_steps: int = 2000  # then the flow by the warped source alone: four steps for one of all
    batch: int = 8  # what two cores hold in bf16
    learning_rate: float = 6e-4  # cosine to zero; 2e-4 (the paper) leaves a short run unfinished
    picture_steps: int = 600  # then encoder and decoder alone, on crops: a minute, not ten
    picture_crop: int = 64  # pixels a side of those crops
    image_rate: float = 1e-3  # of encoder and decoder: at 6e-4 they still blur after 2,500 steps
    hold_norms: int = 15  # picture steps after which their norms keep the statistics they have:
    # those of small batches change a picture with its neighbours (23 dB in training, not 29)
    cross: float = 0.5  # share of cross-identity triplets: the task itself, and self for detail
    points: float = 10.0  # key points' distance is some 0.01, images' 0.05: brings them level
    openings: float = 30.0  # of lids and lips: a pixel there is the sign itself, elsewhere noise
    warped: float = 0.5  # the merely warped source must already fit: flow is learned in minutes
    exact: float = 10.0  # the exact flow: a pixel off is 0.03, pictures 0.05
    hidden: float = 0.02  # the exact occlusion: a guess costs some 0.6
    gradient: float = 1.0  # lids and lips are edges
    face: float = 6.0  # eyes and mouth are 5 % of the pixels and all of the meaning
    painted: float = 4.0  # the colours painted over the warped source, by themselves
    share: float = 0.1  # where they are used: a guess costs some 0.6, pictures 0.05
    # Faults of photographs and a loss of pictures' features: off in the trainings of record.
    perceptual: float = 0.0  # MobileNetV2's distance is some 1.2, images' 0.05; .05 brings it level
    colour_cast: float = 0.0  # standard deviation of a channel's log gain, a pair's own
    blur: float = 0.0  # share of pairs
    jpeg: float = 0.0  # share of pairs
    ema: float = 0.999  # averages away the noise of small batches
    save_every: int = 200  # steps that a killed run loses at most
    bf16: bool = False  # float32 runs anywhere; the caller knows what the processor has units for

    def phases(self) -> dict[str, int]:
        """Steps of each phase, in their order."""
        return {
            "points": self.point_steps, "flow": self.flow_steps, "picture": self.picture_steps,
            "whole": self.steps,
        }  # fmt: skip
