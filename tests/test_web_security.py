"""The guard: what strangers may not do, and who may enter."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from itsdangerous import TimestampSigner
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from pages.web.login import ALL_TRIES, COOKIE, TRIES, WINDOW, Logins
from pages.web.security import HEADERS, LOOPBACK, Guard

HOST = "localhost:7870"
ELSEWHERE = ["http://evil.example", "http://localhost:9999", "https://localhost.evil.example:7870", "null", "file://"]


async def hello(request: Any) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def socket(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text("hello")
    await websocket.close()


def inner() -> Starlette:
    paths = ("/", "/media/x", "/upload", "/download/x")
    return Starlette(routes=[*(Route(p, hello, methods=["GET", "POST"]) for p in paths), WebSocketRoute("/ws", socket)])


@pytest.fixture
def client() -> TestClient:
    return TestClient(Guard(inner(), LOOPBACK, None), base_url=f"http://{HOST}")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locked(clock: Clock, workspace: Any) -> Iterator[TestClient]:
    """Give a client of an app with a password, which any name may be used for."""
    logins = Logins("open sesame", "secret", clock)
    yield TestClient(Guard(inner(), None, logins), base_url="http://studio.lan:7870", follow_redirects=False)


@pytest.mark.parametrize("host", ["localhost:7870", "127.0.0.1:7870", "[::1]:7870", "localhost", "LOCALHOST:7870"])
def test_it_answers_to_its_own_names(client: TestClient, host: str) -> None:
    assert client.get("/", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:7870", "evil.example@localhost", "10.0.0.1:7870", "", "[", "a\tb"]
)
def test_it_answers_to_no_other_name(client: TestClient, host: str) -> None:
    answer = client.get("/", headers={"Host": host})
    assert answer.status_code == 403 and "its own name" in answer.json()["error"]


@pytest.mark.parametrize("origin", ELSEWHERE)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_page_of_another_origin_is_refused(client: TestClient, origin: str, method: str) -> None:
    assert client.request(method, "/upload", headers={"Host": HOST, "Origin": origin}).status_code == 403


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_a_socket_of_another_origin_is_closed(client: TestClient, origin: str) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/ws", headers={"Host": HOST, "Origin": origin}):
        pass


def test_its_own_page_may_do_all(client: TestClient) -> None:
    own = {"Host": HOST, "Origin": f"http://{HOST}", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/upload", headers=own).status_code == 200
    with client.websocket_connect("/ws", headers=own) as opened:
        assert opened.receive_text() == "hello"


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_other_sites_may_link_to_the_page_and_to_nothing_else(client: TestClient, site: str) -> None:
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/", headers=link).status_code == 200
    assert client.get("/media/x", headers=link).status_code == 403
    assert client.get("/download/x", headers=link).status_code == 403
    assert client.post("/", headers=link).status_code == 403
    assert client.get("/", headers=link | {"Sec-Fetch-Dest": "iframe"}).status_code == 403
    assert client.get("/media/x", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"}).status_code == 403


def test_every_answer_has_the_headers(client: TestClient) -> None:
    for answer in (client.get("/"), client.get("/nowhere"), client.get("/", headers={"Host": "evil.example"})):
        for name, value in HEADERS.items():
            assert answer.headers[name] == value


@pytest.mark.parametrize("words", ["No response returned.", "a real mistake"])
def test_a_browser_that_leaves_before_its_answer_is_no_error(words: str) -> None:
    async def leaves(*_: object) -> None:
        raise RuntimeError(words)

    async def nothing(*_: object) -> Any:
        return {}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"host", HOST.encode())]}
    expected = pytest.raises(RuntimeError) if words == "a real mistake" else nullcontext()
    with expected:
        asyncio.run(Guard(leaves, LOOPBACK, None)(scope, nothing, nothing))


def enter(client: TestClient, password: str, **headers: str) -> Any:
    return client.post("/login", data={"password": password}, headers=headers)


def test_without_the_password_nothing_is_open(locked: TestClient) -> None:
    page = locked.get("/", headers={"Accept": "text/html"})
    assert (page.status_code, page.headers["location"]) == (303, "/login")
    assert locked.get("/media/x").status_code == 401
    assert locked.post("/upload").status_code == 401
    with pytest.raises(WebSocketDisconnect), locked.websocket_connect("/ws"):
        pass


def test_the_password_opens_and_logging_out_closes(locked: TestClient) -> None:
    form = locked.get("/login", headers={"Accept-Language": "zh-CN"})
    assert form.status_code == 200 and "密码" in form.text and 'lang="zh"' in form.text
    answer = enter(locked, "open sesame")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie
    assert locked.get("/media/x").text == "hello"
    with locked.websocket_connect("ws://studio.lan:7870/ws") as opened:
        assert opened.receive_text() == "hello"
    locked.get("/logout")
    assert locked.get("/media/x").status_code == 200
    locked.post("/logout")
    assert locked.get("/media/x").status_code == 401


@pytest.mark.parametrize("wrong", ["", "open", "OPEN SESAME", "open sesame ", "x" * 100_000, "\x00"])
def test_another_password_does_not_open(locked: TestClient, wrong: str) -> None:
    answer = enter(locked, wrong)
    assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert locked.get("/media/x").status_code == 401


def test_tries_are_limited_and_come_back(locked: TestClient, clock: Clock) -> None:
    for _ in range(TRIES):
        assert enter(locked, "wrong").status_code == 401
    late = enter(locked, "open sesame")
    assert late.status_code == 429 and late.headers["retry-after"] == "60"
    clock.now = WINDOW
    assert enter(locked, "open sesame").status_code == 303


def test_many_addresses_together_are_limited_too(clock: Clock) -> None:
    logins = Logins("a", "b", clock)
    assert sum(logins.allow(f"10.0.{n // 250}.{n % 250}") for n in range(ALL_TRIES * 2)) == ALL_TRIES


def test_cookies_of_others_are_worth_nothing(locked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    good = Logins("open sesame", "secret")
    text, _, signature = good.cookie().rpartition(".")
    forged = [
        Logins("another", "secret").cookie(),
        Logins("open sesame", "other secret").cookie(),
        f"{text}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}",  # the last one has bits that count for nothing
        "",
        "in",
        '"; drop',
    ]
    for value in forged:
        assert locked.get("/media/x", headers={"Cookie": f"{COOKIE}={value}"}).status_code == 401
    cookie = good.cookie()
    assert good.knows(f"other=1; {COOKIE}={cookie}")
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda self: 4_000_000_000)
    assert not good.knows(f"{COOKIE}={cookie}"), "it has expired"
