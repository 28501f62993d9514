"""The command that teaches a shell our words: `pallor completion`."""

from argparse import Action, ArgumentParser, Namespace
from typing import Any

SHELLS = ("bash", "zsh", "fish")
FILES = ("FILE", "VIDEO", "PORTRAIT", "DRIVING", "OUT", "CHAIN", "KEY")  # how such metavars begin
FOLDERS = ("DIR", "FOLDER")


def completion_options(page: ArgumentParser) -> None:
    """What `pallor completion` can be asked."""
    page.add_argument("shell", choices=SHELLS)


def completion(options: Namespace) -> None:
    """`pallor completion`: the script to source; it starts no Python at a Tab."""
    import shtab

    from flows.cli import parser

    page = parser()
    for action in _actions(page):
        if names := _completed(action):
            setattr(action, "complete", names)  # noqa: B010  (shtab's way; argparse knows it not)
    print(shtab.complete(page, options.shell))


def _completed(action: Action) -> Any:
    import shtab

    name = str(action.metavar or "")
    if name.startswith(FILES):
        return shtab.FILE
    return shtab.DIRECTORY if name.startswith(FOLDERS) else None


def _actions(page: ArgumentParser) -> list[Action]:
    found = []
    for action in page._actions:
        found.append(action)
        if isinstance(action.choices, dict):  # the commands
            for child in action.choices.values():
                found += _actions(child)
    return found
