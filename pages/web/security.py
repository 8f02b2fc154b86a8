"""The guard in front of everything, web sockets too: no page of another origin drives or reads the app.

A browser says where a request comes from in Origin and Sec-Fetch-Site, and what it believes to talk to in Host. A page
elsewhere can send requests to this machine, and can even make its own name point to it, but cannot lie about these.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.web.login import answer, wanted
from pages.web.programs import METRICS, admit, is_open

if TYPE_CHECKING:
    from pages.web.login import Logins

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
PAGES = frozenset({"/", "/tracking", "/login", "/models", "/settings"})
"""What a link on another site may open."""
HEADERS = {
    "Content-Security-Policy": "frame-ancestors 'none'; base-uri 'self'; form-action 'self'; object-src 'none'",
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Guard:
    """ASGI middleware that refuses strangers.

    Args:
        app: what it guards.
        hosts: names that the app may be called by; None for any, where a log-in guards it.
        logins: who may enter; None where anybody on this machine may.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str] | None, logins: Logins | None) -> None:
        self._app = app
        self._hosts = hosts
        self._logins = logins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it here."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if is_open(scope):
            await self._app(scope, receive, _with_headers(send))
            return
        response = self._refusal(scope, headers)
        if response is None and self._logins is not None:
            response = await self._log_in(self._logins, scope, headers, receive)
        if response is None:
            with _gone_browsers():
                await self._app(scope, receive, _with_headers(send) if scope["type"] == "http" else send)
        elif scope["type"] == "http":
            await response(scope, receive, _with_headers(send))
        else:
            await send({"type": "websocket.close", "code": 1008})

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        host = headers.get("host", "")
        if self._hosts is not None and _name(host) not in self._hosts:
            return _refused("this app answers only to its own name: open http://localhost with its port")
        origins = headers.getlist("origin")
        if any(origin.partition("://")[2] != host or not host for origin in origins):
            return _refused("a page of another origin may not use this app")
        site = headers.get("sec-fetch-site", "none")
        if site not in ("same-origin", "none") and not _is_link(scope, headers):
            return _refused("a page of another origin may not use this app")
        return None

    async def _log_in(self, logins: Logins, scope: Scope, headers: Headers, receive: Receive) -> Response | None:
        if scope["type"] == "http" and scope["path"] in ("/login", "/logout"):
            request = Request(scope, receive)
            return await answer(logins, request)
        if logins.knows(headers.get("cookie", "")):
            return None
        if scope["type"] == "http" and scope["path"] == METRICS:
            return await admit(logins, scope, headers)
        wants_page = scope.get("method") == "GET" and "text/html" in headers.get("accept", "")
        return RedirectResponse(_login(scope), 303) if wants_page else JSONResponse({"error": "log in first"}, 401)


@contextmanager
def _gone_browsers() -> Iterator[None]:
    """Let a browser leave before its answer; Starlette's BaseHTTPMiddleware, which NiceGUI uses, calls it an error."""
    try:
        yield
    except RuntimeError as error:
        if str(error) != "No response returned.":
            raise


def _login(scope: Scope) -> str:
    """Return the address of the log-in, which leads on to the session that was asked for, if any."""
    asked = f"{scope['path']}?{scope.get('query_string', b'').decode('latin-1')}"
    return "/login" if wanted(asked) == "/" else f"/login?{urlencode({'to': asked})}"


def _is_link(scope: Scope, headers: Headers) -> bool:
    """Tell whether a user has followed a link to one of the pages."""
    opens = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return opens and scope.get("method") == "GET" and scope["path"] in PAGES


def _name(host: str) -> str:
    """Return a Host header's name without its port; empty where it is none."""
    try:
        return (urlsplit(f"//{host}").hostname or "") if host.isprintable() and "@" not in host else ""
    except ValueError:
        return ""


def _refused(reason: str) -> Response:
    return JSONResponse({"error": reason}, 403)


def _with_headers(send: Send) -> Send:
    async def with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            kept: Any = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                kept.setdefault(name, value)
        await send(message)

    return with_headers
