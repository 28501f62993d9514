"""An explanation as text for a terminal, and as one HTML page with a graph."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from pipeline.lineage.graph import draw

TITLES = {
    "is": "what it is", "made_from": "made from", "leads_to": "leads to", "files": "files",
    "sides": "sides of the splits", "coverage": "coverage and error", "stages": "stages",
}  # fmt: skip
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; color: #1b1f24 }
h1 { font-size: 1.4rem } h2 { font-size: 1.05rem; margin-top: 2rem }
pre { white-space: pre-wrap; font: 13px/1.45 ui-monospace, monospace } svg { max-width: 100% }
"""


def text(answer: Mapping[str, Any]) -> str:
    """The explanation in sections, one fact a line."""
    lines = [f"{answer['id']}: {answer['kind']}"]
    for key, title in TITLES.items():
        if answer.get(key):
            lines += ["", title, *_section(key, answer[key])]
    return "\n".join(lines)


def html(answer: Mapping[str, Any]) -> str:
    """One self-contained page: the graph as SVG, then the sections."""
    title = escape(f"{answer['id']}: {answer['kind']}")
    parts = [f"<h2>{title_}</h2><pre>{escape(chr(10).join(_section(key, answer[key])))}</pre>"
             for key, title_ in TITLES.items() if answer.get(key)]  # fmt: skip
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style><h1>{title}</h1>{draw(answer)}{''.join(parts)}</html>\n"
    )


def _section(key: str, value: Any) -> list[str]:
    if key == "stages":
        return [line for stage in value for line in _stage(stage)]
    if isinstance(value, Mapping):
        return [f"  {name}: {_short(entry)}" for name, entry in value.items() if _said(entry)]
    return [f"  {_short(entry)}" for entry in value]


def _stage(stage: Mapping[str, Any]) -> list[str]:
    inputs = [f"    {path} {md5}" for path, md5 in stage["inputs"].items()]
    return [
        f"  {stage['stage']}: {stage['command']}",
        f"    rebuildable: {stage['rebuildable']}",
        f"    params: {_short(stage['params'])}",
        f"    {_run(stage['run'])}",
        *inputs,
        f"    {_code(stage)}",
    ]


def _code(stage: Mapping[str, Any]) -> str:
    found = stage["closure"]
    if found is None:
        return f"code: {stage['code'] or 'none named'}; no version here lists its files"
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return (
        f"code: {found['digest']}, {found['module']} with the {len(found['files'])} files that it "
        f"imports (--json lists them); {packages or 'no package'}"
    )


def _run(run: Mapping[str, Any] | None) -> str:
    if run is None:
        return "run: no record here; its bytes came from a cache, a remote or a clone"
    revision = run.get("revision") or "outside git"
    commit, dirty = revision.removesuffix("-dirty"), revision.endswith("-dirty")
    packages = ", ".join(f"{name} {found}" for name, found in run.get("packages", {}).items())
    return (
        f"run: {run['started']} by {run['user']} on {run['host']} in {run['seconds']} s, "
        f"commit {commit[:10]}{' with uncommitted changes' if dirty else ', clean'}; {packages}"
    )


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_short(v)}" for name, v in value.items() if _said(v))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_short(entry) for entry in value) or "none"
    return str(value)


def _said(value: Any) -> bool:
    return value is not None and value != [] and value != {}
