"""Files written whole or not at all, and the digests that name them."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import Any

from pipeline.errors import StageError

# What systems and editors leave behind in any folder, as file or folder; .dvcignore has the same.
STRAYS = (
    "__pycache__", "*.pyc", ".DS_Store", "._*", ".directory", ".fuse_hidden*", ".nfs*", "Thumbs.db",
    "desktop.ini", "*~", "*.bak", "*.orig", "*.rej", ".*.sw?", ".#*", "[#]*#", ".ipynb_checkpoints",
    ".idea", ".vscode",
)  # fmt: skip


def is_stray(path: PurePath) -> bool:
    """Is the file, or a folder it is in, one of STRAYS, which decide no byte of anything?"""
    return any(fnmatchcase(part, pattern) for part in path.parts for pattern in STRAYS)


def canonical(value: Any) -> str:
    """`value` as JSON with sorted keys and no spaces: equal values, equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def digest(value: Any, length: int = 64) -> str:
    """SHA-256 of the canonical JSON of `value`, its first `length` hex digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:length]


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_digest(root: Path, pattern: str = "**/*") -> str:
    """SHA-256 over the names and bytes of the files below `root` that match, but for STRAYS."""
    files = sorted(p for p in root.glob(pattern) if p.is_file())
    named = [(p.relative_to(root), p) for p in files]
    return digest([[str(name), file_digest(p)] for name, p in named if not is_stray(name)])


def child_seed(root: int, *key: str | int) -> int:
    """The 63-bit seed of one item: a hash of the root seed and the item's key.

    Adding an item never shifts another's seed.
    """
    return int(digest([root, *key], 16), 16) >> 1


@contextmanager
def writing(path: Path) -> Iterator[Path]:
    """A temporary neighbour of `path` that takes its name when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def writing_folder(path: Path) -> Iterator[Path]:
    """As `writing`, for a folder: what stood at `path` is replaced as a whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    try:
        yield part
        shutil.rmtree(path, ignore_errors=True)
        os.replace(part, path)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Indented, sorted JSON with a final newline."""
    with writing(path) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with or without byte-order mark; StageError when it is none."""
    if not path.is_file():
        raise StageError(f"{path} is missing; run `pallor run` to make it")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise StageError(
            f"{path} is no text in UTF-8 (byte {error.start}); save it as that, or take it back "
            "from git"
        ) from error


def read_json(path: Path) -> Any:
    """The JSON value of a file, or StageError when the file is missing or broken."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # too many digits or brackets, too
        raise StageError(f"{path} is not JSON ({error}); delete it and run again") from error


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One canonical JSON object a line, in the order given."""
    with writing(path) as part:
        part.write_text("".join(canonical(row) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file, or StageError naming the broken line."""
    return list(stream_jsonl(path))


def stream_jsonl(path: Path) -> Iterator[dict[str, Any]]:
    """As `read_jsonl`, one row after the other; lines end with a line feed and nothing else."""
    if not path.is_file():
        raise StageError(f"{path} is missing; run `pallor run` to make it")
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line.decode("utf-8-sig"))
            except (ValueError, RecursionError) as error:
                raise StageError(
                    f"{path} line {number} is not JSON; run its stage again"
                ) from error
            if not isinstance(row, dict):
                raise StageError(f"{path} line {number} is no JSON object; run its stage again")
            yield row
