"""Pictures over HTTP: by session, kind and frame; a version in the address lets browsers keep them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from nicegui import app
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from errors import SessionError, SplazMatteError

if TYPE_CHECKING:
    from app_logic.services import Services

get = partial(app.api_route, methods=["GET", "HEAD"])
"""Add a route that answers a file: what only asks for its size and kind (download managers, `curl -I`) gets those."""
JPEG, PNG, JSON, BYTES = "image/jpeg", "image/png", "application/json", "application/octet-stream"
KEEP = "private, max-age=31536000, immutable"


def register(services: Services) -> None:
    """Add the routes below /media."""

    @get("/media/{session}/frame/{index:int}")
    async def frame(request: Request, session: str, index: int) -> Response:
        return await answer(request, lambda _: services.side_of(session).pictures.frame(session, index), JPEG)

    @get("/media/{session}/mask/{object_id:int}/{index:int}")
    async def mask(request: Request, session: str, object_id: int, index: int) -> Response:
        return await answer(request, lambda v: services.matting.pictures.mask(session, object_id, index, v), PNG)

    @get("/media/{session}/alpha/{index:int}")
    async def alpha(request: Request, session: str, index: int) -> Response:
        return await answer(request, lambda _: services.matting.pictures.alpha(session, index), PNG)

    @get("/media/{session}/preview/{index:int}")
    async def preview(request: Request, session: str, index: int) -> Response:
        return await answer(request, lambda _: services.matting.pictures.preview(session, index), PNG)

    @get("/media/{session}/foreground/{index:int}")
    async def foreground(request: Request, session: str, index: int) -> Response:
        return await answer(request, lambda v: services.matting.pictures.foreground(session, index, v), JPEG)

    @get("/media/{session}/thumb/{index:int}")
    async def thumb(request: Request, session: str, index: int) -> Response:
        return await answer(request, lambda _: services.side_of(session).pictures.thumb(session, index), JPEG)

    @get("/media/{session}/thumb")
    async def poster(request: Request, session: str) -> Response:
        return await answer(request, lambda _: services.side_of(session).pictures.thumb(session, 0), JPEG)


def register_tracks(services: Services) -> None:
    """Add the routes below /media that only tracking sessions have."""

    @get("/media/{session}/tracks/{kind}")
    async def tracks(request: Request, session: str, kind: str) -> Response:
        if kind not in ("raw", "refined"):
            return missing("there are raw and refined tracks")
        return await answer(request, lambda v: services.tracking.pictures.tracks(session, kind == "raw", v), BYTES)

    @get("/media/{session}/motion/{motion_id:int}")
    async def motion(request: Request, session: str, motion_id: int) -> Response:
        return await answer(request, lambda v: _motion(services, session, motion_id, v), JSON)

    @get("/media/{session}/object")
    async def clicked(request: Request, session: str) -> Response:
        return await answer(request, lambda v: services.tracking.pictures.object_mask(session, v), PNG)


def _motion(services: Services, session: str, motion_id: int, version: str) -> bytes:
    return json.dumps(services.tracking.pictures.motion(session, motion_id, version)).encode()


async def answer(request: Request, make: Callable[[str], bytes], kind: str) -> Response:
    """Return what `make` makes of the address's version, or why there is nothing; a version lets browsers keep it."""
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


def missing(reason: str) -> JSONResponse:
    """Return the answer for what is not there."""
    return JSONResponse({"error": reason}, 404, headers={"Cache-Control": "no-store"})
