"""What download managers and `curl -I` ask for first: size and kind of a file, without the file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from matting_runner import run_matting
from pages.web.files import sent
from session_store import MattingSession
from tests import project_material as material
from tests.app_process import start_app
from tests.conftest import write_clip
from zip_stream import Member, ZipStream


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> MattingSession:
    folder = tmp_path_factory.mktemp("head")
    made = material.matting(folder / "workspace", write_clip(folder / "clip.mp4", 10))
    run_matting(made)
    return made


@pytest.fixture(scope="module")
def client(session: MattingSession) -> Iterator[httpx.Client]:
    app = start_app(session.folder.parent.parent)
    with httpx.Client(base_url=app.url, timeout=30) as opened:
        yield opened
    app.close()


@pytest.mark.parametrize(
    "path",
    [
        "/download/{id}/alpha", "/download/{id}/png", "/download/{id}/all.zip?formats=alpha,png",
        "/download/{id}/alpha/sidecar", "/download/bundle.zip?take={id}:alpha.png", "/project/{id}",
        "/media/{id}/file/alpha?v=1", "/media/{id}/frame/3", "/media/{id}/alpha/3", "/media/{id}/thumb",
    ],
)  # fmt: skip
def test_head_gives_what_get_would(client: httpx.Client, session: MattingSession, path: str) -> None:
    path = path.format(id=session.state.id)
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) == len(whole.content) > 0
    named = ("content-type", "content-disposition", "cache-control", "etag", "accept-ranges")
    assert [head.headers.get(name) for name in named] == [whole.headers.get(name) for name in named]


@pytest.mark.parametrize("path", ["/download/{id}/alpha", "/media/{id}/file/alpha"])
def test_head_of_a_part(client: httpx.Client, session: MattingSession, path: str) -> None:
    size = (session.folder / "alpha.mp4").stat().st_size
    path = path.format(id=session.state.id)
    part = client.head(path, headers={"Range": "bytes=10-19"})
    assert (part.status_code, part.headers["content-length"], part.content) == (206, "10", b"")
    assert part.headers["content-range"] == f"bytes 10-19/{size}"
    beyond = client.head(path, headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{size}")
    assert (
        client.get(path, headers={"Range": "bytes=10-19"}).content == (session.folder / "alpha.mp4").read_bytes()[10:20]
    )


def test_head_of_what_is_not_there(client: httpx.Client, session: MattingSession) -> None:
    for path in (f"/download/{session.state.id}/webm", "/download/nobody/alpha", "/media/nobody/frame/0"):
        assert (client.head(path).status_code, client.head(path).content) == (404, b"")


def test_head_reads_nothing_of_an_archive() -> None:
    def never() -> Iterator[bytes]:
        raise AssertionError("the archive was made")

    stream = ZipStream([Member("a.mov", 10**12, 0.0, never)])
    messages: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(sent(stream, "a.zip")({"type": "http", "method": "HEAD", "headers": []}, receive, send))
    start, *rest = messages
    assert dict(start["headers"])[b"content-length"] == str(stream.size).encode()
    assert b"".join(message["body"] for message in rest) == b""
