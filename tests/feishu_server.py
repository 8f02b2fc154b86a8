"""A server on this machine that behaves like Feishu's: a custom bot's webhook and an app's API, with their errors.

It checks what Feishu checks by code of its own: the signature and its age, the card's form and size, tokens.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from config import Settings

HOOK = "/open-apis/bot/v2/hook/0b5c7a9e-hook-token"
SECRET = "bot-signing-secret"
APP, APP_SECRET = "cli_app", "app-secret-of-the-app"


@dataclass
class Feishu:
    """What the server has been told, and how it misbehaves."""

    secret: str = ""
    keyword: str = ""
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    """Status, headers and body of the next answers of the webhook, before it answers as it should."""
    hang: bool = False
    """Whether the webhook gives no answer until it is released."""
    cut: bool = False
    """Whether the webhook ends the connection in the middle of its answer."""
    tokens: int = 0
    """Tokens that were given to the app."""
    image_code: int = 0
    images: list[bytes] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies that the webhook got."""
    shown: list[dict[str, Any]] = field(default_factory=list)
    """Cards that the group sees."""
    hanging: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)
    address: str = ""

    @property
    def url(self) -> str:
        return self.address + HOOK

    def settings(self, **more: Any) -> Settings:
        """Return settings that point here."""
        return Settings(_env_file=None, feishu_webhook_url=self.url, **more)

    def judge(self, raw: bytes) -> tuple[int, str]:
        """Return Feishu's code and message for a request's body."""
        body = json.loads(raw)
        self.requests.append(body)
        if len(raw) > 20 * 1024:
            return 9499, "too large"
        if self.secret and not self._signed(body):
            return 19021, "sign match fail or timestamp is not within one hour from current time"
        if body.get("msg_type") != "interactive" or not _is_card(body.get("card")):
            return 9499, "Bad Request"
        if self.keyword and self.keyword not in json.dumps(body["card"], ensure_ascii=False):
            return 19024, "Key Words Not Found"
        self.shown.append(body["card"])
        return 0, "success"

    def _signed(self, body: dict[str, Any]) -> bool:
        stamp = body.get("timestamp", "")
        if not (isinstance(stamp, str) and stamp.isdigit() and abs(time.time() - int(stamp)) < 3600):
            return False
        digest = hmac.HMAC(f"{stamp}\n{self.secret}".encode(), digestmod=hashlib.sha256).digest()
        return body.get("sign") == base64.b64encode(digest).decode()


def _is_card(card: Any) -> bool:
    """Tell whether it is a card as Feishu's documents describe them, as far as ours go."""
    if not isinstance(card, dict) or card["header"]["title"]["tag"] != "plain_text":
        return False
    if card["header"]["template"] not in {"blue", "green", "red", "turquoise"}:
        return False
    return all(map(_is_element, card["elements"]))


def _is_element(element: Any) -> bool:
    match element:
        case {"tag": "div", "fields": [*fields]}:
            return all(f["text"]["tag"] == "lark_md" and isinstance(f["is_short"], bool) for f in fields)
        case {"tag": "div", "text": {"tag": "lark_md", "content": str()}}:
            return True
        case {"tag": "img", "img_key": str() as key, "alt": {"tag": "plain_text"}}:
            return key.startswith("img_")
        case {"tag": "note", "elements": [{"tag": "plain_text", "content": str()}]}:
            return True
        case {"tag": "action", "actions": [*buttons]}:
            return all(b["tag"] == "button" and b["url"].startswith("http") for b in buttons)
    return False


@contextmanager
def serve(feishu: Feishu) -> Iterator[Feishu]:
    """Serve `feishu` while the block runs; its address is in it."""
    server = _Server(("127.0.0.1", 0), _handler(feishu))
    feishu.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield feishu
    finally:
        feishu.released.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that leave in the middle are what the tests are about."""


def _handler(feishu: Feishu) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            routes: dict[str, Callable[[bytes], None]] = {
                HOOK: self._hook,
                "/open-apis/auth/v3/tenant_access_token/internal": self._token,
                "/open-apis/im/v1/images": self._image,
            }
            route = routes.get(self.path)
            if route is None:
                self._answer(400, {}, json.dumps({"code": 19001, "msg": "param invalid"}))
            else:
                route(raw)

        def _hook(self, raw: bytes) -> None:
            if feishu.hang:
                feishu.hanging.set()
                feishu.released.wait(30)
                return
            if feishu.answers:
                feishu.requests.append(json.loads(raw))
                status, headers, body = feishu.answers.pop(0)
                self._answer(status, headers, body)
                return
            code, message = feishu.judge(raw)
            self._answer(200 if code != 9499 else 400, {}, json.dumps({"code": code, "msg": message, "data": {}}))

        def _token(self, raw: bytes) -> None:
            if json.loads(raw) != {"app_id": APP, "app_secret": APP_SECRET}:
                self._answer(200, {}, json.dumps({"code": 10014, "msg": "app secret invalid"}))
                return
            feishu.tokens += 1
            self._answer(200, {}, json.dumps({"code": 0, "tenant_access_token": f"t-{feishu.tokens}", "expire": 7200}))

        def _image(self, raw: bytes) -> None:
            if self.headers["Authorization"] != f"Bearer t-{feishu.tokens}":
                self._answer(400, {}, json.dumps({"code": 99991663, "msg": "Invalid access token"}))
            elif feishu.image_code:
                self._answer(400, {}, json.dumps({"code": feishu.image_code, "msg": "no permission"}))
            elif b'name="image_type"\r\n\r\nmessage' in raw and b"\xff\xd8" in raw:
                feishu.images.append(raw)
                self._answer(200, {}, json.dumps({"code": 0, "data": {"image_key": f"img_{len(feishu.images)}"}}))
            else:
                self._answer(400, {}, json.dumps({"code": 234001, "msg": "Invalid request param"}))

        def _answer(self, status: int, headers: dict[str, str], body: str | bytes) -> None:
            data = body.encode() if isinstance(body, str) else body
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data) + (100 if feishu.cut else 0)))
            self.end_headers()
            self.wfile.write(data)
            if feishu.cut:
                self.close_connection = True

    return Handler
