"""Remotes that are no folders (S3 and others): which objects they hold, and their removal.

DVC's own file systems reach them. Looked for is by hash alone: nothing is downloaded, so nothing
there is compared by look.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import StageError
from pipeline.lineage.corpus import Place


@dataclass
class Clouds:
    """The remotes that answer, by name, and the reasons of those that do not."""

    stores: dict[str, Any] = field(default_factory=dict)
    silent: dict[str, str] = field(default_factory=dict)

    def holding(self, objects: Iterable[str]) -> dict[str, list[str]]:
        """Which of these objects each remote holds; one that does not answer moves to `silent`."""
        found, asked = dict[str, list[str]](), sorted(objects)
        for name, store in list(self.stores.items()):
            try:
                found[name] = sorted(store.list_oids_exists(asked)) if asked else []
            except Exception as error:  # every file system has errors of its own
                self.silent[name] = _said(error)
                del self.stores[name]
        return found

    def remove(self, objects: Iterable[str]) -> dict[str, int]:
        """Remove these objects from each remote; how many each held.

        Raises StageError for a remote that does not let go of one: what is gone stays gone, and the
        same call goes on.
        """
        removed = dict[str, int]()
        for name, held in self.holding(objects).items():
            store = self.stores[name]
            try:
                for oid in held:
                    store.fs.remove(store.oid_to_path(oid))
            except Exception as error:
                raise StageError(
                    f"remote {name} does not let its objects be removed ({_said(error)}); "
                    "mend the access, then the same command goes on"
                ) from error
            removed[name] = len(held)
        return removed


def clouds(place: Place) -> Clouds:
    """The remotes of a clone with an address of a scheme; those that DVC cannot open are silent."""
    found = Clouds()
    named = [name for name, url in place.unreached.items() if "://" in str(url)]
    if not named:
        return found
    from dvc.repo import Repo

    with Repo(str(place.root)) as repo:
        for name in named:
            try:
                found.stores[name] = repo.cloud.get_remote_odb(name=name)
            except Exception as error:
                found.silent[name] = _said(error)
    return found


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
