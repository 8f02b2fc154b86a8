"""A server on this machine that speaks the Hugging Face hub's protocol, with the faults of real networks."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """What the server has and how it misbehaves."""

    files: dict[str, bytes] = field(default_factory=dict)
    """By 'owner/name/path'."""
    cut_after: dict[str, int] = field(default_factory=dict)
    """Bytes of a file after which its connection ends, once."""
    spoiled: dict[str, bytes] = field(default_factory=dict)
    """What is sent of a file instead of what was announced."""
    hangs: dict[str, list[int]] = field(default_factory=dict)
    """Bytes after which each of the next connections for a file stays open and silent."""
    status: int = 200
    error_code: str = ""
    ranges: list[str] = field(default_factory=list)
    """Range headers of the requests for files."""
    gets: list[str] = field(default_factory=list)
    hanging: Event = field(default_factory=Event)
    """Set when a connection hangs."""
    released: Event = field(default_factory=Event)
    address: str = ""


@contextmanager
def serve(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` while the block runs; its address is in it."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, *, body: bool) -> None:
            if hub.status != 200:
                self._refuse(hub.status, hub.error_code)
                return
            owner, name, _, _, path = self.path.strip("/").split("/", 4)
            key = f"{owner}/{name}/{path}"
            if key not in hub.files:
                self._refuse(404, "EntryNotFound")
                return
            data = hub.files[key]
            start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if start else 200)
            large = path.endswith((".safetensors", ".pth"))
            digest = hashlib.sha256(data) if large else hashlib.sha1(b"blob %d\0" % len(data) + data)
            self.send_header("ETag", f'"{digest.hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Accept-Ranges", "bytes")
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if body:
                self._send(key, hub.spoiled.get(key, data), start)

        def _send(self, key: str, data: bytes, start: int) -> None:
            hub.gets.append(key)
            hub.ranges.append(self.headers.get("Range", ""))
            hang = hub.hangs[key].pop(0) if hub.hangs.get(key) else None
            end = hub.cut_after.pop(key, None) if hang is None else hang
            self.wfile.write(data[start : end if end is not None else len(data)])
            if hang is not None:
                hub.hanging.set()
                hub.released.wait()
            if end is not None:
                self.close_connection = True

        def _refuse(self, status: int, code: str) -> None:
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    hub.address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield hub
    finally:
        hub.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
