"""A server on this machine that speaks the Hugging Face hub's protocol, with the faults of real networks.

Large files are sent by a second server, the CDN, under another name (localhost instead of 127.0.0.1), to which the hub
redirects with a Location and X-Linked-Size, X-Linked-Etag, as the real one does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

COMMIT = "c0ffee" + "0" * 34
LARGE = (".safetensors", ".pth")


@dataclass
class Hub:
    """What the server has and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By 'owner/name/path'."""
    cuts: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which each of the next connections for a file ends."""
    spoiled: dict[str, bytes] = field(default_factory=dict)
    """What is sent of a file instead of what was announced, with the right Content-Length of its own."""
    hangs: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which each of the next connections for a file stays open and silent."""
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Status and headers of the next refusals, one after the other."""
    status: int = 200
    error_code: str = ""
    """Refusal of every request."""
    ranges_ignored: bool = False
    lengths_unknown: bool = False
    ranges: list[str] = field(default_factory=list)
    """Range headers of the requests for files."""
    gets: list[str] = field(default_factory=list)
    revisions: list[str] = field(default_factory=list)
    tokens: list[tuple[str, str]] = field(default_factory=list)
    """Host and Authorization header of every request."""
    hanging: Event = field(default_factory=Event)
    """Set when a connection hangs."""
    released: Event = field(default_factory=Event)
    address: str = ""
    cdn: str = ""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that leave in the middle are what the tests are about."""


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` while the block runs; its address is in it."""
    servers = [_Server(("127.0.0.1", 0), _handler(hub)) for _ in range(2)]
    threads = [Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    hub.address = f"http://127.0.0.1:{servers[0].server_address[1]}"
    hub.cdn = f"http://localhost:{servers[1].server_address[1]}"
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        hub.released.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer()

        def do_GET(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self) -> None:
            hub.tokens.append((self.headers["Host"], self.headers.get("Authorization", "")))
            if hub.status != 200:
                self._refuse(hub.status, {"X-Error-Code": hub.error_code} if hub.error_code else {})
                return
            if hub.answers:
                self._refuse(*hub.answers.pop(0))
                return
            on_cdn = self.path.startswith("/cdn/")
            if on_cdn:
                key = self.path.removeprefix("/cdn/")
            else:
                owner, name, _, revision, path = self.path.strip("/").split("/", 4)
                key = f"{owner}/{name}/{path}"
                hub.revisions.append(revision)
            if key not in hub.files:
                self._refuse(404, {"X-Error-Code": "EntryNotFound"})
            elif key.endswith(LARGE) and not on_cdn:
                self._redirect(key)
            elif self.command == "HEAD":
                self._announce(key)
            else:
                self._send(key)

        def _redirect(self, key: str) -> None:
            data = hub.files[key]
            self.send_response(302)
            self.send_header("Location", f"{hub.cdn}/cdn/{key}")
            self.send_header("X-Linked-Size", str(len(data)))
            self.send_header("X-Linked-Etag", f'"{hashlib.sha256(data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _announce(self, key: str) -> None:
            data = hub.files[key]
            self.send_response(200)
            self.send_header("ETag", f'W/"{hashlib.sha1(b"blob %d" % len(data) + bytes(1) + data).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            if not hub.lengths_unknown:
                self.send_header("Content-Length", str(len(data)))
            self.end_headers()

        def _send(self, key: str) -> None:
            hub.gets.append(key)
            hub.ranges.append(self.headers.get("Range", ""))
            data = hub.spoiled.get(key, hub.files[key])
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            if hub.ranges_ignored:
                start = 0
            if start and start >= len(data):
                self._refuse(416, {"Content-Range": f"bytes */{len(data)}"})
                return
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            self._body(key, data, start)

        def _body(self, key: str, data: bytes, start: int) -> None:
            cut = hub.cuts[key].pop(0) if hub.cuts.get(key) else None
            hang = hub.hangs[key].pop(0) if hub.hangs.get(key) else None
            end = next((value for value in (cut, hang) if value is not None), len(data))
            self.wfile.write(data[start:end])
            if hang is not None:
                hub.hanging.set()
                hub.released.wait()
            if end < len(data):
                self.close_connection = True

        def _refuse(self, status: int, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

    return Handler
