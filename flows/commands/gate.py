"""Commands on committed figures: gate, history."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flows.studies import opened
from flows.terminal import say_json
from flows.workspace import require_workspace
from pipeline.errors import StageError
from pipeline.study import Study
from pipeline.study_checks import known_studies
from pipeline.workspace import Workspace

PAGES = [Path("README.md")]


def history_options(page: ArgumentParser) -> None:
    """What `pallor history` can be asked."""
    page.add_argument("--add", metavar="VERSION", help="append the row of a release that comes")


def gate(options: Namespace) -> None:
    """`pallor gate`: one line a finding; StageError (exit code 2) when there is any."""
    from pipeline.lineage.gates import gates
    from pipeline.report.templates import counted

    require_workspace()
    studies = measured()
    findings = list(gates(studies, [page for page in PAGES if page.is_file()]))
    if options.json:
        say_json([finding.text() for finding in findings])
    for finding in [] if options.json else findings:
        print(finding.text())
    if findings:
        does = "does" if len(findings) == 1 else "do"
        found = counted(len(findings), "figure")
        raise StageError(f"{found} {does} not hold, see above (docs/gates.md)")
    if not options.json:
        print(f"all gates hold: {', '.join(studies) or 'no study has figures here'}")


def history(options: Namespace) -> None:
    """`pallor history`: metrics/history.jsonl, with a row more where it is asked for."""
    from pipeline.lineage.ledger import add_row, ledger_lines, read_ledger

    require_workspace()
    if options.add:
        add_row(Path("."), options.add, measured())
    rows = read_ledger(Path("."))
    if options.json:
        say_json(rows)
    else:
        print("\n".join(ledger_lines(rows)))


def measured() -> dict[str, tuple[Workspace, Study]]:
    """The studies whose figures lie here."""
    found = {name: opened(name)[:2] for name in known_studies()}
    return {name: of for name, of in found.items() if of[0].evaluation.is_file()}
