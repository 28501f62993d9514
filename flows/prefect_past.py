"""The past of Prefect's own database: runs that ended long ago, counted and removed.

Prefect's server has the code that removes (its database vacuum); it is called here once, on a
database that no server holds.
"""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.errors import StageError

ENDED = ("COMPLETED", "FAILED", "CRASHED", "CANCELLED")


def database(home: Path) -> Path:
    """The file of our own server's database."""
    return home / "prefect" / "prefect.db"


def old_runs(path: Path, days: float) -> int:
    """How many runs ended more than `days` ago; 0 without a database.

    Raises StageError where it cannot be read.
    """
    if not path.is_file():
        return 0
    before = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")
    marks = ", ".join("?" * len(ENDED))
    asked = f"select count(*) from flow_run where state_type in ({marks}) and end_time < ?"
    with _said(path), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute(asked, (*ENDED, before)).fetchone()[0])


def drop_old_runs(path: Path, days: float) -> None:
    """Remove those runs with their task runs, logs, artifacts and events, and shrink the file.

    Only while no server holds the database: for the holder of the workspace.
    """
    if not path.is_file():
        return
    asyncio.run(_vacuum(path, timedelta(days=days)))
    with _said(path), closing(sqlite3.connect(path)) as connection:
        connection.execute("vacuum")


async def _vacuum(path: Path, age: timedelta) -> None:
    from prefect.server.database import provide_database_interface
    from prefect.server.services import db_vacuum
    from prefect.settings import (
        PREFECT_API_DATABASE_CONNECTION_URL,
        PREFECT_SERVER_EVENTS_RETENTION_PERIOD,
        PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD,
        temporary_settings,
    )

    settings = {
        PREFECT_API_DATABASE_CONNECTION_URL: f"sqlite+aiosqlite:///{path}",
        PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD: age,
        PREFECT_SERVER_EVENTS_RETENTION_PERIOD: age,
    }
    with temporary_settings(settings):
        database = provide_database_interface()
        await db_vacuum.vacuum_old_flow_runs(db=database)
        await db_vacuum.vacuum_old_events(db=database)
        await db_vacuum.vacuum_orphaned_logs(db=database)
        await db_vacuum.vacuum_orphaned_artifacts(db=database)
        await (await database.engine()).dispose()


@contextmanager
def _said(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise StageError(f"Prefect's database {path} cannot be read ({error})") from error
