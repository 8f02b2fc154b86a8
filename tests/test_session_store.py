from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from errors import SessionBusyError, SessionNotFoundError, StorageError, StoreError
from session_store import Keyframe, SessionObject, SessionStore

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "my clip.MP4"
    path.write_bytes(b"not looked into here")
    return path


def test_create_copies_and_open_finds(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    assert session.source.name == "source.mp4" and session.source.read_bytes() == video.read_bytes()
    assert video.exists()
    again = store.open(session.state.id)
    assert again.state == session.state and again.state.original_name == "my clip.MP4"
    assert list(store.ids()) == [session.state.id]


@pytest.mark.parametrize("name", ["-dash", "no_suffix", "x.m p 4", "a.." + "b" * 40, "名.mov"])
def test_odd_file_names_become_plain_ones(store: SessionStore, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"1")
    assert store.create(path).state.source in {"source.video", "source.mov"}


def test_failed_copy_leaves_nothing(store: SessionStore, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", fail)
    with pytest.raises(StorageError, match="disk is full"):
        store.create(video)
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("wrong", ["", "..", "../x", "/etc", "a/b", "A", "x" * 65, ".new-1", "a\n", "missing", "名"])
def test_open_refuses_what_is_not_an_id(store: SessionStore, video: Path, wrong: str) -> None:
    store.create(video)
    with pytest.raises(SessionNotFoundError):
        store.open(wrong)
    with pytest.raises(SessionNotFoundError):
        store.delete(wrong)
    assert video.exists()


def test_unreadable_state_is_named(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    (session.folder / "state.json").write_text("{")
    with pytest.raises(StoreError):
        store.open(session.state.id)


def test_delete_removes_everything(store: SessionStore, video: Path) -> None:
    store.delete(store.create(video).state.id)
    assert list(store.root.iterdir()) == []


OTHER_PROCESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import shutil
from session_store import SessionStore
store = SessionStore(Path(sys.argv[2]))
def say():
    print("there", flush=True)
    sys.stdin.read()
"""
HOLD = "with store.open(sys.argv[3]).lock():\n    say()"
RENAME = "s = store.open(sys.argv[3])\nwith s.lock():\n    s.state.name = 'theirs'; s.save(); say()"
COPY = "shutil.copyfile = lambda *_: say()\nstore.create(Path(sys.argv[3]))"


@contextmanager
def other_process(store: SessionStore, code: str, argument: object) -> Iterator[subprocess.Popen[str]]:
    """Run `code` in another process up to its `say()`; it is killed in the end."""
    command = [sys.executable, "-c", OTHER_PROCESS + code, str(ROOT), str(store.root), str(argument)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "there\n"
        try:
            yield process
        finally:
            process.kill()


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_copy_under_way_is_left_alone_and_a_killed_one_swept_away(store: SessionStore, video: Path) -> None:
    with other_process(store, COPY, video):
        (busy,) = store.root.glob(".new-*[!k]")
        os.utime(busy, (0, 0))  # however old the clock says that it is
        assert store.leftovers() == []
        session = store.create(video)
        assert busy.exists() and list(store.ids()) == [session.state.id]
    os.utime(busy, (2e9, 2e9))
    (store.root / ".deleted-x").mkdir()
    (store.root / ".new-y.lock").touch()
    assert [path.name for path in store.leftovers()] == [".deleted-x", busy.name, ".new-y"]
    session = store.create(video)
    assert sorted(path.name for path in store.root.iterdir()) == list(store.ids()) and len(list(store.ids())) == 2


def test_the_copy_is_on_the_disk_before_the_session_is_there(
    store: SessionStore, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced = []
    monkeypatch.setattr("session_base.store.sync_file", lambda path: synced.append((path.name, path.parent.name[:5])))
    store.create(video)
    assert synced == [("source.mp4", ".new-")]


def test_one_process_at_a_time(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    with other_process(store, HOLD, session.state.id):
        assert store.is_busy(session.state.id)
        with pytest.raises(SessionBusyError, match=r"another process.*run\.py queue cancel"), session.lock():
            pass
    with session.lock():
        assert store.is_busy(session.state.id)
    assert not store.is_busy(session.state.id)


def test_who_waited_sees_what_was_done_before(store: SessionStore, video: Path) -> None:
    first = store.create(video)
    second = store.open(first.state.id)
    with first.lock():
        first.state.formats = ["png"]
        first.save()
    second.state.name = "not saved yet"
    with second.lock():
        assert (second.state.formats, second.state.name) == (["png"], "not saved yet")
        second.add_object("dog")
        second.save()
    with first.lock():
        assert [item.name for item in first.state.objects] == ["dog"] and first.state.name == "not saved yet"


def test_who_waited_for_another_process_sees_what_it_did(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    with other_process(store, RENAME, session.state.id):
        pass
    with session.lock():
        assert session.state.name == "theirs"


def test_unsaved_edits_stay_when_nobody_else_has_saved(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    session.add_object("dog")
    with session.lock():
        assert [item.name for item in session.state.objects] == ["dog"]
        session.save()
    session.add_object("cat")
    with session.lock():
        assert [item.name for item in session.state.objects] == ["dog", "cat"]


def test_a_session_deleted_meanwhile_is_not_made_anew(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    store.delete(session.state.id)
    with pytest.raises(SessionNotFoundError, match="deleted"):
        session.save()
    with pytest.raises(SessionNotFoundError, match="deleted"), session.lock():
        pass
    with pytest.raises(SessionNotFoundError):
        store.is_busy(session.state.id)
    assert list(store.root.iterdir()) == []


def test_a_session_deleted_while_its_lock_is_taken_leaves_no_folder(
    store: SessionStore, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = store.create(video)
    store.delete(session.state.id)
    monkeypatch.setattr(Path, "is_dir", lambda _: True)  # what was seen a moment ago
    with pytest.raises(SessionNotFoundError, match="deleted"), session.lock():
        pass
    assert list(store.root.iterdir()) == []


def test_files_lost_under_the_lock_end_the_work(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    with session.lock():
        for path in session.folder.iterdir():
            path.unlink()
        session.masks_dir(1, "drafts").mkdir(parents=True)
        with pytest.raises(SessionNotFoundError, match="deleted"):
            session.save()
    assert not (session.folder / "state.json").exists()


def test_a_state_damaged_under_the_lock_is_written_anew(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    with session.lock():
        (session.folder / "state.json").write_text("{")
        with pytest.raises(StoreError):
            store.open(session.state.id)
        session.add_object("dog")
        session.save()
    assert [item.name for item in store.open(session.state.id).state.objects] == ["dog"]
    assert len(list(session.folder.glob("state.json.unreadable-*"))) == 1


def test_looking_takes_no_lock_and_makes_none(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    before = files(session.folder)
    assert not store.is_busy(session.state.id)
    assert files(session.folder) == before


def test_a_busy_session_is_not_deleted(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    before = files(session.folder)
    with other_process(store, HOLD, session.state.id):
        with pytest.raises(SessionBusyError, match="being worked on"):
            store.delete(session.state.id)
        assert {**before, ".lock": b""}.items() <= files(session.folder).items()
    store.delete(session.state.id)
    assert list(store.root.iterdir()) == []


@pytest.mark.parametrize("state", [None, "{", '{"version": 99}'])
def test_delete_removes_what_cannot_be_read(store: SessionStore, video: Path, state: str | None) -> None:
    folder = store.create(video).folder
    (folder / "state.json").unlink()
    if state is not None:
        (folder / "state.json").write_text(state)
    store.delete(folder.name)
    assert list(store.root.iterdir()) == []


def test_a_session_on_a_read_only_disk_stays_whole(
    store: SessionStore, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = store.create(video)

    def refuse(self: Path, _: Path) -> None:
        raise OSError(30, "Read-only file system", str(self))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="read-only"):
        store.delete(session.state.id)
    assert store.open(session.state.id).source.read_bytes() == video.read_bytes()
    assert [path.name for path in store.root.iterdir()] == [session.state.id]


def test_a_copied_folder_is_a_session_of_its_own(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    shutil.copytree(session.folder, store.root / "a-copy")
    copy = store.open("a-copy")
    assert copy.state.id == "a-copy" and copy.state.name == session.state.name
    store.delete(copy.state.id)
    assert list(store.ids()) == [session.state.id]


def test_objects_get_ids_names_and_colours(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    first, second = session.add_object("dog"), session.add_object()
    assert (first.id, second.id, second.name) == (1, 2, "object 2") and first.colour != second.colour
    session.save()
    assert [item.name for item in store.open(session.state.id).state.objects] == ["dog", "object 2"]


def test_defaults_are_not_shared() -> None:
    first, second = (SessionObject(id=1, name="a", colour="#000000") for _ in range(2))
    first.propagated.mark(0, 5, "x")
    first.keyframes[0] = Keyframe(origin="mask", digest="d")
    assert second.propagated.spans == [] and second.keyframes == {}
