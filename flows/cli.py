"""The command line `pallor`: what can be asked; flows.commands holds what is done."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

from flows.program import begin

ABOUT = """\
Pallor makes synthetic face videos of clinical signs and trains published networks on them.

Each study in studies/ is one clinical question. Pallor renders people in Blender that perform what
the study asks for, and transfers their motion onto portraits. It crops the faces, splits the clips
and trains the study's networks. It reports each accuracy twice: leaky (the same people in training
and test data) and clean (nobody in both), beside the published one. Not a medical device.
"""
EXAMPLES = """\
examples:
  pallor studies                               which studies there are, and what they cost
  pallor run                                   the main study; a killed run continues
  pallor run --study NAME                      another one; `all`: every one
  pallor run --set study.cohorts.cast=6        the same, smaller; writes the study's file first
  pallor run --preset laptop                   half of the cores; the same bytes
  pallor plan                                  what would be made, and what it costs
  pallor render --identity 3 --expression smiling -o out.mp4
  pallor render --identity 3 --expression smiling --azimuth 45 --passes all -o out.mp4
  pallor predict out.mp4                       which class does the model see there?
  pallor explain photo/astronaut               what it was made from, what was made from it
  pallor verify --rebuild 2                    was anything altered? render two clips again
  pallor forget photo/astronaut                what a removal would remove; --apply does it
  pallor export croissant -o handover          the corpus in a standard format, for others
  pallor view                                  the corpus in a browser
  pallor web --study mood                      a study's models in a browser

environment:
  PALLOR_HOME      assets and finished work (default: .pallor in the clone)
  PALLOR_WORKERS   how many chunks are made at once (default: all cores)
  PALLOR_RUNNER    threads, processes, dask or ray (default: threads)
  PALLOR_ALERT     Apprise address that gets a message when a run ends (docs/alerts.md)
  NO_COLOR         any value: no colour on a terminal
  PREFECT_API_URL  a Prefect server that shows the runs (default: one on this machine)

Every parameter and its reason: params.yaml and pipeline/params.py.

exit codes:
  0    done
  1    a bug of ours; its traceback is on stderr
  2    one sentence on stderr says what is wrong and what to do
  3    done, but some items failed and were left out
  130  stopped by hand; finished work is kept
  141  the reader of the output closed it
"""


class Command(NamedTuple):
    """The module of flows.commands, what the command does, and whether `--json` answers.

    The module holds a function of the command's name that does it and, where it can be asked
    anything, one named `<name>_options` that says what.
    """

    module: str
    help: str
    json: bool = False


COMMANDS = {
    "run": Command("corpus", "make or update a whole study and print its figures"),
    "plan": Command("corpus", "show what would be made and what it would cost", json=True),
    "studies": Command("corpus", "list the studies, how each stands and what it costs", json=True),
    "demo": Command("corpus", "run every stage on six people in a workspace of its own"),
    "render": Command("clip", "render one person performing an expression, as a video to watch"),
    "predict": Command("ask", "say what a video, a folder of videos or a camera shows", json=True),
    "score": Command("ask", "judge a model on labelled videos of your own; no validation", True),
    "benchmark": Command("ask", "run somebody else's model over the clean test side", json=True),
    "gate": Command("gate", "check the committed figures, probes and splits", json=True),
    "history": Command("gate", "print the figures, speeds and machine of each release", json=True),
    "report": Command("corpus", "print the figures of the last run and where its page is", True),
    "explain": Command("lineage", "say what an id was made from and what was made from it", True),
    "find": Command("lineage", "list the clips with given attributes", True),
    "sql": Command("lineage", "answer one SELECT on the index of a study, read-only", json=True),
    "verify": Command(
        "verify", "check every file against its digest and name what was altered", json=True
    ),
    "diff": Command("lineage", "say what changed between two versions of the dataset", json=True),
    "release": Command("lineage", "tag the commit as a version with a signed attestation"),
    "forget": Command("forget", "show what removing a person removes; with --apply, do it", True),
    "gc": Command("gc", "list old files that no version needs; with --apply, remove them", True),
    "export": Command("export", "write the corpus in a standard format, into a new folder"),
    "labels": Command("labels", "write labels of rendered clips without rendering them again"),
    "rate": Command("rate", "hand clips to blind raters (Label Studio), or read their ratings"),
    "audit": Command(
        "rate", "name labels that models contradict; run a study's own checks", json=True
    ),
    "sheet": Command("look", "render a contact sheet of the avatars, to judge them by"),
    "overlay": Command("look", "draw a rendered clip's truth on its frames, as a film"),
    "onnx": Command("model", "write a trained classifier as an ONNX file"),
    "baselines": Command("model", "train simpler models beside the study's own", json=True),
    "folds": Command(
        "model", "test every person once, by models that never saw that person", json=True
    ),
    "shard": Command("shard", "make one part of the rendering and pack it for another machine"),
    "merge": Command("shard", "take in what other machines packed; then `pallor run`"),
    "transfer": Command("transfer", "animate pictures of faces with the motion of a video"),
    "motion": Command("motion", "train a motion model beside the committed one"),
    "view": Command("view", "look through a study's corpus in a browser, on this machine alone"),
    "web": Command("web", "serve a study's pages on this machine; no picture leaves the browser"),
    "assets": Command("corpus", "fetch and verify the MakeHuman assets and the pages' parts"),
    "doctor": Command("corpus", "check this machine and say what to do", json=True),
    "completion": Command("completion", "print the script that completes commands in a shell"),
}


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, with the nearest name when a choice is unknown."""

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with code 2."""
        print(f"pallor: {message}; see `{self.prog} --help`", file=sys.stderr)
        sys.exit(2)

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        choices = [str(choice) for choice in action.choices or ()]
        if choices and value not in choices:
            from pipeline.naming import nearest

            self.error(f"'{value}' is unknown; {nearest(value, choices)}")


def parser(only: str | None = None) -> argparse.ArgumentParser:
    """The whole grammar; of `only` one command when that one is asked for, the others by name."""
    page = Parser(
        prog="pallor", description=ABOUT, epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    page.add_argument("--version", action="version", version=_version())
    commands = page.add_subparsers(
        metavar="COMMAND", dest="command", required=True, parser_class=Parser
    )
    for name, command in COMMANDS.items():
        about = f"{command.help[:1].upper()}{command.help[1:]}."
        own = commands.add_parser(name, help=command.help, description=about)
        if only in (None, name):
            _fill(own, name)
    return page


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code. Without `arguments` those of this process are taken."""
    if arguments is None:
        begin()
    words = sys.argv[1:] if arguments is None else arguments
    options = parser(_named(words)).parse_args(words)
    from flows.stage import say_errors  # a quarter of a second that `--help` does not need

    watched = "" if options.command == "demo" else f"pallor {options.command}"  # demo's child does
    return say_errors(lambda: _command(options.command)(options), watched)


def _named(words: Sequence[str]) -> str:
    """The command that is asked for; "" where none is, so that no module is waited for."""
    return next((word for word in words if word in COMMANDS), "")


def _fill(page: argparse.ArgumentParser, name: str) -> None:
    command = COMMANDS[name]
    options = getattr(import_module(f"flows.commands.{command.module}"), f"{name}_options", None)
    if options:
        options(page)
    if command.json:
        page.add_argument("--json", action="store_true", help="the answer as JSON, for programs")


def _command(name: str) -> Callable[[argparse.Namespace], None]:
    """What does a command: the function of its name. Only its own module is waited for."""
    done: Callable[[argparse.Namespace], None] = getattr(
        import_module(f"flows.commands.{COMMANDS[name].module}"), name
    )
    return done


def _version() -> str:
    from importlib.metadata import version

    return f"pallor {version('pallor')}"


if __name__ == "__main__":
    sys.exit(main())
