"""`python -m flows.audit -o docs/audit.md`: an auditor's 24 questions, each with its answer.

The page is made from the corpus that lies in the workspace: every command is run as it is shown.
"""

import argparse
import contextlib
import io
import tempfile
from dataclasses import dataclass
from pathlib import Path

from flows.studies import opened
from pipeline.errors import StageError
from pipeline.files import read_jsonl, writing
from pipeline.study import Study
from pipeline.workspace import MAIN, Workspace

LINES = 60  # of an output; what is cut is counted
SHEET = "sheet/DATASHEET.md"  # as `pallor export datasheet -o sheet` writes it
INTRO = """\
# Audit: 24 questions, one command each

Made by `python -m flows.audit -o docs/audit.md` from the main study in this clone (`--study NAME`
asks another one, here as in each command); every output below
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
    """The 24, about the clip, portrait, identity, camera and networks of `names`."""
    stages = ("plan: ", "render: ")
    metric, files = f"explain {names['metric']}", Workspace(names["study"])
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
        Question("Is anyone on both sides of the split, or a twin?", metric,
                 ("groups of people on both sides", "frames on both", "nearest training"),
                 "Of a protocol that is not leaky; `explain` of a leaky one's metric names the "
                 "groups that are. `docs/formats/split.md` says how the nearest neighbour is "
                 "measured."),
        Question("Was oversampling confined to training?", "verify", (),
                 "`verify` holds every copy against a training sample of the split."),
        Question("Class balance before and after?", f"show {files.balance}"),
        Question("Coverage and error by age, sex, skin?", metric, ("trait ",)),
        Question("Which labels were set and which measured?", clip, ("label:", "labels:"),
                 "Measured: the face boxes. Landmarks, units, pose are the geometry's own."),
        Question("What was rejected, and why?", f"show {files.faces}/quarantine.jsonl"),
        Question("What changed between two versions?", f"diff {names['revision']}"),
        Question("Which version of the data trained this model?",
                 f"explain {names['model']}",
                 ("role training data", "role versions")),
        Question("Has anything been altered since?", "verify"),
        Question("Is it marked synthetic?", clip, ("synthetic:",),
                 "`pallor export c2pa` writes signed content credentials into the clips."),
        Question("Intended and forbidden use, limits?", f"show {SHEET}", section="Uses"),
        Question("Can the figures be recomputed from the artefacts alone?", "verify", (),
                 "`verify` recomputes every accuracy from the predictions."),
        Question("Retention and access?", f"show {SHEET}", section="Maintenance",
                 note="Who may have it: the section Distribution above it in the same file."),
    ]  # fmt: skip


def page(names: dict[str, str]) -> str:
    """The page as markdown; every command is run once."""
    outputs: dict[str, str] = {}
    parts = [INTRO]
    for number, question in enumerate(questions(names), start=1):
        if question.command not in outputs:
            outputs[question.command] = _answer(question.command, names["study"])
        shown = _cut(_section(outputs[question.command], question.section), question.only)
        said = (
            question.command.replace("show ", "cat ")
            if _shows(question)
            else (f"pallor {question.command}")
        )
        note = f"\n{question.note}\n" if question.note else ""
        parts.append(f"## {number}. {question.asks}\n\n```\n$ {said}\n{shown}\n```\n{note}")
    return "\n".join(parts)


def examples(name: str = MAIN) -> dict[str, str]:
    """A transferred clip of a study, its portrait, and its driver with display and camera; the
    study's first network under the first protocol that does not leak.

    Raises StageError for a study that transfers nothing.
    """
    from pipeline.lineage.loading import camera_id

    workspace, study, _ = opened(name)
    rows = read_jsonl(workspace.plan)
    transfer = next((row for row in rows if row["kind"] == "transfer"), None)
    if transfer is None:
        raise StageError(f"{name} has no portraits, which half of the questions need; name another")
    clips = {row["clip_id"]: row for row in rows if row["kind"] == "clip"}
    driver = clips[transfer["driving_clip_id"]]
    return {
        "study": name,
        **_network(study),
        "clip": driver["clip_id"],
        "portrait": transfer["portrait_id"],
        "identity": driver["person"]["identity_id"],
        "expression": driver["expression"],
        "camera": camera_id(driver["scene"]),
        "revision": _earlier(),
    }


def _network(study: Study) -> dict[str, str]:
    """A `model` and its `metric`, under a protocol that does not leak where there is one."""
    trials = sorted(study.trials(), key=lambda trial: study.protocols[trial[2]].leaky)
    task, model, protocol = trials[0]
    draw = study.protocols[protocol].draws(protocol)[0]
    return {"model": f"model:{task}/{model}/{draw}", "metric": f"metric:{task}/{model}/{protocol}"}


def _earlier() -> str:
    from pipeline.lineage import history
    from pipeline.lineage.corpus import LOCK

    revisions = history.touching(Path("."), LOCK)
    return revisions[min(1, len(revisions) - 1)][:10]


def _shows(question: Question) -> bool:
    return question.command.startswith("show ")


def _answer(command: str, study: str) -> str:
    verb, _, name = command.partition(" ")
    of_study = ["--study", study] if verb in ("explain", "find", "diff", "show") else []
    if verb != "show":
        return _run([*command.split(), *of_study])
    if name != SHEET:
        return Path(name).read_text()
    with tempfile.TemporaryDirectory(prefix="pallor-audit-") as scratch:
        folder = Path(scratch) / "sheet"
        said = _run(["export", "datasheet", "-o", str(folder), *of_study])
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
    arguments.add_argument("--study", default=MAIN)
    asked = arguments.parse_args()
    with writing(asked.out) as part:
        part.write_text(page(examples(asked.study)))
    print(asked.out)


if __name__ == "__main__":
    main()
