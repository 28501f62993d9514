"""Truth of training clips, as a worker writes it."""

import numpy as np
import pytest


@pytest.fixture
def passes():
    """number > the passes of a clip of two frames of 32 px."""
    return _passes


def _passes(number):
    return {
        "landmarks_px": np.full((2, 68, 2), number, np.float32),
        "surface_cells": np.full((2, 16, 16), -1, np.int32),
        "surface_where": np.zeros((2, 16, 16, 3), np.float32),
        "surface_corners": np.zeros((1, 3), np.int32),
        "surface_screen": np.zeros((2, 1, 3), np.float32),
        "surface_tracks": np.zeros((2, number % 3, 3), np.float32),
        "surface_depth": np.full((2, 32, 32), np.inf, np.float32),
    }
