"""Commands `session delete` and `session clean`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from queue_logic import JobQueue, JobState
from session_store import SessionStore, tree_bytes
from tests.conftest import Answer, assert_error
from tests.session_files import Make, add_jobs, finished_session

Cli = Callable[..., Answer]


@pytest.fixture
def store(workspace: Path) -> SessionStore:
    return SessionStore(workspace / "sessions")


@pytest.fixture
def make(store: SessionStore, tmp_path: Path) -> Make:
    return lambda name: finished_session(store, tmp_path / name)


def test_delete_shows_sizes_and_asks(
    cli: Cli, make: Make, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make("dog.mp4")
    asked: list[str] = []
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", lambda question, **_: asked.append(question))
    answer = cli("session", "delete", session.state.id)
    assert answer.code == 130 and list(store.ids()) == [session.state.id]
    assert "dog.mp4" in answer.err and "kB" in answer.err and "1 session" in asked[0]


@pytest.mark.parametrize("command", [["session", "delete", "ID"], ["session", "clean"], ["clean"]])
def test_without_a_terminal_it_says_how_to_answer(
    cli: Cli, make: Make, store: SessionStore, command: list[str]
) -> None:
    session = make("dog.mp4")
    answer = cli(*(session.state.id if word == "ID" else word for word in command))
    assert (answer.code, answer.out) == (3, "") and "add --yes" in answer.err.splitlines()[-1]
    assert list(store.ids()) == [session.state.id] and session.frames_dir.exists()


def test_delete_removes_sessions_and_their_jobs(cli: Cli, make: Make, store: SessionStore, workspace: Path) -> None:
    first, second, third = make("a.mp4"), make("b.mp4"), make("c.mp4")
    queue = JobQueue(workspace)
    for session in (first, third):
        queue.add("matting", session.state.id)
    size = tree_bytes(first.folder) + tree_bytes(second.folder)
    answer = cli("session", "delete", first.state.id, second.state.id, first.state.id, "--yes", "--json")
    assert answer.code == 0, answer.err
    assert [entry["name"] for entry in answer.json["removed"]] == ["a.mp4", "b.mp4"]
    assert answer.json["bytes"] == size and answer.json["jobs_removed"] == ["1"]
    assert list(store.ids()) == [third.state.id]
    assert [job.session_id for job in JobQueue(workspace).jobs()] == [third.state.id]


def test_delete_without_jobs_writes_no_queue(cli: Cli, make: Make, workspace: Path) -> None:
    assert cli("session", "delete", make("a.mp4").state.id, "--yes").code == 0
    assert not list(workspace.glob("queue*"))


@pytest.mark.parametrize("command", ["delete", "clean"])
@pytest.mark.parametrize("wrong", ["missing", "../x", "..", "/etc", "A", ""])
def test_an_unknown_id_stops_before_anything_is_removed(cli: Cli, make: Make, command: str, wrong: str) -> None:
    session = make("a.mp4")
    before = tree_bytes(session.folder)
    assert_error(cli("session", command, session.state.id, wrong, "--yes"), 4, "`list` shows the ids")
    assert tree_bytes(session.folder) == before


def test_delete_needs_an_id(cli: Cli) -> None:
    assert_error(cli("session", "delete", "--yes"), 2, "SESSION")


def test_a_busy_session_and_its_jobs_stay(cli: Cli, make: Make, store: SessionStore, workspace: Path) -> None:
    free, session = make("a.mp4"), make("b.mp4")
    add_jobs(workspace, session, JobState.PENDING)
    with session.lock():
        assert_error(cli("session", "delete", free.state.id, session.state.id, "--yes"), 4, "run.py queue cancel")
        assert list(store.ids()) == sorted([free.state.id, session.state.id])
        answer = cli("clean", "--yes", "--json")
        assert answer.json["removed"] == [free.state.id]
        assert [entry["session_id"] for entry in answer.json["skipped"]] == [session.state.id]
        assert answer.code == 0 and "being worked on" in answer.err
    assert len(JobQueue(workspace).jobs()) == 1
    assert cli("clean", "--yes", "--json").json == {"removed": [session.state.id], "skipped": []}
    assert JobQueue(workspace).jobs() == []


def test_delete_takes_what_cannot_be_read(cli: Cli, make: Make, store: SessionStore) -> None:
    session = make("a.mp4")
    (session.folder / "state.json").write_text("{")
    answer = cli("session", "delete", session.state.id, "--yes", "--json")
    assert answer.code == 0 and answer.json["removed"][0]["name"] == "?" and list(store.ids()) == []


def test_clean_shows_first_and_removes_what_it_showed(cli: Cli, make: Make, store: SessionStore) -> None:
    session = make("a.mp4")
    (store.root / ".new-old").mkdir()
    (store.root / ".new-old" / "source.mp4").write_bytes(bytes(70))
    shown = cli("session", "clean", "--dry-run", "--json")
    assert shown.json["sessions"] == [
        {"session_id": session.state.id, "name": "a.mp4", "parts": {"frames": 300}, "bytes": 300}
    ]
    assert shown.json["bytes"] == 370 and shown.json["dry_run"] is True and session.frames_dir.exists()
    assert "300 bytes" in shown.err and "70 bytes" in shown.err
    done = cli("session", "clean", "--yes", "--json")
    assert done.json == {**shown.json, "dry_run": False}
    assert not session.frames_dir.exists() and session.alpha_dir.exists() and not (store.root / ".new-old").exists()
    assert store.open(session.state.id).state.extracted == 0
    again = cli("session", "clean")
    assert again.code == 0 and "nothing to clean" in again.err and again.out == "nothing was removed\n"


def test_deep_clean_of_one_session_leaves_others_alone(cli: Cli, make: Make, store: SessionStore) -> None:
    session, other = make("a.mp4"), make("b.mp4")
    (store.root / ".new-old").mkdir()
    answer = cli("session", "clean", session.state.id, "--deep", "--yes", "--json")
    assert answer.json["bytes"] == 360 and answer.json["leftovers"] == []
    assert answer.json["sessions"][0]["parts"] == {"frames": 300, "masks": 20, "alpha": 40}
    assert sorted(path.name for path in session.folder.iterdir() if not path.name.endswith(".lock")) == [
        "alpha.mp4", "masks", "meta.json", "source.mp4", "state.json",
    ]  # fmt: skip
    assert [path.name for path in session.folder.glob("masks/**/*.png")] == ["000000.png"]
    assert other.frames_dir.exists() and (store.root / ".new-old").exists()


def test_clean_skips_what_is_busy_waits_or_cannot_be_read(cli: Cli, make: Make, workspace: Path) -> None:
    busy, waiting, damaged = make("a.mp4"), make("b.mp4"), make("c.mp4")
    add_jobs(workspace, waiting, JobState.PENDING)
    (workspace / "queue.json.unreadable-1").touch()
    (damaged.folder / "state.json").write_text("{")
    with busy.lock():
        answer = cli("session", "clean", "--yes", "--json")
    assert answer.code == 0 and answer.json["sessions"] == [] and answer.json["bytes"] == 0
    reasons = {entry["session_id"]: entry["reason"] for entry in answer.json["skipped"]}
    assert "being worked on" in reasons[busy.state.id] and "has a job" in reasons[waiting.state.id]
    assert "could not be read" in reasons[damaged.state.id]
    assert [Path(path).name.partition(".unreadable")[0] for path in answer.json["kept"]] == ["state.json", "queue.json"]
    assert all(Path(path).exists() for path in answer.json["kept"])
    assert all(session.frames_dir.exists() for session in (busy, waiting, damaged))


@pytest.mark.parametrize("how", ["deleted", "busy"])
def test_clean_leaves_what_has_changed_while_it_asked(
    cli: Cli, make: Make, store: SessionStore, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    first, second = make("a.mp4"), make("b.mp4")
    locks = []

    def answer_late(*_: object, **__: object) -> bool:
        if how == "deleted":
            store.delete(first.state.id)
        else:
            locks.append(first.lock())
            locks[0].__enter__()
        return True

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("typer.confirm", answer_late)
    answer = cli("session", "clean", "--json")
    for lock in locks:
        lock.__exit__(None, None, None)
    assert answer.code == 0 and [entry["name"] for entry in answer.json["sessions"]] == ["b.mp4"]
    assert [entry["session_id"] for entry in answer.json["skipped"]] == [first.state.id]
    assert not second.frames_dir.exists() and first.frames_dir.exists() is (how == "busy")


def test_a_read_only_workspace_says_so(cli: Cli, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make("a.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("atomic.Path.replace", refuse)
    monkeypatch.setattr("atomic.Path.rename", refuse)
    for command in (["clean", session.state.id], ["delete", session.state.id]):
        answer = cli("session", *command, "--yes", "--json")
        assert answer.code == 6 and "read-only" in answer.json["error"]["message"]
    monkeypatch.undo()
    assert session.frames_dir.exists()


def test_a_session_folder_that_was_copied_is_listed_by_its_own_name(cli: Cli, make: Make, store: SessionStore) -> None:
    session = make("a.mp4")
    shutil.copytree(session.folder, store.root / "copy")
    assert cli("session", "delete", "copy", "--yes").code == 0
    assert list(store.ids()) == [session.state.id]
