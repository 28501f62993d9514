"""The table of docs/faults.md: thirty bad inputs, each with the sentence a person reads.

Every sentence is produced here by the real code. `python -P tests/test_bad_input_table.py` writes
the table; the test holds the page against what the code says today.
"""

import contextlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from unittest import mock

import imageio_ffmpeg
import numpy as np
import pytest

import fomm
from flows import runners, settings, workspace
from flows.cli import main
from flows.commands import shard
from pipeline.corpus import planned, register, render
from pipeline.corpus.feasible import check_arms
from pipeline.errors import PallorError
from pipeline.faces import framing
from pipeline.files import file_digest, read_json
from pipeline.media import footage, video
from pipeline.motion import portraits
from pipeline.params import Params, load_params
from pipeline.store import shards
from pipeline.store.store import Job, Store
from pipeline.study import read_study
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "faults.md"
HEAD = "| what is given | what is said |\n|---|---|\n"
REGISTER = "id,file,licence,consent,age,sex,ethnicity,origin\n"
CASES = {}


def case(name):
    """Register a function of a scratch folder whose sentence belongs into the table."""

    def keep(function):
        CASES[name] = function
        return function

    return keep


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def film(path, picture, codec):
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "lavfi", "-i", picture]
    subprocess.run([*command, "-c:v", codec, str(path)], check=True)
    return path


def told(arguments):
    """What `pallor` says on stderr before it exits with code 2."""
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            code = main(arguments)
        except SystemExit as stopped:
            code = stopped.code
    assert code == 2
    raise PallorError(said.getvalue().removeprefix("pallor: ").strip())


def setting(text):
    return lambda _: settings.overridden([text], Workspace(root=ROOT))


def row(text):
    return lambda here: register.read_register(write(here / "register.csv", REGISTER + text))


def arm(**worn):
    """The main study whose first arm wears something."""
    study = read_study(ROOT / "studies" / "deterioration" / "study.yaml")
    first = study.arms[0].model_copy(update=worn)
    return lambda _: check_arms(
        study.model_copy(update={"arms": [first, *study.arms[1:]]}), Params()
    )


CASES |= {
    "`signs: {palor: 0.5}`": arm(signs={"palor": 0.5}),
    "`occluders: {oxigen_mask: 1}`": arm(occluders={"oxigen_mask": 1.0}),
    "`occluders: {eye_pads: 1}` where unit 43 is shown": arm(occluders={"eye_pads": 1.0}),
    "`pallor rnder`": lambda _: told(["rnder"]),
    "`pallor run` outside a clone": lambda _: workspace.require_workspace(),
    "`--set plan.frams=6`": setting("plan.frams=6"),
    "`--set plan.frames=one`": setting("plan.frames=one"),
    "`--set plan.frames`": setting("plan.frames"),
    "`--set plan.size=33`": setting("plan.size=33"),
    "`--set seed.x=1`": setting("seed.x=1"),
    "`params.yaml` that is no YAML": lambda here: load_params(write(here / "params.yaml", "a: [1")),
    "no `params.yaml`": lambda here: load_params(here / "params.yaml"),
    "`pallor shard --part half`": lambda _: shard._part("half"),
    "`pallor shard --part 3/2`": lambda _: shard._part("3/2"),
    "a register without the column `licence`": lambda here: register.read_register(
        write(here / "register.csv", REGISTER.replace("licence,", ""))
    ),
    "a folder of photographs without a register": lambda here: register.read_register(
        here / "register.csv"
    ),
    "a photograph without a licence": row("a,a.png,,written 2025-03-01,,,,own\n"),
    "a photograph without consent": row("a,a.png,CC0,,,,,own\n"),
    "a photograph outside the folder": row("a,../../etc/passwd,CC0,written 2025-03-01,,,,own\n"),
    "an age that is no number": row("a,a.png,CC0,written 2025-03-01,old,,,own\n"),
    "one id twice": row(
        "a,a.png,CC0,written 2025-03-01,,,,own\na,b.png,CC0,written 2025-03-01,,,,own\n"
    ),
    "a photograph that is no picture": lambda here: portraits.load_photograph(
        write(here / "a.png", b"GIF89a and then nothing").parent, "a.png"
    ),
    "a picture without a face": lambda _: framing.frame_face(
        np.full((200, 200, 3), 128, np.uint8), 64
    ),
    "`skimage:download_all` as a photograph": lambda here: portraits.load_photograph(
        here, "skimage:download_all"
    ),
    "a video that is missing": lambda here: footage.read_footage(here / "a.mp4", 8),
    "a video of 0 bytes": lambda here: footage.read_footage(write(here / "a.mp4", b""), 8),
    "a truth file that is cut short": lambda here: render.read_truth(write(here / "a.npz", b"PK")),
    "a checkpoint that is missing": lambda here: fomm.load_checkpoint(here / "a.pth"),
    "a plan that is no JSON": lambda here: planned.read_plan(write(here / "plan.jsonl", "{\n")),
    "a metrics file that is no JSON": lambda here: read_json(write(here / "evaluation.json", "{")),
    "a plan with a row of another kind": lambda here: planned.read_plan(
        write(here / "plan.jsonl", '{"kind": "poem"}\n')
    ),
}


@case("`PALLOR_RUNNER=thread`")
def _(here):
    with mock.patch.dict(os.environ, PALLOR_RUNNER="thread"):
        runners.task_runner()


@case("`PALLOR_WORKERS=0`")
def _(here):
    with mock.patch.dict(os.environ, PALLOR_WORKERS="0"):
        runners.workers()


@case("a runner that is not installed")
def _(here):
    with (
        mock.patch.dict(os.environ, PALLOR_RUNNER="dask"),
        mock.patch.dict(sys.modules, prefect_dask=None),
    ):
        runners.task_runner()


@case("a photograph of 9,100 x 9,100 px in 12 kB")
def _(here):
    from PIL import Image

    Image.new("1", (9100, 9100)).save(here / "a.png")
    portraits.load_photograph(here, "a.png")


@case("a video of 9,000 x 9,000 px")
def _(here):
    video.read_clip(film(here / "a.mkv", "color=black:s=9000x9000:r=1:d=1", "png"))


@case("a video of two minutes")
def _(here):
    footage.read_footage(film(here / "a.mp4", "color=black:s=32x32:r=2:d=120", "libx264"), 8)


@case("a video of 2,000 frames a second")
def _(here):
    footage.read_footage(film(here / "a.mp4", "color=black:s=32x32:r=2000:d=0.1", "libx264"), 8)


@case("a shard that was altered on the way")
def _(here):
    shards.merge(Store(here, "render"), write(here / "render-all-0123456789abcdef.tar", b"x" * 64))


@case("a shard that would write elsewhere")
def _(here):
    path = here / "x.tar"
    with tarfile.open(path, "w") as archive:
        archive.addfile(tarfile.TarInfo("../../.ssh/authorized_keys"), io.BytesIO())
    named = path.rename(here / f"render-all-{file_digest(path)[:16]}.tar")
    shards.merge(Store(here, "render"), named)


@case("machines that do not make the same pixels")
def _(here):
    job = Job("a" * 64, "0/FD1", None)
    for home, content in ((here / "one", b"1"), (here / "two", b"2")):
        with Store(home, "render").making(job.key) as folder:
            (folder / "clip.mp4").write_bytes(content)
    [packed] = shards.pack(Store(here / "one", "render"), [job], here, total=1)
    shards.merge(Store(here / "two", "render"), packed)


@case("a second run in one workspace")
def _(here):
    locks = here / "locks"
    with mock.patch.object(workspace, "LOCKS", locks), workspace.only_run("pallor run"):
        workspace.only_run("pallor run").__enter__()


def sentence(function, here):
    """The sentence with this machine's folder, process and host left out."""
    os.chdir(here)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - the type is checked below
        function(here)
    names = {type_.__name__ for type_ in type(caught.value).__mro__}
    assert names & {"PallorError", "CheckpointError"}, repr(caught.value)
    text = str(caught.value).replace(f"{here}/", "").replace(str(here), "FOLDER")
    text = re.sub(r"process \d+ on \S+, since [^)]+\)", "process N on HOST, since TIME)", text)
    return re.sub(r"[0-9a-f]{64}", "KEY", text)


def table():
    """The whole table, as Markdown."""
    lines, home = [], Path.cwd()
    for name, function in CASES.items():
        with tempfile.TemporaryDirectory() as scratch:
            said = sentence(function, Path(scratch).resolve())
        os.chdir(home)
        lines.append(f"| {name} | {said} |\n")
    return HEAD + "".join(lines)


def test_the_table_says_what_the_code_says():
    assert table() in PAGE.read_text()


def test_every_sentence_is_one_line_that_names_what_is_wrong():
    rows = PAGE.read_text().split(HEAD)[1].split("\n\n")[0].splitlines()
    assert len(rows) >= 30
    assert all(30 < len(row) < 320 for row in rows)


if __name__ == "__main__":
    text = PAGE.read_text()
    before, _, rest = text.partition(HEAD)
    after = rest[rest.find("\n\n") + 1 :] if "\n\n" in rest else ""
    PAGE.write_text(before + table() + after)
