"""A tiny line for tests of faults: three real stages of toy work, run by real DVC and Prefect."""

STAGES = """
stages:
  grow: {cmd: python toy.py grow, deps: [toy.py], params: [seed], outs: [data/clips]}
  count: {cmd: python toy.py count, deps: [toy.py, data/clips], outs: [counted.txt]}
"""
TOY = """
import os, sys, time
from pathlib import Path
from flows.stage import run_heavy_stage, run_stage
from pipeline.errors import ClipError
from pipeline.files import digest, write_jsonl, writing_folder
from pipeline.params import load_params
from pipeline.store.store import Job

def work(jobs, store):
    for job in jobs:
        if job.name == os.environ.get("TOY_FAILS"):
            raise ClipError("a Blender worker crashed with SIGSEGV")
        with store.making(job.key) as folder:
            (folder / "text").write_text(job.item * 20_000)
            time.sleep(float(os.environ.get("TOY_SECONDS", "0")))

def grow():
    names = [f"{load_params().seed}-{number:02}" for number in range(10)]
    jobs = [Job(digest(name), name, name) for name in names]
    store = make_all("grow", jobs, work, 2, TOLERATED)
    made, failed = store.sorted_out(jobs)
    with writing_folder(Path("data/clips")) as part:
        for job in made:
            (part / job.name).write_bytes((store.path(job.key) / "text").read_bytes())
        if failed:
            rows = [{"clip_id": job.name, "reason": reason} for job, reason in failed]
            write_jsonl(part / "failed.jsonl", rows)

def count():
    Path("counted.txt").write_text(str(len(list(Path("data/clips").glob("*-*")))))

if __name__ == "__main__":
    if sys.argv[1] == "grow":  # a light stage is spared Prefect, as in flows.stage
        from prefect import flow
        from flows.chunks import TOLERATED, make_all, task_runner
        run_heavy_stage("grow", flow(grow).with_options(task_runner=task_runner()))
    run_stage("count", count)
"""
