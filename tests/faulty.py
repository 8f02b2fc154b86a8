"""An HTTP server that can be made to fail: cut connections, refuse, be slow. The upload tests' stores are such."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit


@dataclass
class Request:
    """A request as it came in."""

    method: str
    target: str
    """Path and query as they were sent."""
    headers: Mapping[str, str]
    """By small name."""
    body: bytes = b""

    @property
    def raw_path(self) -> str:
        return urlsplit(self.target).path

    @property
    def path(self) -> str:
        return unquote(self.raw_path)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    @property
    def what(self) -> str:
        """Return 'PUT part 3', 'POST begin', 'HEAD' …"""
        query = self.query
        if "partNumber" in query:
            return f"{self.method} part {query['partNumber']}"
        if "uploads" in query:
            return f"{self.method} begin"
        if "uploadId" in query:
            return {"GET": "list", "POST": "complete", "DELETE": "abort"}.get(self.method, self.method)
        return self.method


@dataclass
class Response:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """Something that happens to requests."""

    what: str
    """A regular expression that fits Request.what as a whole."""
    times: int = 1
    cut: int | None = None
    """Close the connection after so many bytes of the body; -1: once it is worked on, before the answer."""
    answer: Response | None = None
    """Answer this without doing anything."""
    change: Callable[[Response], Response] | None = None
    """Answer something else than what came of it."""
    damage: bool = False
    """Let a bit of the body flip on the way."""
    hold: threading.Event | None = None
    """Wait for it before anything is done."""
    after: tuple[str, ...] = ()
    """Wait until each of these has been answered (Request.what)."""


class Server:
    """The server.

    Args:
        answer: gives the response to a request.
    """

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.answer = answer
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        """Request.what of all requests, in order."""
        self.bytes_in = 0
        self.holding = threading.Semaphore(0)
        """Released for each request that a fault holds."""
        self._lock = threading.Lock()
        self._answered: set[str] = set()
        self._answer_given = threading.Condition(self._lock)
        server = self

        class Handler(_Handler):
            owner = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def count(self, what: str) -> int:
        """Return how many requests fit a regular expression."""
        return sum(bool(re.fullmatch(what, seen)) for seen in self.seen)

    def fault(self, request: Request) -> Fault | None:
        with self._lock:
            self.seen.append(request.what)
            for fault in self.faults:
                if fault.times > 0 and re.fullmatch(fault.what, request.what):
                    fault.times -= 1
                    return fault
        return None

    def note_answer(self, request: Request) -> None:
        with self._answer_given:
            self._answered.add(request.what)
            self._answer_given.notify_all()

    def wait_for_answers(self, whats: tuple[str, ...]) -> None:
        with self._answer_given:
            self._answer_given.wait_for(lambda: self._answered.issuperset(whats), 30)

    @contextmanager
    def running(self) -> Iterator[None]:
        self._thread.start()
        try:
            yield
        finally:
            for fault in self.faults:
                if fault.hold:
                    fault.hold.set()
            self._http.shutdown()
            self._http.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    owner: Server

    def handle_expect_100(self) -> bool:
        return True  # 100 is said when the body is wanted

    def _serve(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        fault = self.owner.fault(request) or Fault("")
        self.owner.wait_for_answers(fault.after)
        if fault.hold:
            self.owner.holding.release()
            fault.hold.wait()
        if fault.answer:
            self._say(fault.answer, request, close=True)
        elif self._took(request, fault):
            response = self.owner.answer(request)
            if fault.cut == -1:
                self._hang_up()
            else:
                self._say(fault.change(response) if fault.change else response, request)
        self.owner.note_answer(request)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _serve  # noqa: N815 - the library's names

    def _took(self, request: Request, fault: Fault) -> bool:
        """Read the body, as far as the fault lets it come; tell whether it came whole."""
        if request.headers.get("expect", "").lower() == "100-continue":
            self.send_response_only(100)
            self.end_headers()
        length = int(request.headers.get("content-length", 0))
        wanted = length if fault.cut is None or fault.cut < 0 else min(fault.cut, length - 1)
        body = self.rfile.read(max(0, wanted))
        self.owner.bytes_in += len(body)
        if len(body) < length:
            self._hang_up()
            return False
        request.body = bytes([body[0] ^ 1]) + body[1:] if fault.damage else body
        return True

    def _say(self, response: Response, request: Request, *, close: bool = False) -> None:
        self.send_response_only(response.status)
        headers = {name: value for name, value in response.headers.items() if name.lower() != "connection"}
        if not any(name.lower() == "content-length" for name in headers):
            headers["Content-Length"] = str(len(response.body))
        if close:
            headers["Connection"] = "close"
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if request.method != "HEAD":
            self.wfile.write(response.body)
        if close:
            self.close_connection = True

    def _hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            super().handle()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def error(status: int, code: str, **headers: str) -> Response:
    """Return an error as stores have it, with words that nobody should ever see again."""
    text = f"<Error><Code>{code}</Code><Message>secret words of the store</Message></Error>"
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, text.encode(), {"Content-Type": "application/xml", **named})
