"""How uploads are deleted: with their session on the page, and by commands; R2 and OSS alike."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app_logic.matting_side import MattingSide
from app_logic.side import Surroundings
from config import get_settings
from errors import UploadError
from pages.texts.messages import in_chinese
from queue_logic import JobQueue
from results.cloud import upload_results
from session_store import MattingSession, SessionStore
from tests.cloud_bench import Cloud, delivered_session, set_to
from tests.conftest import Answer, assert_error
from tests.faulty import Fault, error

Cli = Callable[..., Answer]


@pytest.fixture
def store(workspace: Path) -> SessionStore:
    return SessionStore(workspace / "sessions")


@pytest.fixture
def session(store: SessionStore, tmp_path: Path) -> MattingSession:
    """Return a session that has delivered; its name has an odd space."""
    return delivered_session(store, tmp_path / "镜头　1.mp4")


def test_a_session_is_deleted_with_its_uploads_or_stays(
    cloud: Cloud, session: MattingSession, store: SessionStore
) -> None:
    keys = [made.key for made in upload_results(session)]
    side = MattingSide(Surroundings(store.root.parent, JobQueue(store.root.parent), lambda *_: None, bool), store, {})
    assert side.has_uploads(session.state.id)
    cloud.store.faults.append(Fault(".*", times=9, answer=error(503, "SlowDown")))
    with pytest.raises(UploadError, match=rf"^session {session.state.id} stays, .* delete it without them$") as caught:
        side.work.delete(session.state.id, uploads=True)
    assert in_chinese(str(caught.value)).endswith("（503 SlowDown）；请稍后重试；也可以只删除项目而保留上传内容")
    assert session.folder.exists() and cloud.there(keys) == set(keys)
    cloud.store.faults.clear()
    side.delete_upload(session.state.id, "png")
    side.work.delete(session.state.id, uploads=True)
    assert not session.folder.exists() and cloud.there(keys) == set()
    assert not side.has_uploads(session.state.id)


def test_a_session_that_is_deleted_alone_leaves_what_is_up(
    cloud: Cloud, session: MattingSession, store: SessionStore
) -> None:
    keys = [made.key for made in upload_results(session)]
    store.delete(session.state.id)
    assert cloud.there(keys) == set(keys)


def test_the_command_shows_what_is_out_of_date_and_deletes_it(cli: Cli, cloud: Cloud, session: MattingSession) -> None:
    alpha, sidecar, png = (made.key for made in upload_results(session))
    key = session.state.id
    (session.folder / "alpha.mp4").write_bytes(b"made anew")
    rows = cli("links", key, "--json").json["links"]
    assert [row["current"] for row in rows] == [False, True, True]
    assert cli("links", key).out.count("out of date: upload again)") == 1
    assert [row["format"] for row in cli("links", key, "--formats", "png", "--json").json["links"]] == ["png"]
    assert_error(cli("links", key, "--delete", "--formats", "gif"), 3, "no such format")
    asked = cli("links", key, "--delete")
    assert (asked.code, asked.out) == (3, "") and "add --yes" in asked.err and "_png.zip" in asked.err
    assert cloud.there((alpha, sidecar, png)) == {alpha, sidecar, png}
    one = cli("links", key, "--delete", "--formats", "alpha", "--yes", "--json")
    assert one.code == 0 and [(row["format"], row["key"]) for row in one.json["deleted"]] == [
        ("alpha", alpha), ("alpha.sidecar.json", sidecar),
    ]  # fmt: skip
    assert cloud.there((alpha, sidecar, png)) == {png}
    assert cli("links", key, "--delete", "--yes").out == "deleted 1 upload\n"
    assert cli("links", key, "--delete").out == "nothing is up\n"


def test_the_commands_say_why_nothing_is_deleted(
    cli: Cli, cloud: Cloud, session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_results(session)
    key = session.state.id
    cloud.store.faults.append(Fault("DELETE", times=99, answer=error(403, "AccessDenied")))
    answer = cli("links", key, "--delete", "--yes")
    assert answer.code == 6 and "let it read, write and delete there" in answer.err and not answer.out
    for command in (("session", "delete", key), ("clean",)):
        answer = cli(*command, "--uploads", "--yes")
        assert answer.code == 6 and f"error: session {key} stays, as its uploads cannot be deleted" in answer.err
        assert "or delete it without them" in answer.err
    with session.lock():
        assert cli("links", key, "--delete", "--yes").code == 4
    set_to(monkeypatch, STORAGE_BACKEND="")
    assert_error(cli("links", key, "--delete", "--yes"), 3, "no cloud store is set")
    answer = cli("session", "delete", key, "--uploads", "--yes")
    assert answer.code == 3 and "no cloud store is set" in answer.err
    assert session.folder.exists()
    assert cli("session", "delete", key, "--yes").code == 0 and not session.folder.exists()


@pytest.mark.parametrize("command", ["session delete", "clean"])
def test_the_commands_delete_sessions_with_their_uploads(
    cli: Cli, cloud: Cloud, session: MattingSession, command: str
) -> None:
    keys = [made.key for made in upload_results(session)]
    with pytest.MonkeyPatch.context() as elsewhere:
        set_to(elsewhere, **{f"{cloud.bucket.settings.backend.upper()}_BUCKET": "another-one"})
        assert f"{len(keys)} uploads in another bucket" in cli("links", session.state.id).err
    get_settings.cache_clear()
    names = [session.state.id] if command == "session delete" else []
    answer = cli(*command.split(), *names, "--uploads", "--yes", "--json")
    assert answer.code == 0 and not session.folder.exists() and cloud.there(keys) == set()
    if names:
        assert answer.json["uploads_removed"] == keys
