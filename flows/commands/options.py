"""Options that several commands share."""

from argparse import ArgumentParser

from pipeline.workspace import MAIN


def add_study(page: ArgumentParser, several: bool = False) -> None:
    """`--study NAME`; `all` where a command can do several."""
    choice = "NAME|all" if several else "NAME"
    page.add_argument("--study", default=MAIN, metavar=choice, help=f"default: {MAIN}")


def add_model(page: ArgumentParser) -> None:
    """Which trained model of a study is meant."""
    add_study(page)
    page.add_argument("--task", metavar="NAME", help="default: the study's first")
    page.add_argument("--model", metavar="NAME", help="default: the first that has the task")
    page.add_argument("--protocol", metavar="NAME", help="default: the first clean one")


def add_settings(page: ArgumentParser) -> None:
    """`--set NAME=VALUE`."""
    page.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", dest="settings",
        help="a parameter, such as plan.frames=8 or study.cohorts.cast=6; may be given again",
    )  # fmt: skip


def names(text: str) -> list[str]:
    """`depth,flow` as a list."""
    return [name.strip() for name in text.split(",")]
