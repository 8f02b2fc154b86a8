"""Uploads and downloads: whole or not at all, and never a path of a client's."""

from __future__ import annotations

import asyncio
import zipfile
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from app_logic import uploads as module
from app_logic.uploads import Uploads, safe_name
from errors import MediaError, ParameterError, SessionError, StorageError, TooLargeError
from matting_runner import create_session
from results import zipped
from results.matting import result, results
from session_store import Delivered, MattingSession, MattingState, SessionStore


@pytest.fixture
def uploads(tmp_path: Path) -> Uploads:
    return Uploads(tmp_path, 3_000_000)


def taken(workspace: Path, video: Path, name: str) -> MattingSession:
    return create_session(SessionStore(workspace / "sessions"), video, original_name=name, move=True)


async def chunks(parts: Iterable[bytes], *, cut: bool = False) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
    if cut:
        raise ConnectionResetError


def left(tmp_path: Path) -> list[str]:
    return [path.name for folder in ("uploads", "sessions") for path in (tmp_path / folder).glob("*")]


def test_a_video_becomes_a_session(uploads: Uploads, small_clip: Path, tmp_path: Path) -> None:
    data = small_clip.read_bytes()
    path = asyncio.run(uploads.receive(chunks(data[i : i + 1000] for i in range(0, len(data), 1000))))
    session = uploads.accept(path, "../../Shot 12.MP4", partial(taken, tmp_path))
    assert session.source.read_bytes() == data and session.source.name == "source.mp4"
    assert (session.state.original_name, session.state.name) == ("Shot 12.MP4", "Shot 12")
    assert left(tmp_path) == [session.state.id]


def test_an_upload_that_is_cut_off_leaves_nothing(uploads: Uploads, tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        asyncio.run(uploads.receive(chunks([b"x" * 1000] * 5, cut=True)))
    assert left(tmp_path) == []


@pytest.mark.parametrize("data", [b"", b"not a video at all", b"\x00" * 5000])
def test_what_is_no_video_is_refused_by_its_own_name(uploads: Uploads, tmp_path: Path, data: bytes) -> None:
    path = asyncio.run(uploads.receive(chunks([data])))
    with pytest.raises(MediaError, match=r"holiday\.mp4") as caught:
        uploads.accept(path, "holiday.mp4", partial(taken, tmp_path))
    assert ".part" not in str(caught.value) and left(tmp_path) == []


def test_the_limit_holds_before_and_while_it_is_sent(uploads: Uploads, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match="UPLOAD_LIMIT_GB"):
        uploads.check(3_000_001)
    with pytest.raises(TooLargeError):
        asyncio.run(uploads.receive(chunks([b"x" * 100_000] * 31)))
    assert left(tmp_path) == []
    uploads.check(3_000_000)
    uploads.check(None)


def test_a_disk_without_room_is_said(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "disk_free", lambda path: module.SPARE + 100)
    uploads.check(100)
    with pytest.raises(StorageError, match="no room"):
        uploads.check(101)


def test_what_a_killed_app_left_is_swept(uploads: Uploads, tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    (tmp_path / "uploads" / "abc.part").write_bytes(b"half")
    uploads.sweep()
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a.mov", "a.mov"),
        ("../../etc/passwd", "passwd"),
        ("C:\\clips\\b.mp4", "b.mp4"),
        ("line\nbreak\x00.mp4", "linebreak.mp4"),
        ("…/镜头 12.mov", "镜头 12.mov"),
        ("", "video"),
        ("...", "video"),
        ("/", "video"),
        ('"quoted".mp4', '"quoted".mp4'),
    ],
)
def test_names_are_text_and_never_paths(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_long_names_keep_their_ending() -> None:
    assert len(safe_name("x" * 5000 + ".mp4")) <= 200 and safe_name("x" * 5000 + ".mp4").endswith(".mp4")


@pytest.fixture
def delivered(tmp_path: Path) -> MattingSession:
    """Return a session with a file and a folder delivered."""
    made = {"alpha": Delivered(path="alpha.mp4", mark="a"), "png": Delivered(path="png", mark="b")}
    state = MattingState(
        id="one",
        name="n",
        source="source.mp4",
        original_name="Shot 12.final.mov",
        created=datetime.now(UTC),
        delivered=made,
    )
    (tmp_path / "png").mkdir()
    for index in range(3):
        (tmp_path / "png" / f"{index:06d}.png").write_bytes(bytes([index]) * 1000)
    (tmp_path / "alpha.mp4").write_bytes(b"alpha" * 700_000)
    return MattingSession(tmp_path, state)


def test_downloads_have_the_original_name(delivered: MattingSession) -> None:
    assert result(delivered, "alpha").name == "Shot 12.final_alpha.mp4"
    assert result(delivered, "png").name == "Shot 12.final_png"


def test_a_zip_is_made_in_pieces_and_holds_the_files(delivered: MattingSession, tmp_path: Path) -> None:
    pieces = list(zipped(results(delivered, ["alpha", "png", "alpha"])))
    assert max(map(len, pieces)) < 2_200_000, "never the whole archive in memory"
    (tmp_path / "all.zip").write_bytes(b"".join(pieces))
    with zipfile.ZipFile(tmp_path / "all.zip") as archive:
        assert archive.testzip() is None
        assert archive.read("Shot 12.final_alpha.mp4") == b"alpha" * 700_000
        assert archive.read("Shot 12.final_png/000002.png") == b"\x02" * 1000
        assert len(archive.namelist()) == 4


@pytest.mark.parametrize("name", ["../state.json", "state", "", "ALPHA", "alpha.mp4"])
def test_only_formats_are_handed_out(delivered: MattingSession, name: str) -> None:
    with pytest.raises(ParameterError):
        result(delivered, name)


def test_only_what_is_delivered_and_there_is_handed_out(delivered: MattingSession) -> None:
    with pytest.raises(SessionError, match="not delivered"):
        result(delivered, "prores")
    (delivered.folder / "alpha.mp4").unlink()
    with pytest.raises(SessionError):
        result(delivered, "alpha")
    with pytest.raises(ParameterError, match="which formats"):
        results(delivered, [])
