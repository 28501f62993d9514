"""What goes wrong in the motion model; each text is one clear sentence."""


class MotionError(ValueError):
    """Frames, key points or settings do not fit the motion model."""


class CheckpointError(OSError):
    """A checkpoint is missing, unreadable, unsafe or of another network."""
