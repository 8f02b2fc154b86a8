"""Downloads that are made while they are sent: results of several sessions, and project files."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from app_logic.bundles import chosen_bundle
from app_logic.portable import exported
from errors import SplazMatteError
from pages.web.files import sent
from pages.web.media import get, missing

if TYPE_CHECKING:
    from app_logic.services import Services


def register(services: Services) -> None:
    """Add the routes."""

    @get("/download/bundle.zip")
    async def bundle(take: str = "") -> Response:
        try:
            stream = await run_in_threadpool(chosen_bundle, services, take)
        except SplazMatteError as error:
            return missing(str(error))
        return sent(stream, "SplazMatte results.zip")

    @get("/project/{session}")
    async def project_file(
        session: str, source: bool = True, masks: bool = True, alpha: bool = True, results: bool = False
    ) -> Response:
        wanted = {"source": source, "masks": masks, "alpha": alpha, "results": results}
        try:
            export = await run_in_threadpool(partial(exported, services, session, **wanted))
        except SplazMatteError as error:
            return missing(str(error))
        return sent(export.stream, export.name)
