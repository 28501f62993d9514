"""The report stage: one self-contained page, the contact sheet, and what the terminal says."""

import base64
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.corpus.planned import Plan, read_plan
from pipeline.corpus.sheet import corpus_sheet
from pipeline.files import read_json, read_jsonl, write_json, writing, writing_folder
from pipeline.records import PROTOCOLS
from pipeline.report.card import model_card

AFTER_CROP = {"blurred", "duplicate", "near_duplicate"}  # gates that judge the crop itself
# Al-Tekreeti et al., Informatics 2024, 11(3):59
PUBLISHED_ACCURACY = 0.9989
PUBLISHED_CLIPS = 176
PUBLISHED_TEST_SHARE = 0.15
FIGURES = ("accuracy", "precision", "recall", "f1", "auc")


@dataclass(frozen=True)
class Inputs:
    """Where a workspace keeps what the report shows."""

    plan: Path
    clips: Path
    portraits: Path
    transferred: Path
    faces: Path
    models: Path
    metrics: Path  # holds evaluation.json, balance.json, split_proof.json; receives counts.json
    plots: Path


def write_report(inputs: Inputs, out: Path, sheet: Path) -> None:
    """Write index.html and model-card.md in `out`, the picture `sheet` and metrics/counts.json."""
    plan = read_plan(inputs.plan)
    counts = count(inputs, plan)
    write_json(inputs.metrics / "counts.json", counts)
    picture = _png(corpus_sheet(plan, inputs.clips, inputs.portraits, inputs.transferred))
    with writing(sheet) as part:
        part.write_bytes(picture)
    with writing_folder(out) as part:
        (part / "index.html").write_text(_page(inputs, plan, counts, picture))
        (part / "model-card.md").write_text(_card(inputs, counts))


def count(inputs: Inputs, plan: Plan) -> dict[str, Any]:
    """How many clips are left after each stage, and why the others are not.

    `planned` >= `clips` = `avatar_clips` + `transferred_clips` made; `cropped` >= `kept`;
    `planned` = `kept` + `quarantined`; `quarantine_reasons` counts by reason.
    """
    rejected = [row["reason"] for row in read_jsonl(inputs.faces / "quarantine.jsonl")]
    kept = len(read_jsonl(inputs.faces / "faces.jsonl"))
    avatars = sum((inputs.clips / f"{clip.clip_id}.mp4").is_file() for clip in plan.clips)
    transferred = sum(
        (inputs.transferred / f"{row.clip_id}.mp4").is_file() for row in plan.transfers
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


def terminal_summary(metrics: Path) -> str:
    """The counts and both result tables, from counts.json, evaluation.json, split_proof.json."""
    counts, evaluation = read_json(metrics / "counts.json"), read_json(metrics / "evaluation.json")
    proof = read_json(metrics / "split_proof.json")
    lines = [
        f"{counts['clips']} clips: {counts['avatar_clips']} avatars, "
        f"{counts['transferred_clips']} transferred; "
        f"{counts['kept']} kept, {counts['quarantined']} quarantined{_reasons(counts)}",
    ]
    titles = {"published": "published protocol (leaky)", "clean": "clean protocol"}
    for protocol, title in titles.items():
        shared = proof[protocol]["shared_groups"]
        lines += ["", f"{title}: {shared} groups of people on both sides"]
        lines += _result_table(evaluation[protocol])
        lines.append(_probes_line(evaluation["probes"][protocol]))
    return "\n".join(lines)


def _result_table(figures: Mapping[str, Any]) -> list[str]:
    lines = [f"  {'unit':<8}{'n':>5}{'accuracy':>10}{'95 % interval':>18}" + "".join(
        f"{name:>11}" for name in ("precision", "recall", "F1", "AUC")
    )]  # fmt: skip
    for unit in ("window", "clip"):
        row = figures[f"by_{unit}"]
        low, high = (percent(edge) for edge in row["accuracy_ci95"])
        mark = "*" if unit == figures["unit"] else " "
        lines.append(
            f"{mark} {unit:<8}{row['n_test']:>5}{percent(row['accuracy']):>10}"
            f"{f'{low} to {high}':>18}"
            + "".join(f"{percent(row[name]):>11}" for name in FIGURES[1:])
        )
    return lines


def _probes_line(probes: Mapping[str, Any]) -> str:
    shares = [
        f"{name.replace('_', ' ')} {percent(row['accuracy'])}" for name, row in probes.items()
    ]
    chance = percent(probes["identity"]["chance"])
    return f"  told without the display: {', '.join(shares)}; chance {chance}"


def percent(value: float | None) -> str:
    """A share in per cent with one digit; `100` only for all of it, a dash for None."""
    if value is None:
        return "-"
    return "100" if value == 1 else f"{min(100 * value, 99.9):.1f}"


def _reasons(counts: Mapping[str, Any]) -> str:
    reasons = [f"{n} {name.replace('_', ' ')}" for name, n in counts["quarantine_reasons"].items()]
    return f" ({', '.join(reasons)})" if reasons else ""


def _page(inputs: Inputs, plan: Plan, counts: Mapping[str, Any], sheet: bytes) -> str:
    # Undefined names must fail: a page with a hole in it would still look finished.
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["percent"] = percent
    evaluation = read_json(inputs.metrics / "evaluation.json")
    return environment.get_template("report.html.j2").render(
        counts=counts,
        people=len({clip.person.identity_id for clip in plan.clips}),
        portraits=plan.portraits,
        licences=Counter(portrait.licence for portrait in plan.portraits),
        displays=list(dict.fromkeys(clip.expression for clip in plan.clips)),
        balance=read_json(inputs.metrics / "balance.json"),
        proof=read_json(inputs.metrics / "split_proof.json"),
        evaluation=evaluation,
        detector=read_json(inputs.faces / "detector.json"),
        models=_records(inputs),
        sheet=_uri(sheet),
        plots={path.stem: _uri(path.read_bytes()) for path in sorted(inputs.plots.glob("*.png"))},
        arithmetic=explain_published(),
    )


def _card(inputs: Inputs, counts: Mapping[str, Any]) -> str:
    return model_card(read_json(inputs.metrics / "evaluation.json"), _records(inputs), counts)


def _records(inputs: Inputs) -> dict[str, Any]:
    return {name: read_json(inputs.models / f"{name}.json") for name in PROTOCOLS}


def explain_published() -> dict[str, Any]:
    """The arithmetic of the published figure: which units can and cannot yield 99.89 %.

    `test_clips` of the published `clips` are tested and `one_error` is their accuracy with a
    single error; one error among `fewest` to `most` units makes `accuracy` when rounded.
    """
    tested = round(PUBLISHED_TEST_SHARE * PUBLISHED_CLIPS)
    units = np.arange(2, 5000)
    fits = units[np.round(1 - 1 / units, 4) == PUBLISHED_ACCURACY]
    return {
        "accuracy": PUBLISHED_ACCURACY,
        "clips": PUBLISHED_CLIPS,
        "test_clips": tested,
        "one_error": 1 - 1 / tested,
        "fewest": int(fits.min()),
        "most": int(fits.max()),
    }


def _png(picture: np.ndarray) -> bytes:
    return cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def _uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()
