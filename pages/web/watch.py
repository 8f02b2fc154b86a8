"""For programs that watch over the app: /healthz for anybody, /metrics where it is switched on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nicegui import app
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from pages.web.programs import HEALTH, METRICS

if TYPE_CHECKING:
    from app_logic.services import Services

__all__ = ["register"]


def register(services: Services) -> None:
    """Add the routes."""

    @app.api_route(HEALTH, methods=["GET", "HEAD"])
    async def healthz() -> JSONResponse:
        good, report = await run_in_threadpool(services.health.look)
        return JSONResponse(report, 200 if good else 503, headers={"Cache-Control": "no-store"})

    @app.get(METRICS)
    async def metrics(request: Request) -> Response:
        counts = services.watch.metrics
        if counts is None:
            return JSONResponse({"error": "metrics are off: set SPLAZMATTE_METRICS=true"}, 404)
        data, kind = await run_in_threadpool(counts.exposition, request.headers.get("accept", ""))
        return Response(data, media_type=kind, headers={"Cache-Control": "no-store"})
