"""The server behind `pallor view`: a study's corpus as JSON and pictures, on loopback alone."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.middleware.trustedhost import TrustedHostMiddleware

from flows.web import HEADERS, HOST
from pipeline.errors import ClipError, PallorError, StageError
from pipeline.exports.page import LOOK, PAGES
from pipeline.lineage import query
from pipeline.lineage.database import Index, Row
from pipeline.lineage.explain import Scope, explain
from pipeline.lineage.filters import choices
from pipeline.lineage.index import main_trial
from pipeline.look import clip, grid, twins
from pipeline.look.beside import beside
from pipeline.look.versions import Version, version_of, versions
from pipeline.look.why import why
from pipeline.workspace import Workspace

PAGED = ("page", "size", "order")  # of a question; every other name is an attribute
POLICY = HEADERS["Content-Security-Policy"].replace(" 'wasm-unsafe-eval'", "")


@dataclass(frozen=True)
class Shown:
    """The corpus that is looked through: where an answer is sought, and where twins are kept."""

    scope: Scope
    home: Path

    @property
    def index(self) -> Index:
        return self.scope.database

    @property
    def files(self) -> Workspace:
        return self.scope.files

    def film(self, row: Row, crop: bool) -> Path:
        """The film of a clip's whole frames, or of its crops."""
        return self.files.faces / f"{row['id']}.mp4" if crop else clip.film(self.files, row)

    def version(self, name: str, revision: str) -> Version:
        """A clip as a revision of git has it."""
        return version_of(self.scope.place, self.scope.study.name, self.index, name, revision)


def application(shown: Shown) -> FastAPI:
    """The pages, their questions (`/api`) and their pictures; nothing can be changed."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.middleware("http")(_guarded)
    app.exception_handler(PallorError)(_sentence)
    _add_questions(app, shown)
    _add_pictures(app, shown)
    for name in ("style.css", "icon.svg"):
        app.get(f"/{name}")(_file(PAGES / name))
    app.mount("/", StaticFiles(directory=PAGES / LOOK, html=True))
    return app


def _add_questions(app: FastAPI, shown: Shown) -> None:
    study = shown.scope.study
    fixed = {  # as long as the index is open, which is never written
        "study": study.name, "title": study.title, "question": study.question,
        "counts": grid.counts(shown.index), "choices": choices(shown.index),
        "orders": list(grid.ORDERS), "main": " ".join(main_trial(study)),
    }  # fmt: skip

    @app.get("/api/about")
    def about() -> dict[str, Any]:
        return {**fixed, "films": _films(shown.files)}

    @app.get("/api/clips")
    def clips(request: Request) -> dict[str, Any]:
        asked = dict(request.query_params)
        filters = {name: value for name, value in asked.items() if name not in PAGED and value}
        number, size = (_whole(asked.get(name) or usual, name)
                        for name, usual in (("page", 1), ("size", grid.SIZE)))  # fmt: skip
        found = grid.page(shown.index, filters, asked.get("order") or "id", number, size)
        for row in found["clips"]:
            row["film"] = clip.film(shown.files, row).is_file()
        return found

    @app.get("/api/versions")
    def known() -> list[dict[str, str]]:
        return versions(shown.scope.place, study.name)

    @app.get("/api/clip/{name:path}")
    def one(name: str, revision: str = "") -> dict[str, Any]:
        if revision:
            return _of_version(shown.version(name, revision))
        found = clip.about(shown.files, shown.index, name)
        whole, crop = (shown.film(found["clip"], cut) for cut in (False, True))
        return {**found, "film": _film(whole), "crop": _film(crop)}

    @app.get("/api/why/{name:path}")
    def reason(name: str) -> dict[str, Any]:
        row = clip.row_of(shown.index, name)
        draw = beside(shown.index, row)["draw"]
        return why(shown.files, study, shown.index, row, draw)

    @app.get("/api/lineage/{name:path}")
    def lineage(name: str) -> dict[str, Any]:
        return explain(shown.scope, name)


def _add_pictures(app: FastAPI, shown: Shown) -> None:
    def film_of(name: str, crop: bool) -> tuple[Row, Path]:
        row = clip.row_of(shown.index, name)
        return row, shown.film(row, crop)

    @app.get("/twin/{name}.mp4")
    def twin(name: str, crop: bool = False) -> FileResponse:
        row, film = film_of(name, crop)
        return FileResponse(twins.playable(film, shown.home, _rights(shown.index, row)))

    @app.get("/strip/{name}.webp")
    def strip(name: str, crop: bool = False, revision: str = "") -> FileResponse:
        if revision:
            version = shown.version(name, revision)
            return FileResponse(twins.strip(version.film(), shown.home, version.row["clip_id"]))
        return FileResponse(twins.strip(film_of(name, crop)[1], shown.home))

    @app.get("/still/{name}.webp")
    def still(name: str, crop: bool = False) -> Response:
        return Response(twins.still(film_of(name, crop)[1]), media_type="image/webp")

    @app.get("/portrait/{name}.png")
    def portrait(name: str) -> FileResponse:
        row = query.row_of(shown.index, "portrait", name)
        path = shown.files.portraits / f"{row['id']}.png"
        if not path.is_file():
            raise StageError(f"the portrait {path} is gone; `pallor run` brings it back")
        return FileResponse(path)


async def _guarded(
    request: Request, answer: Callable[[Request], Awaitable[Response]]
) -> Response:  # fmt: skip
    found = await answer(request)
    found.headers.update({**HEADERS, "Content-Security-Policy": POLICY})
    return found


async def _sentence(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": str(error)}, 404 if isinstance(error, ClipError) else 400)


def _of_version(version: Version) -> dict[str, Any]:
    try:
        film = _film(version.film())
    except ClipError as error:
        film = {"error": str(error)}
    return {**version.about(), "boxes": [], "film": film}


def _film(path: Path) -> dict[str, Any]:
    """What a page must know to draw a strip of frames; or why there is none."""
    try:
        frames, rate = twins.read_film(path)
    except ClipError as error:
        return {"error": f"{error}; `dvc checkout` or `pallor run` brings it back"}
    every = twins.step(len(frames))
    _, height, width, _ = frames.shape
    return {
        "frames": len(frames[::every]), "step": every, "columns": twins.columns(len(frames)),
        "width": width, "height": height, "fps": rate,
    }  # fmt: skip


def _films(files: Workspace) -> int:
    folders = (files.clips, files.transferred)
    names = (os.listdir(folder) for folder in folders if folder.is_dir())
    return sum(name.endswith(".mp4") for found in names for name in found)


def _rights(index: Index, row: Row) -> str:
    found = index.column("SELECT licence FROM portrait WHERE id = $id", id=row["portrait"])
    return str(found[0]) if found else ""


def _whole(text: str | int, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise StageError(f"'{text}' is no {name}; give a whole number") from error


def _file(path: Path) -> Callable[[], FileResponse]:
    return lambda: FileResponse(path)
