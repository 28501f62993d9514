"""What every test may use: the fetched assets, and a Prefect home of its own."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from pipeline.portable import hold

hold()  # before anything loads numpy or torch, as the command line does

import pytest  # noqa: E402
from filelock import FileLock  # noqa: E402
from hypothesis import settings  # noqa: E402

# A busy machine is no failed property.
settings.register_profile("pallor", deadline=None)
settings.load_profile("pallor")

# Workers share the cores: threads of each would spin while they wait for those of the others.
if os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1") != "1":
    os.environ["OMP_NUM_THREADS"] = "1"
# Starting ffmpeg from a large process takes a tenth of a second unless it shares our signals.
os.environ["IMAGEIO_FFMPEG_NO_PREVENT_SIGINT"] = "1"
# Before anything imports Prefect: a test run leaves the checkout's own Prefect files alone.
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="pallor-prefect-")
os.environ.pop("PREFECT_API_URL", None)
# Prefect shuts all log handlers down when it is loaded, and absl's (mlcroissant brings it) closes
# the stream that it writes to: pytest's own, once a test has put another one in its place.
import prefect.main  # noqa: E402, F401

from avatars.assets import fetch  # noqa: E402

ROOT = Path(__file__).parents[1]
# The longest files, longest first: begun last, they would leave all cores but one idle.
LONGEST = (
    "test_new_study.py", "test_small_studies.py", "test_corpus.py", "test_faults.py",
    "test_train.py", "test_intent.py", "test_mood.py", "test_view.py", "test_types.py",
    "test_runners.py", "test_dvc_file.py",
)  # fmt: skip


def pytest_collection_modifyitems(items):
    """Long files first."""
    items.sort(key=lambda item: [*LONGEST, item.path.name].index(item.path.name))


@pytest.fixture(autouse=True)
def no_openlineage():
    """OpenLineage's client writes what it reads of the environment into the environment."""
    yield
    for name in [name for name in os.environ if name.startswith("OPENLINEAGE_")]:
        del os.environ[name]


@pytest.fixture(scope="session")
def assets():
    """The MakeHuman assets (avatars.assets.Assets), fetched once per checkout."""
    # Of two workers that fetch at once, one would take away what the other has just unpacked.
    home = ROOT / ".pallor"
    home.mkdir(exist_ok=True)
    with FileLock(home / "tests-fetch.lock"):
        return fetch(home)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Folders that all workers of one run share: the first to ask makes one, the rest wait.

    Such a folder is read and never written to.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name: str, make: Callable[[Path], object]) -> Path:
        whole, partial = shared / name, shared / f"{name}.partial"
        with FileLock(shared / f"{name}.lock"):
            if not whole.exists():
                partial.mkdir()  # there already: its making failed, and would fail again
                make(partial)
                partial.rename(whole)
        return whole

    return once


S3_KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@pytest.fixture
def s3(monkeypatch):
    """The address of an S3 server on loopback with an empty bucket `corpus`."""
    import boto3
    from moto.server import ThreadedMotoServer

    for name, value in S3_KEYS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    client = boto3.client("s3", endpoint_url=url)
    client.create_bucket(Bucket="corpus")
    yield url
    client.close()
    server.stop()
