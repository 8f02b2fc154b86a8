"""Commands `list` and `clean`."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cli.text import printable
from queue_logic import JobState, Owner, ProcessRecord
from session_store import RunRecord, SessionStore, tree_bytes
from tests.conftest import Answer
from tests.session_files import Make, add_jobs, finished_session

Cli = Callable[..., Answer]


@pytest.fixture
def store(workspace: Path) -> SessionStore:
    return SessionStore(workspace / "sessions")


@pytest.fixture
def make(store: SessionStore, tmp_path: Path) -> Make:
    return lambda name: finished_session(store, tmp_path / name)


def own_queue(workspace: Path) -> None:
    """Write that this process runs the queue."""
    owner = Owner(process=ProcessRecord.of(os.getpid()), since=datetime.now(UTC), what="test")
    (workspace / "queue.owner.json").write_text(owner.model_dump_json())


def row(cli: Cli) -> dict[str, object]:
    (only,) = cli("list", "--json").json["sessions"]
    return only


def test_list_says_what_is_there(cli: Cli, make: Make) -> None:
    session = make("dog.mp4")
    assert row(cli) == {
        "kind": "matting", "session_id": session.state.id, "session_dir": str(session.folder),
        "bytes": tree_bytes(session.folder), "name": "dog.mp4", "created": session.state.created.isoformat(),
        "state": "done", "progress": 1.0, "objects": 1, "formats": ["alpha"],
        "usage": {"source": 1000, "frames": 300, "keyframes": 10, "masks": 20, "drafts": 0, "alpha": 40,
                  "deliverables": 50, "leftovers": 0, "other": row(cli)["usage"]["other"]},  # type: ignore[index]
    }  # fmt: skip


@pytest.mark.parametrize("name", ["two\nlines.mp4", "\x1b[31mred\r.mp4", "a\x85b\u2028c\u202ed.mp4"])
def test_names_stay_on_their_line(cli: Cli, make: Make, workspace: Path, name: str) -> None:
    """Neither a line break nor anything else in a name of a video moves what is printed for people."""
    session = make("clip.mp4")
    session.state.original_name = name
    session.save()
    add_jobs(workspace, session, JobState.PENDING)
    shown = printable(name)
    assert "\\" in shown
    for command in (["list"], ["queue", "list"]):
        line = cli(*command).out.split("\n")[0]
        assert shown in line
        assert line.isprintable()
    assert row(cli)["name"] == cli("queue", "list", "--json").json["jobs"][0]["name"] == name
    assert shown in cli("session", "delete", session.state.id, "--yes").err.splitlines()[0]


def test_names_of_all_languages_stay_as_they_are() -> None:
    for name in ("片段 1.mov", "Clip\u202f2024.mov", "👩\u200d👧.mp4", "a\u00a0b", "נער.mp4", "back\\n"):
        assert printable(name) == name
    assert printable("\udcff.mp4") == "\\udcff.mp4"


def test_list_is_aligned_for_people(cli: Cli, make: Make) -> None:
    assert cli("list").out == "no sessions yet\n"
    make("a.mp4")
    other = make("a long name.mp4")
    other.state.last_run = RunRecord(status="cancelled")
    other.state.delivered.clear()
    other.save()
    first, second = sorted(cli("list").out.splitlines(), key=lambda line: "cancelled" in line)
    assert first.index("a.mp4") == second.index("a long name.mp4") and first.index("100%") == second.index(" 50%")
    assert "done" in first and "cancelled" in second and "kB" in first


def test_list_names_the_state_of_the_job(cli: Cli, make: Make, workspace: Path) -> None:
    session = make("a.mp4")
    add_jobs(workspace, session, JobState.PENDING)
    assert (row(cli)["state"], row(cli)["progress"]) == ("pending", 1.0)
    add_jobs(workspace, session, JobState.INTERRUPTED)
    assert row(cli)["state"] == "interrupted"
    add_jobs(workspace, session, JobState.RUNNING, fraction=0.25)
    assert row(cli)["state"] == "interrupted", "nobody runs the queue"
    own_queue(workspace)
    assert (row(cli)["state"], row(cli)["progress"]) == ("running", 0.25)
    add_jobs(workspace, session, JobState.PENDING, JobState.RUNNING, JobState.PENDING)
    assert row(cli)["state"] == "running"
    add_jobs(workspace, session, JobState.DONE, JobState.INTERRUPTED, JobState.PENDING)
    assert row(cli)["state"] == "interrupted", "the next of several"
    add_jobs(workspace, session, JobState.FAILED)
    assert row(cli)["state"] == "done", "that job is over"
    add_jobs(workspace, session, JobState.RUNNING, fraction=0.25, kind="upload")
    assert (row(cli)["state"], row(cli)["progress"]) == ("done", 1.0), "an upload is no work on the session"
    (workspace / "queue.json").write_text("{")
    assert row(cli)["state"] == "done" and (workspace / "queue.json").read_text() == "{"


def test_list_tells_a_run_from_one_that_was_killed(cli: Cli, make: Make, store: SessionStore) -> None:
    session = make("a.mp4")
    session.state.last_run = RunRecord(status="running")
    session.save()
    assert row(cli)["state"] == "interrupted"
    with store.open(session.state.id).lock():
        assert row(cli)["state"] == "running"


@pytest.mark.parametrize("content", ["{", None, '{"version": 99}'])
def test_list_shows_what_cannot_be_read(cli: Cli, make: Make, content: str | None) -> None:
    session = make("a.mp4")
    (session.folder / "state.json").unlink()
    if content is not None:
        (session.folder / "state.json").write_text(content)
    answer = cli("list", "--json")
    (only,) = answer.json["sessions"]
    assert answer.code == 0 and answer.err.startswith("warning: ") and answer.err.count("\n") == 1
    assert (only["state"], only["name"], only["progress"]) == ("unreadable", "?", 0.0) and only["bytes"] > 1000
    assert cli("list").code == 0


@pytest.mark.parametrize("content", ["{", None, '{"version": 99}'])
@pytest.mark.parametrize("command", [
    ["run"], ["export", "--formats", "png"], ["bundle"], ["estimate"], ["find", "--text", "dog"], ["queue", "add"],
    ["project", "export"],
], ids=lambda command: command[0])  # fmt: skip
def test_every_command_says_what_list_says(cli: Cli, make: Make, content: str | None, command: list[str]) -> None:
    """However often a state was found unreadable: it is never 'no such session'."""
    session = make("a.mp4")
    (session.folder / "state.json").unlink()
    if content is not None:
        (session.folder / "state.json").write_text(content)
    words = [command[0], session.state.id, *command[1:]]
    if command[0] in ("queue", "project"):
        words = [*command, session.state.id]
    first = cli("list").err.removeprefix("warning: ")
    assert "state.json" in first and first == cli("list").err.removeprefix("warning: ")
    answer = cli(*words)
    assert (answer.code, answer.err) == (4, f"error: {first}")


def test_clean_of_everything_sweeps_leftovers(cli: Cli, store: SessionStore) -> None:
    (store.root / ".deleted-x").mkdir(parents=True)
    assert cli("clean", "--yes").code == 0 and list(store.root.iterdir()) == []


def test_clean_logs_removes_logs_only(cli: Cli, make: Make, store: SessionStore, workspace: Path) -> None:
    session = make("a.mp4")
    (workspace / "logs").mkdir()
    for name in ("app.log", "logs/job-1.log", "logs/job-2.log.1"):
        (workspace / name).touch()
    (workspace / "logs" / "notes.txt").touch()
    answer = cli("clean", "--logs", "--json")
    assert [Path(path).name for path in answer.json["removed"]] == ["app.log", "job-1.log", "job-2.log.1"]
    assert [path.name for path in (workspace / "logs").iterdir()] == ["notes.txt"]
    assert list(store.ids()) == [session.state.id]
