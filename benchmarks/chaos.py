"""kill -9 at random moments, then the hashes: `python benchmarks/chaos.py --kills 50 --seed 7`.

Three toy stages go through the line's own parent flow, chunks, work store, guards and DVC, with a
Prefect server of its own a run. Each run loses one process, drawn with the seed from all it
started: flow, server, guard, DVC, shell, stage. A run that comes through all the same is checked
against an undisturbed `dvc repro` of another workspace, and its seed changed so that there is work
again. Ends with one JSON line.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
RUN = [
    sys.executable, "-c",
    "from flows.corpus import bring_up; from flows.stage import say_errors; "
    "raise SystemExit(say_errors(bring_up))",
]  # fmt: skip
ITEMS = 12
STAGES = """
stages:
  plan: {cmd: python toy.py plan, params: [seed], outs: [plan.json]}
  grow: {cmd: python toy.py grow, deps: [toy.py, plan.json], outs: [grown]}
  count: {cmd: python toy.py count, deps: [toy.py, grown], outs: [counted.txt]}
"""
TOY = f"""
import json, sys, time
from pathlib import Path
from prefect import flow
from flows.chunks import make_all, task_runner
from flows.stage import run_heavy_stage, run_stage
from pipeline.files import digest, tree_digest, write_json, writing_folder
from pipeline.params import load_params
from pipeline.store.store import Job

def plan():
    seed = load_params().seed
    write_json(Path("plan.json"), [f"{{seed}}-{{number}}" for number in range({ITEMS})])

def work(jobs, store):
    for job in jobs:
        with store.making(job.key) as folder:
            (folder / "half").write_text(job.item * 5000)
            time.sleep(0.15)
            (folder / "text").write_text(job.item * 5000)
        store.log("made", name=job.name)

@flow(name="grow")
def grow():
    jobs = [Job(digest(name), name, name) for name in json.loads(Path("plan.json").read_text())]
    store = make_all("grow", jobs, work, 3)
    with writing_folder(Path("grown")) as part:
        for job in jobs:
            (part / job.name).write_text((store.path(job.key) / "text").read_text())

def count():
    Path("counted.txt").write_text(tree_digest(Path("grown")))

if __name__ == "__main__":
    name = sys.argv[1]
    if name == "grow":
        run_heavy_stage("grow", grow.with_options(task_runner=task_runner()))
    run_stage(name, {{"plan": plan, "count": count}}[name])
"""


def main() -> None:
    """Kill, go on, compare; SystemExit when a hash differs or an item was lost or made twice."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=7)
    options.add_argument("--home", type=Path, default=ROOT / ".pallor", help="for its assets")
    given = options.parse_args()
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pallor-chaos-") as scratch:
        victim, calm = workspace(Path(scratch, "killed"), given.home), Path(scratch, "calm")
        workspace(calm, given.home)
        begun = time.monotonic()
        finish(calm)  # how long a run takes here, so that kills reach all of it
        longest = time.monotonic() - begun
        struck, survived = disturb(victim, given.kills, longest, random.Random(given.seed))
        finish(victim)
        survived.append(state(victim))
        wrong = [seed for seed, lock in survived if lock != undisturbed(calm, seed)]
        made = Counter(name for name in log(victim) if name)
        left = alive(Path(scratch))
        lost = [n for seed, _ in survived for n in names(seed) if not stored(victim, n)]
    result = {
        "kills": sum(struck.values()), "struck": dict(sorted(struck.items())),
        "runs_checked": len(survived), "hashes_differ": len(wrong), "lost": len(lost),
        "made_twice": sum(count > 1 for count in made.values()),
        "left_running": left, "seconds": round(time.monotonic() - start),
    }  # fmt: skip
    print(json.dumps(result))
    sys.exit(bool(wrong or lost or left or result["made_twice"]))


def workspace(place: Path, home: Path) -> Path:
    """A DVC workspace of the toy stages; its assets are the checkout's."""
    (place / ".pallor").mkdir(parents=True)
    (place / ".pallor" / "assets").symlink_to((home / "assets").resolve())
    (place / "dvc.yaml").write_text(STAGES)
    (place / "toy.py").write_text(TOY)
    (place / ".dvcignore").write_text(".pallor/\n__pycache__/\n")
    (place / "params.yaml").write_text("seed: 1\n")
    call([sys.executable, "-m", "dvc", "init", "-q", "--no-scm"], place)
    return place


def disturb(
    place: Path, kills: int, longest: float, rng: random.Random
) -> tuple[Counter[str], list[tuple[int, str]]]:
    """What was killed how often, and (seed, dvc.lock) of the runs that came through."""
    struck: Counter[str] = Counter()
    survived = []
    while sum(struck.values()) < kills:
        process = subprocess.Popen(
            RUN, cwd=place, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        victim = strike(process, rng.uniform(0.3, longest), rng)
        code = process.wait()
        struck.update([victim] if victim else [])
        print(
            f"{sum(struck.values()):3} killed {victim or 'nothing'}, exit code {code}", flush=True
        )
        if code == 0:
            survived.append(state(place))
            (place / "params.yaml").write_text(f"seed: {survived[-1][0] + 1}\n")
    return struck, survived


def strike(process: subprocess.Popen[bytes], after: float, rng: random.Random) -> str:
    """Kill one process of the family after so many seconds; what it was, "" if none was left."""
    time.sleep(after)
    try:
        family = [psutil.Process(process.pid)]
        family += family[0].children(recursive=True)
        chosen = rng.choice(sorted(family, key=lambda member: member.create_time()))
        role = role_of(chosen.cmdline())
        chosen.send_signal(signal.SIGKILL)
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return ""
    return role


def role_of(command: list[str]) -> str:
    """What a process of the family is."""
    text = " ".join(command)
    for mark, role in (
        ("flows.guard", "guard"), ("bring_up", "flow"), ("server", "server"), ("dvc", "dvc"),
        ("toy.py", "stage"),
    ):  # fmt: skip
        if mark in text:
            return "shell" if "/sh" in command[:1] else role
    return "other"


def alive(scratch: Path) -> list[str]:
    """The commands that still run below a folder a second after the last run."""
    time.sleep(1)
    found = []
    for process in psutil.process_iter():
        try:
            if Path(process.cwd()).is_relative_to(scratch):
                found.append(" ".join(process.cmdline()))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def finish(place: Path) -> None:
    """Let it go on undisturbed."""
    call(RUN, place)


def state(place: Path) -> tuple[int, str]:
    """The seed and the lock of a finished run."""
    seed = int((place / "params.yaml").read_text().split()[1])
    return seed, (place / "dvc.lock").read_text()


def undisturbed(place: Path, seed: int) -> str:
    """The lock of plain `dvc repro` in another workspace."""
    (place / "params.yaml").write_text(f"seed: {seed}\n")
    call([sys.executable, "-m", "dvc", "repro", "-q"], place)
    return (place / "dvc.lock").read_text()


def names(seed: int) -> list[str]:
    """The items of a seed."""
    return [f"{seed}-{number}" for number in range(ITEMS)]


def stored(place: Path, name: str) -> bool:
    """Is the item whole in the work store?"""
    from pipeline.files import digest
    from pipeline.store.store import Store

    text = Store(place / ".pallor", "grow").path(digest(name)) / "text"
    return text.is_file() and text.read_text() == name * 5000


def log(place: Path) -> list[str]:
    """The names of the items made, in order."""
    from pipeline.store.store import Store

    rows = Store(place / ".pallor", "grow").read_log()
    return [row["name"] for row in rows if row["event"] == "made"]


def call(command: list[str], place: Path) -> None:
    """Run a command in a workspace; CalledProcessError when it fails."""
    subprocess.run(command, cwd=place, env=environment(), check=True, stdout=subprocess.DEVNULL)


def environment() -> dict[str, str]:
    """A workspace's own home, this checkout's code, no server but the run's own.

    Bare `dvc repro` of the calm workspace would leave a process that reports its use.
    """
    bare = {k: v for k, v in os.environ.items() if k not in ("PREFECT_API_URL", "PREFECT_HOME")}
    path = os.pathsep.join([str(Path(sys.executable).parent), bare["PATH"]])
    return {
        **bare,
        "PALLOR_HOME": ".pallor",
        "PYTHONPATH": str(ROOT),
        "PATH": path,
        "CI": "1",
        "DVC_NO_ANALYTICS": "1",
    }


if __name__ == "__main__":
    main()
