"""Commands on lineage: explain, find, verify, forget, diff, release."""

import json
from argparse import Namespace
from configparser import ConfigParser
from contextlib import closing
from pathlib import Path

from flows.workspace import LOCKS, home, require_workspace
from pipeline.files import writing
from pipeline.lineage.corpus import Workspace

INDEX = LOCKS / "pallor-lineage.sqlite"


def workspace() -> Workspace:
    """The clone in the current folder, with DVC's cache and those remotes that are folders."""
    require_workspace()
    folder = Path(".dvc")
    config = ConfigParser()
    config.read([folder / "config", folder / "config.local"])
    cache = config.get("cache", "dir", fallback="cache")
    remotes = {
        section.strip("'").removeprefix('remote "').removesuffix('"'): config[section]["url"]
        for section in config.sections()
        if section.strip("'").startswith("remote ")
    }
    return Workspace(
        root=Path("."),
        home=home(),
        cache=folder / cache,
        remotes={name: folder / url for name, url in remotes.items() if "://" not in url},
    )


def explain(options: Namespace) -> None:
    """`pallor explain`: one id, backwards and forwards."""
    from pipeline.lineage import explain as lineage
    from pipeline.lineage import page
    from pipeline.lineage.index import open_index

    place = workspace()
    with closing(open_index(place.root, INDEX)) as database:
        answer = lineage.explain(database, options.id, place)
    if options.html:
        with writing(Path(options.html)) as part:
            part.write_text(page.html(answer))
        print(Path(options.html).absolute().as_uri())
    else:
        print(json.dumps(answer, indent=2) if options.json else page.text(answer))


def find(options: Namespace) -> None:
    """`pallor find`: the clips that fit, one id a line."""
    from pipeline.lineage import query
    from pipeline.lineage.index import open_index

    place = workspace()
    filters = {name: vars(options)[name] for name in query.FILTERS if vars(options)[name]}
    protocol, _, side = (options.side or "").partition(":")
    with closing(open_index(place.root, INDEX)) as database:
        clips = query.find(database, filters, (protocol, side) if side else None)
    print("\n".join(clips) if clips else "no clip fits")
