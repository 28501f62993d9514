"""`python -m flows.dvc_file`: write dvc.yaml from the stage table; tests hold the two equal.

The stage `code` comes first. What is made once a study is a `foreach` over studies/studies.yaml,
which `pallor` writes from the studies there are, so a new study touches no stage.
"""

from pathlib import Path
from typing import Any

import yaml

from flows.studies import STUDIES
from pipeline.closure import FOLDERS, LOCKS
from pipeline.stage import STAGES, Output, Stage, code_file, place
from pipeline.workspace import Workspace

FILE = Path("dvc.yaml")
HEAD = """\
# Written by `python -m flows.dvc_file` from pipeline/stage.py: change the table there.
# DVC decides whether a stage runs, Prefect how. `dvc repro report@deterioration` makes one study.
"""
ANY = Workspace("${key}")  # a study of the foreach


def dvc_text() -> str:
    """The whole file."""
    stages = {"code": _code(), **{name: _entry(stage) for name, stage in STAGES.items()}}
    content = {"vars": [str(STUDIES)], "stages": stages}
    return HEAD + yaml.dump(content, sort_keys=False, width=100, Dumper=_Indented)


def _code() -> dict[str, Any]:
    files = [_output(Output(str(code_file(name)), cached=False)) for name in STAGES]
    return {"cmd": "python -m flows.code", "deps": [*FOLDERS, *LOCKS], "outs": files}


def _entry(stage: Stage) -> dict[str, Any]:
    if stage.scope == "study":
        return {"foreach": "${studies}", "do": _definition(stage, " --study ${key}")}
    return _definition(stage, "")


def _definition(stage: Stage, study: str) -> dict[str, Any]:
    sources = ["${item." + name + "}" for name in stage.sources]
    entry: dict[str, Any] = {
        "frozen": stage.frozen,
        "cmd": f"python -m flows.stage {stage.name}{study}",
        "deps": [*(str(place(name, ANY)) for name in stage.inputs), *sources],
        "params": [{str(code_file(stage.name)): ["digest"]}, *_params(stage)],
    }
    for kind in ("outs", "metrics", "plots"):
        entry[kind] = [_output(output) for output in stage.outputs if output.kind == kind]
    return {name: value for name, value in entry.items() if value}


def _params(stage: Stage) -> list[Any]:
    if stage.scope == "line":
        return list(stage.params)
    keys = [f"params.{name}" for name in stage.params] + [f"study.{name}" for name in stage.study]
    return [{str(ANY.settings): keys}] if keys else []


def _output(output: Output) -> Any:
    path = str(place(output.name, ANY))
    return path if output.cached else {path: {"cache": False}}


class _Indented(yaml.SafeDumper):
    """Lists stand indented below their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


if __name__ == "__main__":
    FILE.write_text(dvc_text())
