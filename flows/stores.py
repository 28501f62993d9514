"""Where DVC keeps this clone's objects: DVC itself is asked, over all levels of its configuration.

A cache or a remote may be set for the machine, the user, the clone or this checkout alone.
"""

from pathlib import Path

from flows.workspace import home, require_workspace
from pipeline.errors import StageError
from pipeline.lineage.corpus import Place


def place() -> Place:
    """The clone in the current folder with DVC's cache and its remotes; those that are no folders,
    or are not there (a disk that is not mounted), stand in `unreached` by their address.

    Raises StageError for a configuration that DVC cannot read.
    """
    require_workspace()
    from dvc.config import Config, ConfigError
    from dvc.fs import get_fs_config

    try:
        config = Config(dvc_dir=".dvc")
        cache = config["cache"]
        named = cache.get("local")
        own = get_fs_config(config, name=named)["url"] if named else cache.get("dir", ".dvc/cache")
        urls = {name: get_fs_config(config, name=name)["url"] for name in config["remote"]}
    except ConfigError as error:
        raise StageError(
            f"DVC cannot read its configuration: {error}; `dvc config --list`"
        ) from error
    paths = {name: folder for name, url in urls.items() if (folder := _folder(url))}
    folders = {name: folder for name, folder in paths.items() if folder.is_dir()}
    return Place(
        root=Path("."),
        home=home(),
        cache=_folder(own) or Path(".dvc/cache"),
        remotes=folders,
        unreached={name: url for name, url in urls.items() if name not in folders},
        shared="shared" in cache,
        unversioned=bool(config["core"].get("no_scm")),
    )


def require_git() -> None:
    """Raise StageError where DVC would look for a git repository and finds none."""
    here = Path.cwd()
    if not place().unversioned and not any(
        (top / ".git").exists() for top in (here, *here.parents)
    ):
        raise StageError(
            f"{here} has no .git, here or above, and DVC keeps its record beside git's; work in "
            "a `git clone`, or `git init` and commit first, or `dvc config core.no_scm true`"
        )


def _folder(url: str) -> Path | None:
    """The folder behind a remote's address, relative to here where it lies below; else None."""
    path = Path(url.removeprefix("file://"))
    if "://" in str(url).removeprefix("file://"):
        return None
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
