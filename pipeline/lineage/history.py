"""What git knows of a workspace: revisions, files at a revision, whether anything differs."""

import os
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from pipeline.errors import StageError

# Variables with which a hook or a shell points git at another repository or a cut history.
_ELSEWHERE = {
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR",
    "GIT_NAMESPACE", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE", "GIT_PREFIX",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
}  # fmt: skip
_UNDER_WAY = {
    "MERGE_HEAD": "merge", "CHERRY_PICK_HEAD": "cherry-pick", "REVERT_HEAD": "revert",
    "rebase-merge": "rebase", "rebase-apply": "rebase", "BISECT_LOG": "bisect",
}  # fmt: skip
_RESTORE = "work in a `git clone` of this dataset, or bring its .git back"


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


def listed(root: Path, revision: str, below: str) -> list[str]:
    """The files below a folder at a revision, relative to the root."""
    return git(root, "ls-tree", "-r", "--name-only", "-z", revision, "--", below).split("\0")[:-1]


def commit(root: Path, revision: str) -> str:
    """The full hash of the commit a revision names."""
    try:
        return git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
    except _Silent as error:
        cut = git(root, "rev-parse", "--is-shallow-repository").strip() == "true"
        advice = (
            "it is shallow, `git fetch --unshallow` brings the others" if cut else "see `git log`"
        )
        raise StageError(f"'{revision}' is no revision of this clone; {advice}") from error


def changes(root: Path, *below: Path | str) -> list[str]:
    """The paths (all, or those `below`) that differ from the commit, untracked ones included."""
    status = ["status", "--porcelain", "--untracked-files=normal", "--"]
    rows = git(root, *status, *map(str, below)).splitlines()
    return [row[3:] for row in rows]


def touching(root: Path, *paths: Path | str, lost: bool = False) -> list[str]:
    """The commits of all branches and tags that changed any of `paths`, newest first.

    With `lost` also those that only a reflog or the stash still knows, and those of merged
    branches that git usually leaves out because nothing of them came through.
    """
    options = ["--reflog", "--full-history"] if lost else []
    return git(root, "log", "--all", *options, "--format=%H", "--", *map(str, paths)).split()


def describe(root: Path, revision: str) -> str:
    """Commit, date and subject of a revision on one line."""
    return git(root, "log", "-1", "--format=%h, %cs, %s", revision).strip()


def is_repository(root: Path) -> bool:
    """Does git keep versions of the workspace `root`?

    False without `.git` here and above, in a folder that git does not follow, and before the first
    commit. Raises StageError when git fails: that says nothing of what there is.
    """
    top = _top(root)
    if top is None:
        return False
    found = Path(git(root, "rev-parse", "--show-toplevel").strip())
    if found.resolve() != top:
        raise StageError(f"{top / '.git'} is no repository that git can read; {_RESTORE}")
    if not git(root, "for-each-ref", "--count=1") and not git(root, "rev-list", "--all", "-1"):
        return False
    return top == root.resolve() or bool(git(root, "ls-tree", "HEAD"))


def vouch(root: Path) -> None:
    """Raise StageError unless git can name every version of the workspace ever committed."""
    if not is_repository(root):
        raise StageError(
            f"git keeps no versions of {root.resolve()} (no .git here that follows its files), so "
            "nothing says which objects are this dataset's; work in a `git clone` of it, or "
            "`git init` and commit first"
        )
    if git(root, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise StageError(
            "this clone is shallow and does not know its earlier versions; "
            "`git fetch --unshallow` brings them"
        )
    if _ask(root, "config", "--get-regexp", r"^(extensions\.partialclone|remote\..*\.promisor)$"):
        raise StageError(
            "this clone is partial (--filter) and lacks files of earlier versions; work in a "
            "clone made without --filter"
        )
    if _git_path(root, "info/grafts").is_file():
        raise StageError("this clone's history is grafted; remove .git/info/grafts, then try again")
    git(root, "rev-list", "--all", "--reflog", "--objects", "--quiet")  # is every object here?


def worktrees(root: Path) -> list[str]:
    """The other checkouts of this repository."""
    rows = git(root, "worktree", "list", "--porcelain").splitlines()
    paths = [row.removeprefix("worktree ") for row in rows if row.startswith("worktree ")]
    # Of a submodule git names its own folder in the outer repository's `.git` as one.
    own = git(root, "rev-parse", "--path-format=absolute", "--git-common-dir").strip()
    return [path for path in paths if path != own and not root.resolve().is_relative_to(path)]


def open_matters(root: Path) -> str | None:
    """What keeps a commit from being made here, with advice; None when nothing does.

    Asked of git itself: a commit is made beside every branch (identity, signature, disk) and the
    hook runs over nothing. Nothing is left that a kill could leave half.
    """
    for mark, what in _UNDER_WAY.items():
        if _git_path(root, mark).exists():
            return f"a {what} is under way; finish it or `git {what} --abort`"
    if not _ask(root, "symbolic-ref", "--quiet", "HEAD"):
        return "HEAD is on no branch; `git switch BRANCH` first"
    held = next((lock for lock in _locks(root) if lock.exists()), None)
    if held:
        return f"{held} is there; end the git that holds it, or remove it when none does"
    if not os.access(_git_path(root, "."), os.W_OK):
        return f"{_git_path(root, '.')} cannot be written; ask its owner"
    signs = (_ask(root, "config", "--type=bool", "commit.gpgsign") or "").strip() == "true"
    try:
        git(root, "diff", "--cached", "--stat")  # is the index readable?
        git(root, "commit-tree", *(["-S"] if signs else []), "HEAD^{tree}", "-p", "HEAD", "-m", "?")
        git(root, "hook", "run", "--ignore-missing", "pre-commit")
    except StageError as error:
        # git before 2.36 runs no hook by itself; whether one refuses is then seen at the commit.
        return None if "not a git command" in str(error) else str(error)
    return None


def commit_all(root: Path, message: str) -> None:
    """Commit every change below `root`, if any; what a killed writer left half is none."""
    git(root, "add", "--all", "--", ".", ":(exclude,glob)**/.*.part*")
    if _ask(root, "diff", "--cached", "--quiet") is None:
        git(root, "commit", "--quiet", "--message", message)


def drop_locks(root: Path, patience: float = 5.0) -> None:
    """Remove the locks that a killed git of ours left; a living git is waited for first."""
    end = time.monotonic() + patience
    while any(lock.exists() for lock in _locks(root)) and time.monotonic() < end:
        time.sleep(0.1)
    for lock in _locks(root):
        lock.unlink(missing_ok=True)


def _locks(root: Path) -> list[Path]:
    """The files with which git locks what a commit changes."""
    branch = (_ask(root, "symbolic-ref", "--quiet", "HEAD") or "HEAD").strip()
    return [_git_path(root, f"{name}.lock") for name in ("index", "HEAD", branch)]


def _top(root: Path) -> Path | None:
    """The nearest folder with `.git`, whether or not git can read it."""
    here = root.resolve()
    return next((at for at in (here, *here.parents) if os.path.lexists(at / ".git")), None)


def _git_path(root: Path, name: str) -> Path:
    return root / git(root, "rev-parse", "--git-path", name).strip()


def _ask(root: Path, *arguments: str) -> str | None:
    """The output of a git command that says no with exit code 1; None for no."""
    try:
        return git(root, *arguments)
    except _Silent:
        return None


class _Silent(StageError):
    """git failed without a word: the answer is no."""


def _run(root: Path, arguments: Sequence[str]) -> bytes:
    # Of this folder's repository, whatever a hook or a shell has set; as it is, not as replaced.
    kept = {k: v for k, v in os.environ.items() if k not in _ELSEWHERE}
    kept |= {"LC_ALL": "C", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        run = subprocess.run(
            ["git", *arguments], cwd=root, env=kept, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise StageError("git is not installed, and lineage asks it for revisions") from error
    said = run.stderr.decode(errors="replace").strip()
    if run.returncode or "ignoring broken ref" in said:
        if run.returncode == 1 and not said:
            raise _Silent(f"git {arguments[0]} says no")
        raise StageError(f"git {arguments[0]} failed: {_brief(said)}{_advice(said, root)}")
    return run.stdout


def _brief(said: str) -> str:
    """git's page of words as one line: its verdict, else its first."""
    lines = [line.strip() for line in said.splitlines() if line.strip()] or ["no word"]
    verdicts = [line for line in lines if line.startswith(("fatal:", "error:"))]
    return (verdicts or lines)[0]


def _advice(said: str, root: Path) -> str:
    """What to do about git's sentence."""
    advice = {
        "dubious ownership": "this clone belongs to another user; if you trust it, "
        f"`git config --global --add safe.directory {root.resolve()}`",
        "not a git repository": _RESTORE,
        "ident": 'say who commits: `git config user.name "..."` and `git config user.email ...`',
        "gpg failed": "mend the signing key, or `git config commit.gpgsign false`",
        "broken ref": "`git fsck` names it; mend or delete it",
        ".lock'": "end the git that holds it, or remove that file when none does",
        "bad ": "`git fsck` and `git config --list` say more; mend it or clone anew",
        "missing": "`git fsck` says what is missing; clone anew",
    }
    found = next((text for mark, text in advice.items() if mark in said), "")
    return f"; {found}" if found else ""
