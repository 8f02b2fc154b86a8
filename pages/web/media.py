"""Pictures over HTTP: by session, kind and frame; a version in the address lets browsers keep them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import app
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from errors import SessionError, SplazMatteError

if TYPE_CHECKING:
    from app_logic.services import Services

JPEG, PNG = "image/jpeg", "image/png"
KEEP = "private, max-age=31536000, immutable"


def register(services: Services) -> None:
    """Add the routes below /media."""

    async def picture(request: Request, make: Callable[[str], bytes], kind: str) -> Response:
        version = request.query_params.get("v", "")[:200]
        try:
            data = await run_in_threadpool(make, version)
        except (KeyError, FileNotFoundError):
            return missing("there is no such picture")
        except SessionError as error:
            return missing(str(error))
        except SplazMatteError as error:
            return JSONResponse({"error": str(error)}, 500, headers={"Cache-Control": "no-store"})
        return Response(data, media_type=kind, headers={"Cache-Control": KEEP if version else "no-store"})

    @app.get("/media/{session}/frame/{index:int}")
    async def frame(request: Request, session: str, index: int) -> Response:
        return await picture(request, lambda _: services.pictures.frame(session, index), JPEG)

    @app.get("/media/{session}/mask/{object_id:int}/{index:int}")
    async def mask(request: Request, session: str, object_id: int, index: int) -> Response:
        return await picture(request, lambda v: services.pictures.mask(session, object_id, index, v), PNG)

    @app.get("/media/{session}/alpha/{index:int}")
    async def alpha(request: Request, session: str, index: int) -> Response:
        return await picture(request, lambda _: services.pictures.alpha(session, index), PNG)

    @app.get("/media/{session}/preview/{index:int}")
    async def preview(request: Request, session: str, index: int) -> Response:
        return await picture(request, lambda _: services.pictures.preview(session, index), PNG)

    @app.get("/media/{session}/foreground/{index:int}")
    async def foreground(request: Request, session: str, index: int) -> Response:
        return await picture(request, lambda v: services.pictures.foreground(session, index, v), JPEG)

    @app.get("/media/{session}/thumb/{index:int}")
    async def thumb(request: Request, session: str, index: int) -> Response:
        return await picture(request, lambda _: services.pictures.thumb(session, index), JPEG)

    @app.get("/media/{session}/thumb")
    async def poster(request: Request, session: str) -> Response:
        return await picture(request, lambda _: services.pictures.thumb(session, 0), JPEG)


def missing(reason: str) -> JSONResponse:
    """Return the answer for what is not there."""
    return JSONResponse({"error": reason}, 404, headers={"Cache-Control": "no-store"})
