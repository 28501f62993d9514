import json
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from flows.stage import make, make_items, read_inputs, run_stage, say_errors
from pipeline.errors import ClipError, StageError
from pipeline.files import digest, write_jsonl, writing_folder
from pipeline.stage import STAGES, Output, Stage
from pipeline.store.store import Job
from pipeline.workspace import MAIN, Workspace

ROOT = Path(__file__).parents[2]


def raises(error):
    def body():
        raise error

    return body


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (lambda: None, 0, ""),
        (raises(StageError("the plan is missing")), 2, "pallor: the plan is missing\n"),
        (raises(KeyboardInterrupt()), 130, "pallor: stopped; finished work is kept"),
        (raises(ZeroDivisionError("a bug")), 1, "Traceback"),
    ],
)
def test_what_is_said_and_the_exit_code(body, code, said, capsys):
    assert say_errors(body) == code
    assert capsys.readouterr().err.startswith(said)


def test_a_stage_keeps_a_run_record(workspace):
    with pytest.raises(SystemExit, match="0"):
        run_stage("split", lambda: None)
    [record] = (workspace / ".pallor/runs").glob("*-split-*.json")
    assert json.loads(record.read_text())["outcome"] == "completed"


def test_a_stage_that_fails_keeps_its_reason(workspace, capsys):
    with pytest.raises(SystemExit, match="2"):
        run_stage("split", raises(StageError("no clip was kept")))
    [record] = (workspace / ".pallor/runs").glob("*-split-*.json")
    assert "no clip was kept" in json.loads(record.read_text())["error"]


def test_importing_the_flows_silences_telemetry():
    names = ("DO_NOT_TRACK", "DVC_NO_ANALYTICS", "PREFECT_SERVER_ANALYTICS_ENABLED")
    bare = {key: value for key, value in os.environ.items() if key not in names}
    script = f"import os, flows; print([os.environ[n] for n in {names}])"
    run = subprocess.run([sys.executable, "-c", script], env=bare, capture_output=True, text=True)
    assert run.stdout.strip() == "['1', '1', 'false']"


def test_a_reader_that_has_seen_enough_is_no_bug():
    program = "from flows.stage import say_errors; raise SystemExit(say_errors(lambda: print('x')))"
    reader, writer = os.pipe()
    os.close(reader)
    run = subprocess.run(
        [sys.executable, "-c", program], stdout=writer, stderr=subprocess.PIPE, check=False
    )
    os.close(writer)
    assert (run.returncode, run.stderr) == (141, b"")


@pytest.fixture
def main_study(workspace):
    """The workspace with the main study and the parameters."""
    shutil.copy(ROOT / "params.yaml", workspace)
    for name in (f"studies/{MAIN}", "portraits"):
        shutil.copytree(ROOT / name, workspace / name)
    return workspace


def jobs(workspace, study, params):
    assert workspace.study == study.name
    return [Job(digest(n), f"{params.seed}-{n}", n) for n in range(11)]


def work(jobs, store):
    for job in jobs:
        if job.item == 3:
            raise ClipError("a Blender worker crashed with SIGSEGV")
        with store.making(job.key) as folder:
            (folder / "text").write_text(job.name)


def assemble(jobs, store, workspace):
    made, failed = store.sorted_out(jobs)
    with writing_folder(workspace.clips) as part:
        write_jsonl(part / "failed.jsonl", [{"reason": reason} for _, reason in failed])
        for job in made:
            (part / job.name).write_bytes((store.path(job.key) / "text").read_bytes())


def test_a_heavy_stage_makes_its_items_in_the_studys_folder(main_study, server, monkeypatch):
    module = types.ModuleType("toy_stage")
    module.jobs, module.work, module.assemble = jobs, work, assemble
    monkeypatch.setitem(sys.modules, "toy_stage", module)
    monkeypatch.setenv("PREFECT_API_URL", server)
    toy = Stage(
        "toy", "toy_stage", outputs=(Output("clips"),), rebuildable="", chunk=2, items="clips",
        may_give_up=True,
    )  # fmt: skip
    make_items(toy, Workspace())
    made = main_study / "data" / MAIN / "clips"
    assert len(list(made.glob("7-*"))) == 10
    assert "SIGSEGV" in (made / "failed.jsonl").read_text()


def test_a_light_stage_is_given_its_study(main_study):
    make(STAGES["settings"], Workspace())
    told = json.loads((main_study / "data" / MAIN / "settings.json").read_text())
    assert told["study"]["input"]["reference"] == "none"  # a default that the file leaves out
    assert told["params"]["seed"] == 7


def test_what_is_made_for_the_whole_line_takes_no_studys_parameters(main_study):
    with (main_study / "studies" / MAIN / "study.yaml").open("a") as stream:
        stream.write("\nparams: {plan: {size: 64}}\n")
    sizes = {
        name: read_inputs(STAGES[name], Workspace())[1].plan.size for name in ("plan", "motion")
    }
    assert sizes == {"plan": 64, "motion": 128}


def test_the_runner_names_stage_and_study_in_its_record(main_study):
    command = [sys.executable, "-m", "flows.stage", "settings", "--study", MAIN]
    subprocess.run(command, check=True)
    [path] = (main_study / ".pallor/runs").glob(f"*-settings@{MAIN}-*.json")
    assert json.loads(path.read_text())["name"] == f"settings@{MAIN}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plan", "--study", "deteriorate"], "the nearest is 'deterioration'"),
        (["rendr"], "invalid choice"),
    ],
)
def test_a_wrong_stage_or_study_is_told(main_study, arguments, said):
    command = [sys.executable, "-m", "flows.stage", *arguments]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert said in run.stderr
