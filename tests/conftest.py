"""What every test may use: the fetched assets, and a Prefect home of its own."""

import os
import tempfile
from pathlib import Path

from pipeline.portable import hold

hold()  # before anything loads numpy or torch, as the command line does

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# A busy machine is no failed property.
settings.register_profile("pallor", deadline=None)
settings.load_profile("pallor")

# Before anything imports Prefect: a test run leaves the checkout's own Prefect files alone.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="pallor-prefect-")
os.environ.pop("PREFECT_API_URL", None)

from avatars.assets import fetch  # noqa: E402

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def assets():
    """The MakeHuman assets (avatars.assets.Assets), fetched once per checkout."""
    return fetch(ROOT / ".pallor")
