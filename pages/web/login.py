"""The log-in: one password, a signed cookie, a limit on tries. Plain HTML, so that it needs nothing of the app."""

from __future__ import annotations

import hashlib
import hmac
import html
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie

from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from config import get_settings
from pages.texts import choose, translate

COOKIE = "splazmatte_login"
DAYS = 30
TRIES, ALL_TRIES, WINDOW = 5, 60, 60.0
"""Tries of one address, and of all together, within so many seconds."""
LONGEST = 1024
_SESSION = re.compile(r"/(tracking)?\?session=[0-9a-z-]{1,64}", re.ASCII)
"""The page of a session, as notices link to it."""
LOGIN_TEXTS = ["Password", "Log in", "That is not the password.", "Too many tries; wait a minute."]


class Logins:
    """Who may enter.

    Args:
        password: that opens.
        secret: signs the cookies.
        clock: seconds; tests bring their own.
    """

    def __init__(self, password: str, secret: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._salt = secrets.token_bytes(16)
        self._hash = self._hashed(password)
        mark = hashlib.scrypt(password.encode(), salt=secret.encode(), n=2**14, r=8, p=1).hex()
        self._signer = URLSafeTimedSerializer(secret, salt=f"login {mark}")  # another password ends every session
        self._clock = clock
        self._tries: dict[str, deque[float]] = {}
        self._all: deque[float] = deque()
        self._lock = threading.Lock()

    def opens(self, password: str) -> bool:
        """Tell whether that is the password; takes the same time for any."""
        return hmac.compare_digest(self._hashed(password[:LONGEST]), self._hash)

    def allow(self, address: str) -> bool:
        """Count a try from an address; tell whether it may be made."""
        with self._lock:
            now = self._clock()
            for known in [*self._tries.values(), self._all]:
                while known and now - known[0] >= WINDOW:
                    known.popleft()
            self._tries = {key: value for key, value in self._tries.items() if value}
            mine = self._tries.setdefault(address, deque())
            if len(mine) >= TRIES or len(self._all) >= ALL_TRIES:
                return False
            mine.append(now)
            self._all.append(now)
            return True

    def forgive(self, address: str) -> None:
        """Count the last try from an address no longer: it was right, and such come often."""
        with self._lock:
            for known in (self._tries.get(address), self._all):
                if known:
                    known.pop()

    def cookie(self) -> str:
        """Return a new signed cookie's value."""
        return self._signer.dumps("in")

    def knows(self, header: str) -> bool:
        """Tell whether a Cookie header has a signed cookie of ours that has not expired."""
        try:
            value = SimpleCookie(header).get(COOKIE)
            return value is not None and self._signer.loads(value.value, max_age=DAYS * 86_400) == "in"
        except (BadSignature, CookieError):
            return False

    def _hashed(self, password: str) -> bytes:
        return hashlib.scrypt(password.encode(), salt=self._salt, n=2**14, r=8, p=1)


def wanted(to: str) -> str:
    """Return the address within the app that a link has asked for before the log-in; the first page for any other."""
    return to if _SESSION.fullmatch(to) else "/"


async def answer(logins: Logins, request: Request) -> Response:
    """Answer /login and /logout."""
    if request.url.path == "/logout":
        response: Response = RedirectResponse("/login", 303)
        if request.method == "POST":  # a link elsewhere logs nobody out
            response.delete_cookie(COOKIE, path="/")
        return response
    if request.method != "POST":
        return _page(request)
    if not logins.allow(request.client.host if request.client else ""):
        return _page(request, "Too many tries; wait a minute.", 429)
    async with request.form(max_files=0, max_fields=4) as form:
        given = str(form.get("password", ""))
    if not await run_in_threadpool(logins.opens, given):
        return _page(request, "That is not the password.", 401)
    response = RedirectResponse(wanted(request.query_params.get("to", "")), 303)
    secure = request.url.scheme == "https"
    # 'lax' lets a link on another site, such as a card's, open a page; the guard refuses all else that others start
    response.set_cookie(COOKIE, logins.cookie(), DAYS * 86_400, path="/", httponly=True, samesite="lax", secure=secure)
    return response


def _page(request: Request, error: str = "", status: int = 200) -> HTMLResponse:
    language = choose(request.headers.get("accept-language", ""), get_settings().language, None)
    password, enter = (html.escape(translate(text, language)) for text in ("Password", "Log in"))
    problem = f'<p role="alert">{html.escape(translate(error, language))}</p>' if error else ""
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": str(int(WINDOW))} if status == 429 else {})
    return HTMLResponse(
        _HTML.format(language=language, password=password, enter=enter, problem=problem), status, headers
    )


_HTML = """<!doctype html><html lang="{language}"><meta charset="utf-8"><title>SplazMatte</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center; background: #17181b; color: #e4e6ea;
 font: 15px/1.5 system-ui, sans-serif; }}
form {{ width: min(320px, 86vw); display: grid; gap: 12px; }} h1 {{ font-size: 22px; margin: 0; }}
input, button {{ font: inherit; padding: 9px 11px; border-radius: 6px; border: 1px solid #3a3d44; background: #202226;
 color: inherit; }} button {{ background: #3b82d6; border-color: #3b82d6; color: #fff; cursor: pointer; }}
p {{ margin: 0; color: #ff8a80; }}</style>
<form method="post"><h1>SplazMatte</h1><label for="password">{password}</label>
<input id="password" name="password" type="password" autocomplete="current-password" autofocus required>
{problem}<button>{enter}</button></form></html>"""
