"""The door `import pallor`: its names, its tables, and the wheel outside any clone."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import imageio.v3 as iio
import numpy as np
import pytest
import torch
from skimage import data

import pallor
from models import Classifier, build
from pipeline.media.video import write_clip

ROOT = Path(__file__).parents[1]
TURN = ROOT / "tests" / "data" / "faces" / "turn.mp4"
NAMES = ["PallorError", "Rendered", "clips", "corpus", "load_model", "plan", "predict", "render",
         "studies", "transfer"]  # fmt: skip


SHIPPED = (*(f"{name}/" for name in pallor.OURS), "checkpoints/", "studies/", "portraits/",
           "pallor.py", "params.yaml", "pyproject.toml", "README.md")  # fmt: skip


def tracked():
    """The files that git knows or would add, by their paths in the clone."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout.splitlines()


@pytest.fixture
def model(tmp_path):
    """A small classifier; its answers are its own."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build(
            "convlstm", classes=2, channels=1, size=64, frames=8,
            parameters={"hidden": 4, "stem": 4},
        )  # fmt: skip
    path = tmp_path / "small.safetensors"
    Classifier("convlstm", network, ("calm", "pain"), 8).save(path)
    return path


@pytest.fixture
def handover(tmp_path):
    """A dataset folder as `pallor export croissant` writes it, of two clips."""
    folder, rows = tmp_path / "handover", []
    for number, name in enumerate(("clip-a", "clip-b")):
        frames = np.full((3, 16, 16, 3), 40 * number, np.uint8)
        for kind in ("clips", "faces"):
            (folder / kind).mkdir(parents=True, exist_ok=True)
            write_clip(folder / kind / f"{name}.mp4", frames, 8)
        rows.append({"clip_id": name, "label": "FD1", "video": f"clips/{name}.mp4",
                     "face": f"faces/{name}.mp4", "truth": None})  # fmt: skip
    (folder / "clips.jsonl").write_text("\n".join(json.dumps(row) for row in rows) + "\n")
    return folder


def test_the_names_are_these_and_all_are_there():
    assert pallor.__all__ == NAMES
    assert all(getattr(pallor, name).__doc__ for name in NAMES)


def test_import_alone_loads_nothing_of_weight():
    code = (
        "import pallor, sys; print([m for m in ('torch','numpy','bpy','cv2') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(AttributeError, match=r"no 'train'; it has PallorError, .*transfer"):
        _ = pallor.train


def test_a_plan_is_a_table_without_one_pixel():
    table = pallor.plan("deterioration", ROOT)
    assert list(table.kind.unique()) == ["clip", "portrait", "transfer"]
    assert (table.kind == "clip").sum() == 125


def test_an_unknown_study_is_one_sentence():
    with pytest.raises(pallor.PallorError, match=r"no study 'mod'; .*mood"):
        pallor.plan("mod", ROOT)


def test_a_handed_over_corpus_is_a_table_with_whole_paths(handover):
    table = pallor.corpus(handover)
    assert list(table.clip_id) == ["clip-a", "clip-b"]
    assert table.face.map(lambda path: Path(path).is_absolute() and Path(path).is_file()).all()


def test_clips_come_one_by_one_with_their_pixels(handover):
    seen = {row["clip_id"]: frames for row, frames in pallor.clips(handover, what="video")}
    assert seen["clip-b"].shape == (3, 16, 16, 3)
    assert (seen["clip-b"] == 40).all()


@pytest.mark.parametrize("what", ["faces", ""])
def test_what_a_corpus_does_not_hold_is_refused(handover, what):
    with pytest.raises(pallor.PallorError, match="a corpus has 'face' and 'video'"):
        next(pallor.clips(handover, what=what))


def test_a_folder_that_is_no_corpus_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(pallor.PallorError, match=r"neither clips.jsonl nor a finished study"):
        pallor.corpus(tmp_path)


def test_a_model_is_loaded_and_asked(model):
    assert pallor.load_model(model).labels == ("calm", "pain")
    answer = pallor.predict(TURN, model)
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.windows == 9


def test_no_model_is_one_sentence(tmp_path):
    with pytest.raises(pallor.PallorError, match="there is no model file"):
        pallor.load_model(tmp_path / "none.safetensors")


def test_a_person_is_rendered_with_truth(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("PALLOR_HOME", str(tmp_path))
    (tmp_path / "assets").symlink_to(assets.root)
    made = pallor.render(0, "smiling", size=32, frames=4, fps=2)
    assert made.frames.shape == (4, 32, 32, 3)
    assert made.fps == 2
    assert len(made.truth["head_deg"]) == 4
    with pytest.raises(pallor.PallorError, match=r"unknown parameter 'plan.sizes'; .*'size'"):
        pallor.render(0, "smiling", sizes=32)


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """An environment with the wheel of this tree, and the Python of it; no clone is near."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in tracked():
        if name.startswith(SHIPPED):
            (folder / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / "tree" / name)
    pip = [sys.executable, "-m", "pip"]
    quiet = ["--quiet", "--no-deps", "--disable-pip-version-check"]
    wheel = [*pip, "wheel", *quiet, "--no-build-isolation", "-w", str(folder), str(folder / "tree")]
    subprocess.run(wheel, check=True, capture_output=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    [site] = (folder / "env" / "lib").glob("*/site-packages")
    [found] = folder.glob("*.whl")
    subprocess.run([*pip, "--python", str(python), "install", *quiet, str(found)], check=True)
    # What the wheel asks for is in this environment already; its own packages come first.
    (site / "libraries.pth").write_text("".join(f"{p}\n" for p in sys.path if "site-pack" in p))
    shutil.rmtree(folder / "tree")
    return python, found


def asked(python, folder, code):
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    run = subprocess.run(
        [python, "-c", code], cwd=folder, capture_output=True, text=True, env=env, check=False
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_the_wheel_predicts_transfers_and_reads_a_corpus(outside, model, handover, tmp_path):
    python, _ = outside
    iio.imwrite(tmp_path / "face.png", data.astronaut())
    out = asked(
        python,
        tmp_path,
        f"""
import pallor, pipeline
assert "site-packages" in pipeline.__file__, pipeline.__file__
print(len(pallor.corpus("handover")), len(pallor.studies()))
print(pallor.predict({str(TURN)!r}, {str(model)!r}).detector)
print(pallor.transfer("face.png", {str(TURN)!r}).frames.shape)
""",
    )
    counts, detector, shape = out.splitlines()
    assert counts == "2 8"
    assert detector in ("own", "face-alignment")
    assert shape == "(16, 128, 128, 3)"


def test_the_wheel_holds_all_data_that_the_code_reads(outside):
    _, wheel = outside
    held = set(zipfile.ZipFile(wheel).namelist())
    ours = tuple(f"{folder}/" for folder in pallor.OURS)
    kept = {name for name in tracked() if name.startswith(ours)}
    assert kept - held == set()
    studies = {name for name in held if name.endswith("study.yaml")}
    assert {Path(name).parent.name for name in studies} == set(pallor.studies())
