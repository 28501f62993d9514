"""Prefect flows, one file a stage, and the command line `pallor`; no logic of their own.

Importing this package silences Prefect and DVC before either is imported: no telemetry, no
update checks, and Prefect's files below the home folder. What a person set stays set.
"""

import os
from contextlib import suppress

from pipeline.portable import hold  # before anything that loads numpy or torch

hold()

from flows.proxies import spare_loopback  # noqa: E402
from flows.workspace import home, is_workspace  # noqa: E402
from pipeline.errors import StageError  # noqa: E402

QUIET = {
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "DVC_STUDIO_OFFLINE": "true",  # DVCLive tells no server of a training
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
    "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",  # flows print what matters
}
for _name, _value in QUIET.items():
    os.environ.setdefault(_name, _value)
os.environ["PYTHONUTF8"] = "1"  # of what we start: DVC, stages, Blender and Prefect's server
spare_loopback()
with suppress(OSError, StageError):  # a home that cannot be is said by the command that needs it
    os.environ.setdefault("PREFECT_HOME", str(home() / "prefect"))
    if is_workspace():  # Prefect makes its own folder, not the one around it, and says so aloud
        home().mkdir(parents=True, exist_ok=True)
