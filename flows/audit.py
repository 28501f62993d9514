"""`python -m flows.audit -o docs/audit.md`: an auditor's 24 questions, each with its answer.

The page is made from the corpus that lies in the workspace: every command is run as it is shown.
"""

import argparse
import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flows.workspace import PLAN
from pipeline.errors import StageError
from pipeline.files import read_jsonl, writing

LINES = 60  # of an output; what is cut is counted
SHEET = "sheet/DATASHEET.md"  # as `pallor export datasheet -o sheet` writes it
INTRO = """\
# Audit: 24 questions, one command each

Made by `python -m flows.audit -o docs/audit.md` from the corpus in this clone; every output below
is what the command printed, cut to the lines that answer. What is said of runs (who, when, where)
comes from the run records of this machine.
"""


@dataclass(frozen=True)
class Question:
    """What an auditor asks, the command that answers, and which of its lines matter.

    `only` names the beginnings of those lines (none: all of them). A command that begins with
    `show` prints a file, or of a markdown file the `section`.
    """

    asks: str
    command: str
    only: tuple[str, ...] = ()
    note: str = ""
    section: str = ""


def questions(names: dict[str, str]) -> list[Question]:
    """The 24, about the clip, portrait, identity and camera of `names`."""
    stages = ("plan: ", "render: ")
    clip, portrait = f"explain {names['clip']}", f"explain {names['portrait']}"
    return [
        Question("Which commit made this clip, and was it dirty?", clip, (*stages, "run:")),
        Question("With which parameters?", clip, (*stages, "params:")),
        Question("With which seed?", clip, ("seed:", "key:")),
        Question("From which inputs, with hash, licence and origin?", clip, ("role ",)),
        Question("With which versions of the tools?", clip, (*stages, "run:"),
                 "Exact pins of every package: `requirements.lock`, an input of every stage."),
        Question("Who ran it, when, where?", clip, (*stages, "run:")),
        Question("Can it be rebuilt bit for bit?", clip, (*stages, "rebuildable:"),
                 "`pallor verify --rebuild 2` renders two random clips anew and compares pixels."),
        Question("Which clips came from portrait F?", f"find --portrait {names['portrait']}"),
        Question("Which from identity A, display E, camera C?",
                 f"find --identity {names['identity']} --expression {names['expression']} "
                 f"--camera {names['camera']}"),
        Question("Licence and consent of F, and does its use allow this?", portrait,
                 ("licence:", "consent:", "origin:", "use allowed:")),
        Question("F asks to be removed: what goes, which models are tainted, what is the proof?",
                 f"forget {names['portrait']}", (),
                 "With `--apply` they go, and a search by hash, look and name is the proof."),
        Question("Is anyone on both sides of the split, or a twin?", "explain metric:clean",
                 ("groups of people on both sides", "frames on both", "nearest training"),
                 "Of the clean split; `explain metric:published` names the groups that are. "
                 "`docs/formats/split.md` says how the nearest neighbour is measured."),
        Question("Was oversampling confined to training?", "verify", (),
                 "`verify` holds every copy against a training sample of the split."),
        Question("Class balance before and after?", "show metrics/balance.json"),
        Question("Coverage and error by age, sex, skin?", "explain metric:clean", ("trait ",)),
        Question("Which labels were set and which measured?", clip, ("label:", "labels:"),
                 "Measured: the face boxes. Landmarks, units, pose are the geometry's own."),
        Question("What was rejected, and why?", "show data/faces/quarantine.jsonl"),
        Question("What changed between two versions?", f"diff {names['revision']}"),
        Question("Which version of the data trained this model?", "explain model:clean",
                 ("role training data", "role versions")),
        Question("Has anything been altered since?", "verify"),
        Question("Is it marked synthetic?", clip, ("synthetic:",),
                 "`pallor export c2pa` writes signed content credentials into the clips."),
        Question("Intended and forbidden use, limits?", f"show {SHEET}", section="Uses"),
        Question("Can the figures be recomputed from the artefacts alone?", "verify", (),
                 "`verify` recomputes every accuracy from `data/predictions`."),
        Question("Retention and access?", f"show {SHEET}", section="Maintenance",
                 note="Who may have it: the section Distribution above it in the same file."),
    ]  # fmt: skip


def page(names: dict[str, str]) -> str:
    """The page as markdown; every command is run once."""
    outputs: dict[str, str] = {}
    parts = [INTRO]
    for number, question in enumerate(questions(names), start=1):
        if question.command not in outputs:
            outputs[question.command] = _answer(question.command)
        shown = _cut(_section(outputs[question.command], question.section), question.only)
        said = (
            question.command.replace("show ", "cat ")
            if _shows(question)
            else (f"pallor {question.command}")
        )
        note = f"\n{question.note}\n" if question.note else ""
        parts.append(f"## {number}. {question.asks}\n\n```\n$ {said}\n{shown}\n```\n{note}")
    return "\n".join(parts)


def examples(plan: Path = PLAN) -> dict[str, str]:
    """A transferred clip, its portrait, and its driver with display and camera, from the plan."""
    from pipeline.lineage.index import camera_id

    rows = read_jsonl(plan)
    transfer = next(row for row in rows if row["kind"] == "transfer")
    clips = {row["clip_id"]: row for row in rows if row["kind"] == "clip"}
    driver = clips[transfer["driving_clip_id"]]
    return {
        "clip": driver["clip_id"],
        "portrait": transfer["portrait_id"],
        "identity": driver["person"]["identity_id"],
        "expression": driver["expression"],
        "camera": camera_id(driver["scene"]),
        "revision": _earlier(),
    }


def _earlier() -> str:
    from pipeline.lineage import history
    from pipeline.lineage.corpus import LOCK

    revisions = history.touching(Path("."), LOCK)
    return revisions[min(1, len(revisions) - 1)][:10]


def _shows(question: Question) -> bool:
    return question.command.startswith("show ")


def _answer(command: str) -> str:
    verb, _, name = command.partition(" ")
    if verb != "show":
        return _run(command.split())
    if name != SHEET:
        return Path(name).read_text()
    with tempfile.TemporaryDirectory(prefix="pallor-audit-") as scratch:
        folder = Path(scratch) / "sheet"
        said = _run(["export", "datasheet", "-o", str(folder)])
        if not folder.is_dir():
            raise StageError(f"questions 22 and 24 have no datasheet to answer: {said}")
        return (folder / "DATASHEET.md").read_text()


def _run(arguments: list[str]) -> str:
    from flows.cli import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        main(arguments)
    return said.getvalue().rstrip()


def _section(text: str, name: str) -> str:
    """The text below a `## name` heading of markdown; all of it without a name."""
    if not name:
        return text
    return text.split(f"## {name}\n", 1)[1].split("\n## ")[0].strip()


def _cut(text: str, only: tuple[str, ...]) -> str:
    lines = text.splitlines()
    if only:
        lines = [line for line in lines if line.strip().startswith(only)]
    left = len(lines) - LINES
    return "\n".join([*lines[:LINES], *([f"... and {left} more lines"] if left > 0 else [])])


def main() -> None:
    """Write the page."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("-o", "--out", type=Path, default=Path("docs/audit.md"))
    out = arguments.parse_args().out
    with writing(out) as part:
        part.write_text(page(examples()))
    print(out)


if __name__ == "__main__":
    main()
