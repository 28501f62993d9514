"""Files written whole or not at all, and the digests that name them."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import StageError


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
    """SHA-256 over the names and bytes of the files below `root` that match `pattern`."""
    files = sorted(p for p in root.glob(pattern) if p.is_file() and "__pycache__" not in p.parts)
    return digest([[str(p.relative_to(root)), file_digest(p)] for p in files])


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


def read_json(path: Path) -> Any:
    """The JSON value of a file, or StageError when the file is missing or broken."""
    if not path.is_file():
        raise StageError(f"{path} is missing; run `pallor run` to make it")
    try:
        return json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise StageError(f"{path} is not JSON ({error}); delete it and run again") from error


def write_jsonl(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    """One canonical JSON object a line, in the order given."""
    with writing(path) as part:
        part.write_text("".join(canonical(row) + "\n" for row in rows))


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSON-lines file, or StageError naming the broken line."""
    if not path.is_file():
        raise StageError(f"{path} is missing; run `pallor run` to make it")
    rows = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError as error:
            raise StageError(f"{path} line {number} is not JSON; run its stage again") from error
    return rows
