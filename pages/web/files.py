"""Files over HTTP: uploads in, deliverables out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import app
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse, Response, StreamingResponse

from app_logic.portable import ProjectDesk
from errors import InputError, SessionError, SplazMatteError, StorageError, TooLargeError
from pages.web.media import BYTES, KEEP, get, missing

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import Receive, Scope, Send

    from app_logic.services import Services
    from app_logic.uploads import Uploads
    from results import Result
    from zip_stream import ZipStream

SUFFIX = ".splazproject"
"""Of project files; `projects`, which has it too, loads with the first of them."""
TYPES = {".mp4": "video/mp4", ".mov": "video/quicktime", ".webm": "video/webm"}


def register(services: Services, uploads: Uploads) -> None:
    """Add the routes for files."""
    _take(services, uploads, ProjectDesk(services))
    _show(services)
    _hand_out(services)


def _take(services: Services, uploads: Uploads, projects: ProjectDesk) -> None:
    """Add the routes for videos and projects that come in."""

    @app.post("/upload")
    async def upload(request: Request, name: str = "", kind: str = "matting", project: str = "") -> JSONResponse:
        side = services.sides.get(kind)
        if side is None:
            return missing("there is no such kind of session")
        try:
            length = request.headers.get("content-length", "")
            size = int(length) if length.isdigit() else None
            uploads.check(size)
            if project:
                projects.check(project, size)
            path = await uploads.receive(request.stream())
            if project:
                return JSONResponse(await run_in_threadpool(projects.give, project, path, name))
            if name.lower().endswith(SUFFIX):
                return JSONResponse(await run_in_threadpool(projects.take, path, name))
            session = await run_in_threadpool(uploads.accept, path, name, side.create)
            session_id = str(session.state.id)
            await run_in_threadpool(side.work.extract, session_id)
        except ClientDisconnect:
            return JSONResponse({"error": "the upload was cut off"}, 400)
        except SplazMatteError as error:
            return JSONResponse({"error": str(error)}, _status(error), headers={"Connection": "close"})
        return JSONResponse({"session": session_id})

    @app.post("/upload/forget")
    async def forget(project: str = "") -> JSONResponse:
        projects.forget(project)
        return JSONResponse({})


def _show(services: Services) -> None:
    """Add the routes for results that are played, or opened where they were uploaded to."""

    @get("/media/{session}/file/{name}")
    async def play(request: Request, session: str, name: str) -> Response:
        try:
            found = await run_in_threadpool(_one, services, session, name)
        except SplazMatteError as error:
            return missing(str(error))
        if found.path.is_dir():
            return missing(f"{name} is a folder; download it")
        keep = KEEP if request.query_params.get("v") else "no-store"
        return FileResponse(found.path, media_type=_type(found.path), headers={"Cache-Control": keep})

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


def _hand_out(services: Services) -> None:
    """Add the routes for downloads."""

    @get("/download/{session}/all.zip")
    async def several(session: str, formats: str = "") -> Response:
        try:
            chosen = await run_in_threadpool(_chosen, services, session, [name for name in formats.split(",") if name])
        except SplazMatteError as error:
            return missing(str(error))
        return await _zip(chosen, f"{chosen[0].stem}.zip")

    @get("/download/{session}/{name}/sidecar")
    async def sidecar(session: str, name: str) -> Response:
        try:
            found = await run_in_threadpool(_one, services, session, name)
        except SplazMatteError as error:
            return missing(str(error))
        if found.sidecar is None:
            return missing(f"{name} has no sidecar; deliver it again")
        return FileResponse(found.sidecar, media_type="application/json", filename=found.sidecar_name)

    @get("/download/{session}/{name}")
    async def single(session: str, name: str) -> Response:
        try:
            found = await run_in_threadpool(_one, services, session, name)
        except SplazMatteError as error:
            return missing(str(error))
        if found.path.is_dir():
            return await _zip([found], f"{found.name}.zip")
        return FileResponse(found.path, media_type=TYPES.get(found.path.suffix), filename=found.name)


def _type(path: Path) -> str:
    """Return how browsers take what they play: never as a page, as an imported file may be called anything."""
    return TYPES.get(path.suffix, BYTES)


def _chosen(services: Services, session: str, names: list[str]) -> list[Result]:
    side = services.side_of(session)
    return side.results(side.editor(session).session, names)


def _one(services: Services, session: str, name: str) -> Result:
    return _chosen(services, session, [name])[0]


async def _zip(chosen: list[Result], name: str) -> Response:
    from results import zipped

    try:
        return sent(await run_in_threadpool(zipped, chosen), name)
    except SplazMatteError as error:
        return missing(str(error))


def sent(stream: ZipStream, name: str) -> Response:
    """Return an archive as a download of known size; an error on the way breaks it off."""
    from starlette.responses import FileResponse as Named

    disposition = Named(__file__, filename=name).headers["content-disposition"]  # its quoting of names
    headers = {"Content-Disposition": disposition, "Content-Length": str(stream.size), "Cache-Control": "no-store"}
    return _Archive(iterate_in_threadpool(iter(stream)), media_type="application/zip", headers=headers)


class _Archive(StreamingResponse):
    """An archive that is only made where somebody takes it: HEAD gets what is known of it beforehand."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request."""
        if scope["method"] == "HEAD":
            await Response(headers=dict(self.headers))(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _status(error: SplazMatteError) -> int:
    """Return the HTTP status that an error has."""
    if isinstance(error, StorageError):
        return 507
    if isinstance(error, TooLargeError):
        return 413
    return 404 if isinstance(error, SessionError) else 415 if isinstance(error, InputError) else 500
