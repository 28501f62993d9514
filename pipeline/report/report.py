"""The report stage: one self-contained page, model cards, the contact sheet and the counts."""

import base64
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2

from avatars import expression
from pipeline.corpus.planned import Plan, read_plan
from pipeline.corpus.sheet import corpus_sheet
from pipeline.evaluation.plots import DOSE, KINDS, dosed, plot_name
from pipeline.evaluation.results import Results, claims_beside
from pipeline.files import read_json, read_jsonl, write_json, writing, writing_folder
from pipeline.report.card import BREAKDOWNS, card_name, model_card, training_records
from pipeline.report.outside import read_outside
from pipeline.report.protocols import SHARED, drawn, overlap, proofs
from pipeline.report.published import explain_published
from pipeline.report.record import read_record, single_run
from pipeline.report.summary import CAVEAT
from pipeline.report.templates import fill

if TYPE_CHECKING:
    from pipeline.params import Params
    from pipeline.study import Study
    from pipeline.workspace import Workspace

PAGE = Path(__file__).with_name("page") / "index.html.j2"
AFTER_CROP = {"blurred", "duplicate", "near_duplicate"}  # gates that judge the crop itself


def make(workspace: "Workspace", study: "Study", params: "Params") -> None:
    """Write the page and the model cards, the contact sheet, and counts.json of the metrics."""
    del params
    plan = read_plan(workspace.plan)
    counts = count(workspace, plan)
    write_json(workspace.counts, counts)
    colours = cv2.cvtColor(corpus_sheet(plan, workspace), cv2.COLOR_RGB2BGR)
    picture = cv2.imencode(".png", colours)[1].tobytes()
    with writing(workspace.sheet) as part:
        part.write_bytes(picture)
    results = Results.read(workspace.evaluation)
    with writing_folder(workspace.report) as folder:
        page = _facts(workspace, study, plan, results) | {"counts": counts, "sheet": _uri(picture)}
        (folder / "index.html").write_text(fill(PAGE, page))
        for name in study.models:
            card = model_card(workspace, study, results, counts, name)
            (folder / card_name(name)).write_text(card)


def count(workspace: "Workspace", plan: Plan) -> dict[str, Any]:
    """How many clips are left after each stage, and why the others are not.

    `planned` >= `clips` = `avatar_clips` + `transferred_clips` made; `cropped` >= `kept`;
    `planned` = `kept` + `quarantined`; `quarantine_reasons` counts by reason.
    """
    rejected = [row["reason"] for row in read_jsonl(workspace.faces / "quarantine.jsonl")]
    kept = len(read_jsonl(workspace.faces / "faces.jsonl"))
    avatars = sum((workspace.clips / f"{clip.clip_id}.mp4").is_file() for clip in plan.clips)
    transferred = sum(
        (workspace.transferred / f"{row.clip_id}.mp4").is_file() for row in plan.transfers
    )
    return {
        "planned": len(plan.clips) + len(plan.transfers),
        "avatar_clips": avatars,
        "transferred_clips": transferred,
        "clips": avatars + transferred,
        "cropped": kept + sum(reason in AFTER_CROP for reason in rejected),
        "kept": kept,
        "quarantined": len(rejected),
        "quarantine_reasons": dict(sorted(Counter(rejected).items())),
    }


def _facts(workspace: "Workspace", study: "Study", plan: Plan, results: Results) -> dict[str, Any]:
    """What the page says beside counts and contact sheet."""
    sides = proofs(study, read_json(workspace.proof))
    return {
        "study": study,
        "caveat": CAVEAT,
        "people": len({clip.person.identity_id for clip in plan.clips}),
        "portraits": len(plan.portraits),
        "licences": Counter(portrait.licence for portrait in plan.portraits),
        "performed": {
            name: expression.load(name) for arm in study.arms for name in arm.expressions
        },
        "detector": read_json(workspace.faces / "detector.json"),
        "balance": read_json(workspace.balance),
        "first_draw": {name: p.draws(name)[0] for name, p in study.protocols.items()},
        "drawn": {name: drawn(protocol) for name, protocol in study.protocols.items()},
        "overlap": {name: overlap(p, sides[name]) for name, p in study.protocols.items()},
        "proof": sides,
        "shared": SHARED,
        "arithmetic": explain_published(study),
        "keys": [row for leaky in (True, False) if (row := results.first(study, leaky))],
        "probes": {
            task: {name: results.probes(task, name) for name in study.protocols}
            for task in study.tasks
        },
        "results": results,
        "record": read_record(workspace),
        "single": single_run(workspace, study, results),
        "outside": read_outside(workspace),
        "sections": _sections(workspace, study, results),
        "breakdowns": BREAKDOWNS,
        "claims": lambda row: claims_beside(study, row),
    }


def _sections(workspace: "Workspace", study: "Study", results: Results) -> list[dict[str, Any]]:
    """For each task and model its rows, training records by protocol, pictures by kind, and the
    values that each breakdown has."""
    sections = []
    for task, model in dict.fromkeys((task, model) for task, model, _ in study.trials()):
        rows = [row for row in results.rows if (row["task"], row["model"]) == (task, model)]
        kinds = [*KINDS, *([DOSE] if dosed(rows) else [])]
        files = {kind: workspace.plots / plot_name(kind, task, model) for kind in kinds}
        sections.append({
            "task": task,
            "model": model,
            "rows": rows,
            "records": training_records(workspace, study, task, model),
            "plots": {kind: _uri(path.read_bytes()) for kind, path in files.items()},
            "values": {
                key: sorted({value for row in rows for value in results.headline(row)[key]})
                for key in BREAKDOWNS
            },
        })  # fmt: skip
    return sections


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
