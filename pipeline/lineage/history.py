"""What git knows of a workspace: revisions, files at a revision, whether anything differs."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import StageError


def git(root: Path, *arguments: str) -> str:
    """The output of one git command; StageError with git's own sentence when it fails."""
    return _run(root, arguments).decode()


def show(root: Path, revision: str, path: Path | str) -> str | None:
    """A file's text at a revision; None when it did not exist there.

    Raises StageError for an unknown revision.
    """
    commit(root, revision)
    name = Path(path).as_posix()
    if not git(root, "ls-tree", revision, "--", name):
        return None
    return git(root, "show", f"{revision}:./{name}")


def commit(root: Path, revision: str) -> str:
    """The full hash of the commit a revision names."""
    try:
        return git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    except StageError as error:
        raise StageError(f"'{revision}' is no revision of this clone; see `git log`") from error


def changes(root: Path, *below: Path | str) -> list[str]:
    """The paths (all, or those `below`) that differ from the commit, untracked ones included."""
    status = ["status", "--porcelain", "--untracked-files=normal", "--"]
    rows = git(root, *status, *map(str, below)).splitlines()
    return [row[3:] for row in rows]


def touching(root: Path, *paths: Path | str) -> list[str]:
    """The commits of all branches and tags that changed any of `paths`, newest first."""
    return git(root, "log", "--all", "--format=%H", "--", *map(str, paths)).split()


def describe(root: Path, revision: str) -> str:
    """Commit, date and subject of a revision on one line."""
    return git(root, "log", "-1", "--format=%h, %cs, %s", revision).strip()


def is_repository(root: Path) -> bool:
    """Is `root` inside a git checkout that has a commit?"""
    try:
        commit(root, "HEAD")
    except StageError:
        return False
    return True


def _run(root: Path, arguments: Sequence[str]) -> bytes:
    try:
        run = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except FileNotFoundError as error:
        raise StageError("git is not installed, and lineage asks it for revisions") from error
    if run.returncode:
        said = run.stderr.decode(errors="replace").strip() or "no word"
        raise StageError(f"git {arguments[0]} failed: {said}")
    return run.stdout
