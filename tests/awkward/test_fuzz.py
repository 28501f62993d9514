"""200 bad inputs, each made from a good one by chance: one sentence or an answer, no traceback."""

import contextlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

import fomm
import models
from flows.cli import main
from flows.stage import say_errors
from pipeline.corpus import render
from pipeline.corpus.planned import read_plan
from pipeline.corpus.register import read_register
from pipeline.faces import framing
from pipeline.lineage.lock import read_lock
from pipeline.media import footage, video
from pipeline.media import pictures as pictures_door
from pipeline.params import load_params
from pipeline.study import read_study
from pipeline.workspace import Workspace

ROOT = Path(__file__).parents[2]
WHERE = Workspace()
SMALL = {"plan": {"size": 64}, "faces": {"detector": "haar"}}
STUDY = yaml.safe_load((ROOT / WHERE.study_file).read_text()) | {
    "cohorts": {"cast": 3}, "portraits": 2,
}  # fmt: skip
WORDS = (
    b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\n", b"\t", b";", b",", b'"', b"{", b"[1, 2]", b": ",
    b"-1", b"1e999", b".nan", b"null", b"~", b"!!python/object:os.system", b"*a", b"&a",
    b"\xc3\x28", b"../../x", b"9" * 400,
)  # fmt: skip


def damaged(content, chance):
    """The bytes cut, flipped, doubled, mixed with WORDS, or others altogether."""
    kind = chance.randrange(7)
    if not content or kind == 0:
        return chance.randbytes(chance.randrange(200))
    place = chance.randrange(len(content))
    if kind == 1:
        return content[:place]
    if kind == 2:
        return content[place:]
    if kind == 3:
        return content[:place] + content[: chance.randrange(len(content))]
    made = bytearray(content)
    for _ in range(chance.choice([1, 3, 20])):
        place = chance.randrange(len(made) + 1)
        if kind == 4:
            made[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 5:
            made[place : place + chance.randrange(30)] = b""
        else:
            made[place:place] = chance.choice(WORDS)
    return bytes(made)


def other(value, chance):
    """A JSON or YAML value with one of its parts replaced, removed or renamed."""
    odd = [None, -1, 0, 1e308, "", "x", [], {}, [None], {"x": 1}, True, "9" * 50, float("inf")]
    if isinstance(value, dict) and value and chance.random() < 0.9:
        name = chance.choice(list(value))
        rest = {key: part for key, part in value.items() if key != name}
        kind = chance.randrange(8)
        if kind == 0:
            return rest
        return rest | {f"{name}x" if kind == 1 else name: other(value[name], chance)}
    if isinstance(value, list) and value and chance.random() < 0.7:
        place = chance.randrange(len(value))
        return [*value[:place], other(value[place], chance), *value[place + 1 :]]
    return chance.choice(odd)


def outcome(command):
    """Exit code, and the lines on stderr, of a command line or of a function."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(io.StringIO()):
        try:
            code = say_errors(command) if callable(command) else main(command)
        except SystemExit as stopped:
            code = stopped.code
    return code, said.getvalue().splitlines()


def wrong(command):
    """What is wrong with how a command ended: none, or the lines it said."""
    code, said = outcome(command)
    fine = code == 0 or (code == 2 and len(said) == 1 and said[0].startswith("pallor: "))
    return None if fine else said[-4:]


def check(command, what):
    said = wrong(command)
    assert said is None, (what, said)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A small clone with tables, as far as the commands read them; the current folder."""
    root = tmp_path_factory.mktemp("fuzz")
    before = Path.cwd()
    for name in ("portraits", "metrics", "data", "studies"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("*.mp4", "*.npz"))
    for name in ("dvc.lock", "dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    (root / "params.yaml").write_text(yaml.safe_dump(SMALL))
    (root / WHERE.study_file).write_text(yaml.safe_dump(STUDY))
    os.chdir(root)
    dvc = [sys.executable, "-m", "dvc", "init", "-q", "--no-scm"]
    subprocess.run(dvc, check=True)
    yield root
    os.chdir(before)


def pictures():
    face = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), np.uint8))
    for kind in ("PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"):
        stream = io.BytesIO()
        face.save(stream, kind)
        yield f"a.{kind.lower()}", stream.getvalue()


def film(folder):
    path = folder / "good.mp4"
    video.write_clip(path, np.zeros((4, 32, 32, 3), np.uint8), 8)
    return path.read_bytes()


def each(good, count, seed):
    """`count` damaged contents of the good ones in turn: (number, name, content)."""
    good = list(good)
    for number in range(count):
        name, content = good[number % len(good)]
        yield number, name, damaged(content, random.Random(f"{seed}{number}"))


def test_pictures(place):
    for number, name, content in each(pictures(), 40, "picture"):
        (place / name).write_bytes(content)
        check(
            lambda name=name: framing.frame_face(pictures_door.read_picture(place / name), 64),
            number,
        )


def test_films(place):
    for number, name, content in each([("a.mp4", film(place))], 12, "film"):
        (place / name).write_bytes(content)
        check(lambda name=name: footage.read_footage(place / name, 8), number)
        check(lambda name=name: video.read_clip(place / name), number)


def test_truth_files(place):
    np.savez(place / "good.npz", executed=np.zeros((2, 3, 2)), head_deg=np.zeros((2, 3)))
    for number, name, content in each([("a.npz", (place / "good.npz").read_bytes())], 12, "truth"):
        (place / name).write_bytes(content)
        check(lambda name=name: render.read_truth(place / name), number)


def test_registers(place):
    good = place / "portraits" / "register.csv"
    for number, _, content in each([("", good.read_bytes())], 35, "register"):
        path = place / "register.csv"
        path.write_bytes(content)
        check(lambda path=path: read_register(path), number)


def test_params(place):
    path = place / "params.yaml"
    good = load_params(ROOT / "params.yaml").model_dump()
    text = (ROOT / "params.yaml").read_bytes()
    for number in range(40):
        chance = random.Random(f"params{number}")
        bad = other(good, chance)
        made = damaged(text, chance) if number % 2 else yaml.safe_dump(bad).encode()
        path.write_bytes(made)
        check(lambda: load_params(path), number)
    path.write_text(yaml.safe_dump(SMALL))


def test_study_files(place):
    path = place / WHERE.study_file
    text = (ROOT / WHERE.study_file).read_bytes()
    for number in range(40):
        chance = random.Random(f"study{number}")
        bad = other(yaml.safe_load(text), chance)
        made = damaged(text, chance) if number % 2 else yaml.safe_dump(bad).encode()
        path.write_bytes(made)
        check(lambda: read_study(path), number)
        if number < 10:
            check(["plan", "-o", "p.jsonl"], number)
    path.write_text(yaml.safe_dump(STUDY))


SETTINGS = (
    "plan", "=", "plan=", "plan=1", "plan.=1", ".plan=1", "plan.frames.x=1", "plan.frames=",
    "seed=~", "plan.frames=1e999", "plan.frames=.nan", "plan.reseed.x=1",
    "plan.fps=0", "plan.reseed.99999999999999999999=1", "study.cohorts.cast=0", "study=1",
    "study.arms=[]", "study.input.size=x", "study.models.convlstm.parameters.dropout=1",
    "seed=!!python/object:os.system", "a=*x", "seed=99999999999999999999999999999999",
    "plan.exclude=[x]", "portraits.source=/nowhere",
)  # fmt: skip


@pytest.mark.parametrize("setting", SETTINGS)
def test_settings(place, setting):
    check(["plan", "--set", setting], setting)


def test_locks(place):
    path = place / "dvc.lock"
    whole = yaml.safe_load((ROOT / "dvc.lock").read_text())
    some = sorted(whole["stages"])[:2]
    few = {name: whole["stages"][name] for name in some}
    good = yaml.safe_dump(whole | {"stages": few}).encode()
    for number in range(20):
        chance = random.Random(f"lock{number}")
        bad = other(yaml.safe_load(good), chance)
        path.write_bytes(damaged(good, chance) if number % 2 else yaml.safe_dump(bad).encode())
        check(lambda: read_lock(path), number)
        if number < 6:
            check(["verify"], number)
    path.write_bytes(good)


def test_plan_tables(place):
    path = place / WHERE.plan
    rows = (ROOT / WHERE.plan).read_text().splitlines()
    for number in range(20):
        chance = random.Random(f"plan{number}")
        row = json.dumps(other(json.loads(chance.choice(rows)), chance)).encode()
        path.write_bytes(damaged(row, chance) if number % 2 else row)
        check(lambda: read_plan(path), number)
        check(["explain", "photo/astronaut"], number)
    path.write_text("\n".join(rows) + "\n")


def test_metrics(place):
    for number in range(15):
        chance = random.Random(f"metrics{number}")
        name = chance.choice(["counts.json", "evaluation.json", "split_proof.json"])
        good = (ROOT / WHERE.metrics / name).read_bytes()
        bad = json.dumps(other(json.loads(good), chance)).encode()
        (place / WHERE.metrics / name).write_bytes(bad if number % 2 else damaged(good, chance))
        check(["report"], number)
        (place / WHERE.metrics / name).write_bytes(good)


def test_checkpoints(place):
    good = (ROOT / "checkpoints" / "motion" / "blend-128.safetensors").read_bytes()[:4000]
    torch_file = (ROOT / "checkpoints" / "facenets" / "blazeface.pth").read_bytes()[:4000]
    for number, name, content in each([("a.safetensors", good), ("a.pth", torch_file)], 12, "net"):
        (place / name).write_bytes(content)
        check(lambda name=name: fomm.load_checkpoint(place / name, config="auto"), number)
        check(lambda name=name: models.load(place / name), number)


COMMANDS = (
    "verify", "report", "baselines", "folds", "folds --folds 1", "onnx -o x.onnx",
    "find --side x", "find --side clean:x", "find --portrait x", "explain x", "explain clip-0",
    "explain model:x", "explain metric:", "diff x", "diff HEAD", "release 1.0.0", "forget x",
    "merge x", "merge a.png", "shard --part 0/1 -o x", "shard --part 1/0 -o x",
    "sheet units -o a.png/x.png", "overlay x -o y.mp4", "overlay a.png -o y.mp4",
    "overlay a.mp4 -o y.mp4", "sheet people --size 0 -o x.png",
    "sheet people --identities 0 -o x.png", "sheet people --size -5 -o x.png", "predict a.png",
    "predict a.mp4", "predict x", "predict camera:99", "predict camera:x",
    "transfer a.png a.mp4 -o y.mp4", "transfer x y -o z.mp4",
    "transfer a.png a.mp4 -o y.mp4 --checkpoint params.yaml",
    "render --identity -1 --expression FD1 -o x.mp4",
    "render --identity 0 --expression x -o x.mp4",
    "render --identity 0 --expression FD1 -o x.mp4 --size 0", "export croissant -o a.png",
    "render --identity 0 --expression FD1 -o x.mp4 --size 9999999", "export bids -o x",
    "export c2pa -o x --key a.png", "export c2pa -o x --key a.png --certificate a.png",
    "plan -o portraits", "plan -o params.yaml/x", "score x --labels y.csv",
    "score . --labels a.png", "benchmark x", "benchmark a.png", "gate", "history",
    "history --add x", "labels x -o y", "labels depth -o a.png/x", "labels depth -o y --unit 12",
    "gc", "gc --days -1", "sql x", "sql DROP", "find --age x", "find --unit 12", "find --sex x",
    "completion x", "predict . --step 0", "predict a.mp4 -o x.txt", "diff HEAD --html a.png/x",
    "view --port 99999", "web --port -1", "export coco -o a.png", "run --preset x",
    "predict a.mp4 --explain x",
)  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(place, command):
    (place / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    (place / "a.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42 and no more")
    check(command.split(), command)
