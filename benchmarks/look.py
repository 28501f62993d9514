"""Looking through a corpus: `python benchmarks/look.py [--view N --sql N --stream N]`.

On synthetic manifests (benchmarks/lineage.py) of so many clips: how long the first page of
`pallor view` takes with its server and index warm, and how long the slowest of a set of questions
to `pallor find` and `pallor sql` takes. Then what training takes from shards (look_streaming.py):
memory at so many clips, and time at the main study's 176. A table, then one JSON line.
"""

import argparse
import json
import shutil
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import uvicorn
from lineage import synthetic, timed, write_manifests
from look_streaming import against_memory, peak

from flows.look import Shown, application
from pipeline.lineage import filters, sql
from pipeline.lineage.corpus import Place
from pipeline.lineage.database import Index
from pipeline.lineage.explain import Scope
from pipeline.lineage.index import open_index
from pipeline.look import grid
from pipeline.workspace import Workspace

PAGE = ("/", "/style.css", "/look.css", "/grid.js", "/dom.js", "/api/about", "/api/clips?")
TIMES = 5
SQL = {
    "classes and states": "SELECT label, status, count(*) FROM clip GROUP BY ALL ORDER BY ALL",
    "people a side": "SELECT side, sex, count(DISTINCT subject) FROM seen "
    "JOIN placed ON placed.clip = seen.id WHERE draw = 'clean' GROUP BY ALL ORDER BY ALL",
    "oldest of each class": "SELECT label, max(age), arg_max(id, age) FROM seen GROUP BY ALL",
}
FIND = {
    "sex and age": {"sex": "female", "age": "60:"},
    "class on the test side": {"label": "FD1", "side": "clean:test"},
    "class, sex and band": {"label": "FD3-L", "sex": "male", "band": "60+"},
}


def main() -> None:
    """Print a row a question; the last line is JSON."""
    page = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    page.add_argument("--view", type=int, default=100_000)
    page.add_argument("--sql", type=int, default=1_000_000)
    page.add_argument("--stream", type=int, default=100_000)
    options = page.parse_args()
    with corpus(options.view) as scope:
        view = first_page(scope)
    print(f"first page of {options.view} clips: {view['how']}, {view['ms']:.0f} ms", flush=True)
    with corpus(options.sql) as scope:
        asked = {name: 1000 * timed(ask) for name, ask in questions(scope.database).items()}
    for name, found in asked.items():
        print(f"{options.sql} clips, {name}: {found:.0f} ms", flush=True)
    cost = against_memory(176)
    print(f"176 clips from shards: {cost['ratio']:.3f} of the time from memory", flush=True)
    most = peak(options.stream)
    print(f"{options.stream} clips from shards: {most['mb']} MB, {most['seconds']} s", flush=True)
    print(json.dumps({
        "view_clips": options.view, "view_first_page_ms": round(view["ms"]),
        "view_how": view["how"], "sql_clips": options.sql, "sql_ms": round(max(asked.values())),
        "streaming_clips": options.stream, "streaming_peak_mb": most["mb"],
        "streaming_vs_memory": round(cost["ratio"], 3),
    }))  # fmt: skip


@contextmanager
def corpus(clips: int) -> Iterator[Scope]:
    """The manifests of so many clips and their index, warm."""
    with tempfile.TemporaryDirectory(prefix="pallor-look-") as scratch:
        root = Path(scratch)
        files, study = Workspace("synthetic", root), synthetic()
        write_manifests(files, study, clips)
        with closing(open_index(files, study, root / "index.duckdb")) as index:
            yield Scope(index, Place(root, root / "home", root / "cache", {}), study)


def questions(index: Index) -> dict[str, Callable[[], object]]:
    """What people and scripts ask, each answered whole; a page of the grid at the end."""
    found = {f"find {name}": _find(index, asked) for name, asked in FIND.items()}
    found |= {f"sql {name}": _sql(index, query) for name, query in SQL.items()}
    return found | {"a page in the middle": lambda: grid.page(index, {"sex": "female"}, "id", 99)}


def _find(index: Index, asked: dict[str, str]) -> Callable[[], object]:
    return lambda: filters.find(index, filters.meant(index, asked))


def _sql(index: Index, query: str) -> Callable[[], object]:
    return lambda: list(sql.rows(index, query))


def first_page(scope: Scope) -> dict:
    """Median ms until the first page stands: in Chromium where there is one, else by HTTP alone."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = application(Shown(scope, scope.place.home))
    running = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    thread = threading.Thread(target=running.run, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    base = f"http://127.0.0.1:{port}"
    try:
        found = shutil.which("chromium")
        times = in_chromium(base, found) if found else by_http(base)
    finally:
        running.should_exit = True
        thread.join()
    return {"how": "Chromium" if found else "HTTP", "ms": statistics.median(times[1:])}


def by_http(base: str) -> list[float]:
    """Milliseconds of each load: everything that the page asks for, one after the other."""
    times = []
    with httpx.Client(base_url=base, trust_env=False) as client:
        for _ in range(TIMES + 1):
            begun = time.perf_counter()
            for path in PAGE:
                client.get(path).raise_for_status()
            times.append(1000 * (time.perf_counter() - begun))
    return times


def in_chromium(base: str, program: str) -> list[float]:
    """Milliseconds of each load until the grid stands, by a browser with an empty cache."""
    from playwright.sync_api import sync_playwright

    times = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program, headless=True, args=["--no-sandbox", "--disable-gpu"]
        )
        for _ in range(TIMES + 1):
            page = browser.new_context().new_page()
            begun = time.perf_counter()
            page.goto(base)
            page.wait_for_selector("html[data-ready=yes]")
            times.append(1000 * (time.perf_counter() - begun))
            assert page.locator(".clip").count() == grid.SIZE
            page.context.close()
        browser.close()
    return times


if __name__ == "__main__":
    main()
