"""The index: people, portraits, clips and samples of a study in DuckDB, and what ties them.

It holds nothing that the tables and the clips' own files do not, and is made anew when a table or
`dvc.lock` has changed. DuckDB reads the tables itself, so a million clips load in seconds.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from pipeline.errors import StageError
from pipeline.files import digest, file_digest, stream_jsonl, writing
from pipeline.lineage import measures
from pipeline.lineage.database import Index, Row, read_only
from pipeline.lineage.loading import load_answers, load_faces, load_plan, load_samples
from pipeline.study import Study
from pipeline.workspace import Workspace

# Counted once: over a million windows a count or join takes as long as a person waits. `placed` are
# the clips with a window on a side of a draw.
COUNTS = """
CREATE TABLE balance AS SELECT task, draw, side, label, count(*) AS n
    FROM side GROUP BY ALL;
CREATE TABLE family AS SELECT draw, family AS id, side, count(*) AS n
    FROM sample JOIN side ON side.sample = sample.id WHERE task = '' GROUP BY ALL;
CREATE TABLE placed AS SELECT DISTINCT side.draw, side.side, sample.clip
    FROM side JOIN sample ON sample.id = side.sample WHERE side.task = '' ORDER BY ALL;
CREATE TABLE shared AS SELECT draw, id FROM family GROUP BY ALL HAVING count(*) > 1;
"""
# What people ask by: a row a clip, with who is seen in it and how the main model errs on it.
SEEN = """
CREATE TABLE seen AS
    SELECT clip.*, coalesce(portrait.person, clip.person) AS subject,
           who.age, who.sex, who.ethnicity, tone.tone, error.error
    FROM clip LEFT JOIN portrait ON portrait.id = clip.portrait
    LEFT JOIN person who ON who.id = coalesce(portrait.person, clip.person)
    LEFT JOIN tone ON tone.clip = clip.id
    LEFT JOIN (SELECT clip, error FROM error JOIN main USING (task, model, protocol)) error
           ON error.clip = clip.id
    ORDER BY clip.id;
"""


def open_index(files: Workspace, study: Study, path: Path) -> Index:
    """The index of a study, kept at `path`; made anew when a table of it has changed.

    Tables that do not exist yet are left out. Raises StageError when there is no plan.
    """
    now = _fingerprint(files, study)
    if not path.is_file() or _made_from(path) != now:
        with writing(path) as part:
            try:
                with closing(duckdb.connect(str(part))) as database:
                    build(database, files, study, path)
                    database.execute("CREATE TABLE source AS SELECT ? AS digest", [now])
            finally:
                Path(f"{part}.wal").unlink(missing_ok=True)
    return read_only(path)


def build(
    database: duckdb.DuckDBPyConnection, files: Workspace, study: Study, before: Path
) -> None:
    """Fill an empty database from the tables of a study.

    What an index `before` has measured of files that are still the same is not measured again.
    """
    load_plan(database, files.plan)
    load_faces(database, files.faces)
    database.execute(
        "CREATE TABLE trial (id VARCHAR, kind VARCHAR, task VARCHAR, model VARCHAR, "
        "protocol VARCHAR, draw VARCHAR)"
    )
    database.executemany("INSERT INTO trial VALUES (?, ?, ?, ?, ?, ?)", list(_trials(study)))
    load_samples(database, _tables(files, study))
    load_answers(database, _answers(files, study), main_trial(study))
    measures.load(database, files, before)
    database.execute(COUNTS + SEEN)


def stream(path: Path) -> Iterator[Row]:
    """The rows of a JSON-lines file one by one; none when it does not exist."""
    if path.is_file():
        yield from stream_jsonl(path)


def main_trial(study: Study) -> tuple[str, str, str]:
    """(task, model, protocol) of the study's first trial, of a protocol without a leak if any."""
    leaky = {name: rules.leaky for name, rules in study.protocols.items()}
    return min(study.trials(), key=lambda trial: leaky[trial[2]])


def _tables(files: Workspace, study: Study) -> dict[tuple[str, str], Path]:
    """(task, draw) > table; without a task the split's, which comes first."""
    draws = [draw for _, draw in study.draws()]
    asked = {(t, draw): files.training_samples(t, draw) for t in study.tasks for draw in draws}
    return {("", draw): files.samples(draw) for draw in draws} | asked


def _answers(files: Workspace, study: Study) -> dict[tuple[str, str, str, str], Path]:
    """(task, model, protocol, draw) > what the model said of its test side."""
    return {
        (task, model, protocol, draw): files.answers(task, model, draw)
        for task, model, protocol in study.trials()
        for draw in study.protocols[protocol].draws(protocol)
    }


def _trials(study: Study) -> Iterator[tuple[str, str, str, str, str, str | None]]:
    for task, model, protocol in study.trials():
        name = f"{task}/{model}"
        yield f"metric:{name}/{protocol}", "metric", task, model, protocol, None
        for draw in study.protocols[protocol].draws(protocol):
            yield f"model:{name}/{draw}", "model", task, model, protocol, draw


def _fingerprint(files: Workspace, study: Study) -> str:
    if not files.plan.is_file():
        raise StageError(
            f"{files.plan} is missing; run `pallor run --study {study.name}` to make the corpus"
        )
    rows = [files.faces / name for name in ("faces.jsonl", "quarantine.jsonl")]
    tables = [files.plan, *rows, *_tables(files, study).values(), *_answers(files, study).values()]
    stats: list[Any] = [(str(table), table.stat()) for table in tables if table.is_file()]
    stats += [(str(folder), folder.stat()) for folder in (files.clips,) if folder.is_dir()]
    lock = file_digest(files.lock) if files.lock.is_file() else None
    own = [file_digest(path) for path in sorted(Path(__file__).parent.glob("*.py"))]
    made = [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]
    return digest([own, duckdb.__version__, study.model_dump(mode="json"), lock, *made])


def _made_from(path: Path) -> str | None:
    try:
        with closing(read_only(path)) as index:
            row = index.one("SELECT digest FROM source")
    except duckdb.Error:
        return None
    return row["digest"] if row else None
