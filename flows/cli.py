"""The command line `pallor`: what can be asked; flows.commands holds what is done."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

from flows.commands import export, forget, lineage, look, model, motion, shard, transfer, web
from flows.commands.options import add_model, add_settings, add_study, names
from flows.program import begin
from flows.stage import say_errors
from pipeline.naming import nearest

ABOUT = """\
Pallor makes face-video datasets of clinical signs and shows what they are worth.

Each study in studies/ is one clinical question. Pallor renders people of geometry in Blender that
perform what the study asks for, transfers their motion onto static faces, crops the faces, splits
the clips by every protocol, trains the study's networks and puts leaky and clean figures beside
the published ones. Not a medical device.
"""
EXAMPLES = """\
examples:
  pallor studies                               what there is, how it stands, what it costs
  pallor run                                   the main study; a killed run goes on where it was
  pallor run --study NAME                      another one; `all`: every one
  pallor run --set study.cohorts.cast=6        the same, smaller; writes the study's file first
  pallor plan                                  what there is to make, and what it costs
  pallor render --identity 3 --expression smiling -o out.mp4
  pallor render --identity 3 --expression smiling --azimuth 45 --passes all -o out.mp4
  pallor predict out.mp4                       what does the study's model see there?
  pallor explain 3/smiling                     where it came from, what it led to
  pallor verify --rebuild 2                    was anything altered? render two clips anew
  pallor forget photo/astronaut                what a removal means; --apply does it
  pallor export croissant -o handover          the corpus in a standard format, for others
  pallor web --study mood                      its page in a browser, on this machine alone

environment:
  PALLOR_HOME      assets and finished work (default: .pallor in the clone)
  PALLOR_WORKERS   how many chunks are made at once (default: all cores)
  PALLOR_RUNNER    threads, processes, dask or ray (default: threads)
  PREFECT_API_URL  a Prefect server to show the runs (default: one of our own, on loopback)

Every parameter and its reason: params.yaml and pipeline/params.py. Exit code 2 means that one
sentence on stderr says what to do; 3 that the corpus stands but items were given up; 1 is a bug.
"""

# The module of flows.commands in which each command's function stands, under the command's name.
COMMANDS = {
    "run": "corpus", "plan": "corpus", "studies": "corpus", "demo": "corpus", "report": "corpus",
    "assets": "corpus", "doctor": "corpus", "render": "clip", "predict": "clip",
    "explain": "lineage", "find": "lineage", "sql": "lineage", "verify": "lineage",
    "diff": "lineage", "release": "lineage", "forget": "forget", "export": "export",
    "shard": "shard", "merge": "shard", "onnx": "model", "baselines": "model", "folds": "model",
    "motion": "motion", "sheet": "look", "overlay": "look", "transfer": "transfer", "web": "web",
}  # fmt: skip


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, with the nearest name when a choice is unknown."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with code 2."""
        print(f"pallor: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = [str(choice) for choice in action.choices or ()]
        if choices and value not in choices:
            self.error(f"'{value}' is unknown; {nearest(value, choices)}")


def parser() -> argparse.ArgumentParser:
    """The whole grammar."""
    page = Parser(
        prog="pallor", description=ABOUT, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    page.add_argument("--version", action="version", version=_version())
    commands = page.add_subparsers(
        metavar="COMMAND", dest="command", required=True, parser_class=Parser
    )

    def command(name: str, help_: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=help_, description=help_.capitalize() + ".")

    run = command("run", "bring a whole study up to date and print its figures")
    plan = command("plan", "show what would be made and what it would cost")
    for page_ in (run, plan):
        add_settings(page_)
    add_study(run, several=True)
    run.add_argument(
        "--small", action="store_true",
        help="at the tiny size of studies/NAME/small.yaml, in a workspace of its own",
    )  # fmt: skip
    add_study(plan)
    plan.add_argument("-o", "--out", metavar="FILE", help="also write the table, as JSON lines")
    command("studies", "list the studies, how each stands and what it costs")
    command("demo", "run every stage on six people in a workspace of its own, in minutes")
    render = command("render", "render one person performing an expression, as a video to watch")
    render.add_argument("--identity", type=int, required=True, help="number of the person, from 0")
    render.add_argument("--expression", required=True, metavar="NAME", help="such as smiling")
    render.add_argument("-o", "--out", required=True, metavar="FILE.mp4")
    render.add_argument("--size", type=int, help="pixels a side (default: plan.size)")
    render.add_argument("--azimuth", type=float, help="degrees to the own left, -90 to 90")
    render.add_argument("--elevation", type=float, help="degrees above, -20 to 20")
    render.add_argument(
        "--passes", type=names, default=[], metavar="NAME,...",
        help="also write FILE.npz: segmentation, depth, normals, vertices, flow, surface; or all",
    )  # fmt: skip
    add_study(render)
    predict = command("predict", "say what a video shows, with a model of a study")
    predict.add_argument("video", metavar="VIDEO|camera[:N]")
    predict.add_argument("--seconds", type=float, default=4.0, help="to look through a camera")
    add_model(predict)
    report = command("report", "print the figures of the last run and where its page is")
    add_study(report, several=True)
    report.add_argument("--json", action="store_true", help="one object with every figure")
    lineage.add_commands(command)
    forget.add_command(command)
    export.add_command(command)
    look.add_commands(command)
    model.add_commands(command)
    motion.add_command(command)
    shard.add_commands(command)
    transfer.add_command(command)
    web.add_command(command)
    command("assets", "fetch and verify the MakeHuman assets and the pages' parts")
    command("doctor", "check this machine and say what to do")
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Without `arguments` those of this process are taken."""
    if arguments is None:
        begin()
    options = parser().parse_args(arguments)
    watched = "" if options.command == "demo" else f"pallor {options.command}"  # demo's child does
    return say_errors(lambda: _command(options.command)(options), watched)


def _command(name: str) -> Callable[[argparse.Namespace], None]:
    """What does a command: the function of its name. Only its own module is waited for."""
    done: Callable[[argparse.Namespace], None] = getattr(
        import_module(f"flows.commands.{COMMANDS[name]}"), name
    )
    return done


def _version() -> str:
    from importlib.metadata import version

    return f"pallor {version('pallor')}"


if __name__ == "__main__":
    sys.exit(main())
