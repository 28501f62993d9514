"""The command that looks through a corpus in a browser: `pallor view`."""

from argparse import ArgumentParser, Namespace

from flows.commands.options import add_study
from flows.workspace import home

PORT = 8322  # beside that of `pallor web`


def view_options(page: ArgumentParser) -> None:
    """What `pallor view` can be asked."""
    add_study(page)
    page.add_argument("--port", type=int, default=PORT, help=f"default: {PORT}")


def view(options: Namespace) -> None:
    """`pallor view`: the corpus on loopback until Ctrl-C."""
    from flows.web import HOST, require_free

    require_free(options.port)
    import uvicorn

    from flows.commands.lineage import scope_of
    from flows.look import Shown, application

    scope = scope_of(options.study)
    try:
        app = application(Shown(scope, home()))
        print(f"{scope.study.name}: http://{HOST}:{options.port}/ (Ctrl-C stops it)", flush=True)
        uvicorn.run(app, host=HOST, port=options.port, log_level="warning", access_log=False)
    except KeyboardInterrupt:
        pass
    finally:
        scope.database.close()
    print("stopped")
