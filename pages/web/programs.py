"""How programs that watch over the app get in: without a page, a form or a cookie."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import Scope

if TYPE_CHECKING:
    from pages.web.login import Logins

HEALTH, METRICS = "/healthz", "/metrics"


def is_open(scope: Scope) -> bool:
    """Tell whether anybody may ask that, by whatever name: a probe knows an address only, and learns no secret."""
    return scope["type"] == "http" and scope["path"] == HEALTH and scope["method"] in ("GET", "HEAD")


async def admit(logins: Logins, scope: Scope, headers: Headers) -> Response | None:
    """Return why a program may not read the metrics; None where it gives the password, as basic or bearer."""
    given = password_in(headers.get("authorization", ""))
    if given is None:
        return _refused("give the password: basic authentication, or a bearer token", 401)
    address = scope["client"][0] if scope.get("client") else ""
    if not logins.allow(address):
        return _refused("too many tries; wait a minute", 429)
    if not await run_in_threadpool(logins.opens, given):
        return _refused("that is not the password", 401)
    logins.forgive(address)
    return None


def password_in(header: str) -> str | None:
    """Return the password in an Authorization header; None where there is none."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer" and value.strip():
        return value.strip()
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(value.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        return text.partition(":")[2]
    return None


def _refused(reason: str, status: int) -> Response:
    more = {"WWW-Authenticate": 'Basic realm="SplazMatte"'} if status == 401 else {"Retry-After": "60"}
    return JSONResponse({"error": reason}, status, headers={"Cache-Control": "no-store", **more})
