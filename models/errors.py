"""What goes wrong with a model, in one sentence."""


class ModelError(ValueError):
    """A model's configuration, input or file does not fit."""
