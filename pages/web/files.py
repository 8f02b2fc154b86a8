"""Files over HTTP: uploads in, deliverables out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import app
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from errors import InputError, SessionError, SplazMatteError, StorageError, TooLargeError
from pages.web.media import KEEP, missing

if TYPE_CHECKING:
    from app_logic.services import Services
    from app_logic.uploads import Uploads
    from results import Result

TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm"}


def register(services: Services, uploads: Uploads) -> None:
    """Add the routes for files."""

    @app.post("/upload")
    async def upload(request: Request, name: str = "", kind: str = "matting") -> JSONResponse:
        side = services.sides.get(kind)
        if side is None:
            return missing("there is no such kind of session")
        try:
            size = request.headers.get("content-length", "")
            uploads.check(int(size) if size.isdigit() else None)
            path = await uploads.receive(request.stream())
            session = await run_in_threadpool(uploads.accept, path, name, side.create)
            session_id = str(session.state.id)
            await run_in_threadpool(side.work.extract, session_id)
        except ClientDisconnect:
            return JSONResponse({"error": "the upload was cut off"}, 400)
        except SplazMatteError as error:
            return JSONResponse({"error": str(error)}, _status(error), headers={"Connection": "close"})
        return JSONResponse({"session": session_id})

    @app.get("/media/{session}/file/{name}")
    async def play(request: Request, session: str, name: str) -> Response:
        try:
            found = await run_in_threadpool(_one, services, session, name)
        except SplazMatteError as error:
            return missing(str(error))
        if found.path.is_dir():
            return missing(f"{name} is a folder; download it")
        keep = KEEP if request.query_params.get("v") else "no-store"
        return FileResponse(found.path, media_type=TYPES.get(found.path.suffix), headers={"Cache-Control": keep})

    @app.get("/cloud/{session}/{name}")
    async def cloud(session: str, name: str) -> Response:
        """Lead to what is up of a session: a page may be open for longer than a signed link holds."""
        try:
            side = services.side_of(session)
            found = await run_in_threadpool(side.links, session)
        except SplazMatteError as error:
            return missing(str(error))
        url = next((link.url for link in found if link.format == name), None)
        headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
        return RedirectResponse(url, 302, headers) if url else missing(f"{name} is not in the cloud")

    @app.get("/download/{session}/all.zip")
    async def several(session: str, formats: str = "") -> Response:
        try:
            chosen = await run_in_threadpool(_chosen, services, session, [name for name in formats.split(",") if name])
        except SplazMatteError as error:
            return missing(str(error))
        return _zip(chosen, f"{chosen[0].stem}.zip")

    @app.get("/download/{session}/{name}")
    async def single(session: str, name: str) -> Response:
        try:
            found = await run_in_threadpool(_one, services, session, name)
        except SplazMatteError as error:
            return missing(str(error))
        if found.path.is_dir():
            return _zip([found], f"{found.name}.zip")
        return FileResponse(found.path, media_type=TYPES.get(found.path.suffix), filename=found.name)


def _chosen(services: Services, session: str, names: list[str]) -> list[Result]:
    side = services.side_of(session)
    return side.results(side.editor(session).session, names)


def _one(services: Services, session: str, name: str) -> Result:
    return _chosen(services, session, [name])[0]


def _zip(chosen: list[Result], name: str) -> Response:
    from starlette.responses import FileResponse as Named

    from results import zipped

    disposition = Named(__file__, filename=name).headers["content-disposition"]  # its quoting of names
    body = iterate_in_threadpool(zipped(chosen))
    return StreamingResponse(body, media_type="application/zip", headers={"Content-Disposition": disposition})


def _status(error: SplazMatteError) -> int:
    """Return the HTTP status that an error has."""
    if isinstance(error, StorageError):
        return 507
    if isinstance(error, TooLargeError):
        return 413
    return 404 if isinstance(error, SessionError) else 415 if isinstance(error, InputError) else 500
