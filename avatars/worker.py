"""One chunk of clips in one fresh Blender process: `python -m avatars.worker < request.json`.

Request: {"assets": folder, "threads": n, "core": n or null, "portable": bool, "colour": bool
(default true), "clips": [{"spec": ..., "out": folder}]}. For each clip `out` receives frames.npy
and truth.npz, then one line `done <n>` is printed; without colour it is the truth alone, and no
Blender. A fault ends the process with its sentence on stderr and exit code 2.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from avatars.assets import Assets
from avatars.clip import ClipSpec, geometry, render
from avatars.conditions import Condition
from avatars.errors import AssetError, AvatarError
from avatars.identity import Identity
from avatars.portable import hold_denoiser
from avatars.scene import Scene

_OPTIONAL = {"passes", "stills", "signs", "occluders"}


def parse_spec(row: dict[str, Any]) -> ClipSpec:
    """A clip's specification from its plain values; AvatarError names a wrong field."""
    known = {field.name for field in fields(ClipSpec)}
    if wrong := (known - _OPTIONAL - set(row)) | (set(row) - known):
        raise AvatarError(f"a clip row has missing or unknown fields: {sorted(wrong)}")
    records = {
        "scene": Scene.parse(row["scene"]),
        "identity": Identity.parse(row["identity"]),
        "conditions": tuple(Condition.parse(condition) for condition in row["conditions"]),
        "passes": tuple(row.get("passes", ())),
        "stills": tuple(row.get("stills", ())),
        "occluders": tuple(row.get("occluders", ())),
    }
    return ClipSpec(**{**row, **records})


def main() -> int:
    """Render every clip of the request on stdin."""
    request = json.load(sys.stdin)
    if request["core"] is not None:
        pin(request["core"])
    assets = Assets(Path(request["assets"]))
    with silent_stdout() as report:
        colour = request.get("colour", True)
        if colour and request["portable"]:
            report(hold_denoiser())
        for number, clip in enumerate(request["clips"]):
            out = Path(clip["out"])
            try:
                spec = parse_spec(clip["spec"])
                if colour:
                    frames, truth = render(spec, assets, request["threads"], report)
                    np.save(out / "frames.npy", frames)
                else:
                    truth = geometry(spec, assets)
            except (AvatarError, AssetError) as error:
                print(error, file=sys.stderr)
                return 2
            np.savez(out / "truth.npz", **truth)
            report(f"done {number}")
    return 0


def pin(core: int) -> None:
    """Keep every thread of this process on one core.

    Blender starts threads on import that spin on every core they may use: left alone they take
    from a worker's neighbour as much as the worker itself needs.
    """
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), {core})


@contextmanager
def silent_stdout() -> Iterator[Any]:
    """Blender's own chatter goes nowhere; the yielded function still prints lines."""
    real = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        with os.fdopen(real, "w", buffering=1, closefd=False) as stream:
            yield lambda line: print(line, file=stream, flush=True)
    finally:
        os.dup2(real, 1)
        os.close(real)
        os.close(nowhere)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # Blender's atexit handlers can deadlock in background mode; the work is on disk.
    os._exit(code)
