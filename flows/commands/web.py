"""The command that shows a study's models in a browser: `pallor web`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from flows.commands.options import add_study
from flows.workspace import home, require_workspace

PORT = 8321  # of no well-known service


def web_options(page: ArgumentParser) -> None:
    """What `pallor web` can be asked."""
    add_study(page)
    page.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")
    page.add_argument(
        "-o", "--out", metavar="DIR", help="write the pages for a static host, and serve nothing"
    )


def web(options: Namespace) -> None:
    """`pallor web`: the pages of a study, on loopback or in a folder."""
    require_workspace()
    if options.out:
        _write(options.study, Path(options.out))
    else:
        _serve(options.study, options.port)


def _write(name: str, folder: Path) -> None:
    from flows.studies import opened
    from pipeline.errors import StageError
    from pipeline.exports.page import write_site
    from pipeline.exports.parts import fetch_parts

    if folder.is_dir() and any(folder.iterdir()) and not (folder / "files.json").is_file():
        raise StageError(f"{folder} holds something that is no site; name a new folder")
    workspace, study, params = opened(name)
    write_site(workspace, study, params, fetch_parts(home()), folder)
    print(f"{folder}: the pages of {name}, for any static host")


def _serve(name: str, port: int) -> None:
    from flows.web import HOST, Site, server
    from pipeline.errors import StudyError
    from pipeline.naming import nearest
    from pipeline.study_checks import known_studies
    from pipeline.workspace import Workspace

    workspace = Workspace(name)
    if name not in known_studies():
        raise StudyError(f"there is no study '{name}'; {nearest(name, known_studies())}")
    site = Site(workspace, home())
    with server(site, port) as serving:
        try:
            print(f"{name}: http://{HOST}:{serving.server_port}/ (Ctrl-C stops it)", flush=True)
            if not site.fresh():
                print("the study's models are being exported, some ten seconds", flush=True)
            site.prepare(lambda line: print(line, flush=True))
            serving.serve_forever()
        except KeyboardInterrupt:
            print("stopped")
