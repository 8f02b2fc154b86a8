from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from errors import StorageError, StoreError
from json_store import JsonStore


class Thing(BaseModel):
    name: str = "?"
    size: int = 0


def rename_title(data: dict[str, Any]) -> dict[str, Any]:
    return {"name": data.pop("title"), **data}


@pytest.fixture
def store(tmp_path: Path) -> JsonStore[Thing]:
    return JsonStore(tmp_path / "thing.json", Thing, {1: rename_title})


def test_saves_and_loads_with_a_version(store: JsonStore[Thing]) -> None:
    store.save(Thing(name="Größe 汉", size=3))
    assert json.loads(store.path.read_text())["version"] == 2
    assert store.load() == Thing(name="Größe 汉", size=3)
    assert [path.name for path in store.path.parent.iterdir()] == ["thing.json"]


def test_migrates_an_older_version(store: JsonStore[Thing]) -> None:
    store.path.write_text('{"version": 1, "title": "old", "size": 5}')
    assert store.load() == Thing(name="old", size=5)


def test_refuses_a_newer_version_and_leaves_it(store: JsonStore[Thing]) -> None:
    text = '{"version": 3, "name": "from the future"}'
    store.path.write_text(text)
    with pytest.raises(StoreError, match="newer SplazMatte"):
        store.load()
    assert store.path.read_text() == text


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '"text"', "{}", '{"version": "2"}', '{"version": true}', '{"version": 0}',
     '{"version": 2, "size": "many"}', '{"version": 1}', "\x00\x01", "[" * 100_000],
)  # fmt: skip
def test_sets_aside_what_cannot_be_read(store: JsonStore[Thing], content: str) -> None:
    store.path.write_text(content)
    with pytest.raises(StoreError, match="could not be read") as caught:
        store.load()
    assert "\n" not in str(caught.value)
    kept = list(store.path.parent.glob("thing.json.unreadable-*"))
    assert not store.path.exists() and [path.read_text() for path in kept] == [content]


def test_sets_aside_what_is_not_text(store: JsonStore[Thing]) -> None:
    store.path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(StoreError):
        store.load()


def test_a_failed_write_leaves_the_old_file(store: JsonStore[Thing], monkeypatch: pytest.MonkeyPatch) -> None:
    store.save(Thing(name="old"))

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StorageError, match="disk is full"):
        store.save(Thing(name="new"))
    monkeypatch.undo()
    assert store.load().name == "old"
    assert [path.name for path in store.path.parent.iterdir()] == ["thing.json"]


def test_a_missing_file_is_not_made_up(store: JsonStore[Thing]) -> None:
    assert not store.exists()
    with pytest.raises(FileNotFoundError):
        store.load()


def test_files_set_aside_never_take_each_others_place(store: JsonStore[Thing], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", lambda: 0)  # whatever the clock says
    for content in ("{", "[", "", "{"):
        store.path.write_text(content)
        with pytest.raises(StoreError):
            store.load()
    kept = sorted(path.read_text() for path in store.path.parent.glob("*.unreadable-*"))
    assert kept == ["", "[", "{"]


def test_never_overwrites_a_newer_version(store: JsonStore[Thing]) -> None:
    store.save(Thing(name="ours"))
    store.path.write_text('{"version": 3}')
    with pytest.raises(StoreError, match="newer SplazMatte"):
        store.save(Thing(name="ours again"))
    assert store.path.read_text() == '{"version": 3}'


def test_saving_keeps_what_is_unreadable(store: JsonStore[Thing]) -> None:
    store.path.write_text("a bad edit")
    store.save(Thing(name="new"))
    assert store.load().name == "new"
    assert [path.read_text() for path in store.path.parent.glob("*.unreadable-*")] == ["a bad edit"]


def test_tells_whether_somebody_else_has_written(store: JsonStore[Thing]) -> None:
    other = JsonStore(store.path, Thing, store.migrations)
    assert not store.changed()
    store.save(Thing(name="1"))
    assert not store.changed() and other.changed()
    assert other.load().name == "1" and not other.changed()
    other.save(Thing(name="2"))
    assert store.changed()
    other.save(Thing(name="1"))
    assert not store.changed()
    store.path.unlink()
    assert store.changed()


def test_a_file_that_may_not_be_read_says_so(store: JsonStore[Thing]) -> None:
    store.path.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        store.load()


@pytest.fixture
def doubled(tmp_path: Path) -> JsonStore[Thing]:
    return JsonStore(tmp_path / "thing.json", Thing, {1: rename_title}, backup=True)


def backup_of(store: JsonStore[Thing]) -> Path:
    return store.path.with_name("thing.json.backup")


def test_a_backup_has_the_same_content(doubled: JsonStore[Thing]) -> None:
    for name in ("first", "second"):
        doubled.save(Thing(name=name))
        assert doubled.path.read_bytes() == backup_of(doubled).read_bytes()
    assert doubled.load().name == "second" and doubled.notice == ""
    assert not list(doubled.path.parent.glob("*.unreadable-*"))


@pytest.mark.parametrize("content", ["", "{", '{"version": 2, "na', '{"version": 2, "size": "many"}', None])
def test_a_backup_takes_the_place_of_what_cannot_be_read(doubled: JsonStore[Thing], content: str | None) -> None:
    doubled.save(Thing(name="kept"))
    if content is None:
        doubled.path.unlink()
    else:
        doubled.path.write_text(content)
    again = JsonStore(doubled.path, Thing, doubled.migrations, backup=True)
    assert again.exists() and again.load().name == "kept"
    assert "its backup took its place" in again.notice and "\n" not in again.notice
    kept = [path.read_text() for path in doubled.path.parent.glob("*.unreadable-*")]
    assert kept == ([] if content is None else [content])
    assert doubled.load().name == "kept" and doubled.notice == ""


def test_a_newer_version_is_not_replaced_by_its_backup(doubled: JsonStore[Thing]) -> None:
    doubled.save(Thing(name="old"))
    doubled.path.write_text('{"version": 3}')
    for action in (doubled.load, lambda: doubled.save(Thing())):
        with pytest.raises(StoreError, match="newer SplazMatte"):
            action()
    assert doubled.path.read_text() == '{"version": 3}' and "old" in backup_of(doubled).read_text()


def test_a_newer_backup_is_not_overwritten(doubled: JsonStore[Thing]) -> None:
    backup_of(doubled).write_text('{"version": 3}')
    doubled.path.write_text("{")
    for action in (doubled.load, doubled.load, lambda: doubled.save(Thing())):
        with pytest.raises(StoreError, match="newer SplazMatte"):
            action()
    assert backup_of(doubled).read_text() == '{"version": 3}' and doubled.exists()


def test_file_and_backup_unreadable_are_both_set_aside(doubled: JsonStore[Thing]) -> None:
    doubled.path.write_text("{")
    backup_of(doubled).write_text("[")
    with pytest.raises(StoreError, match="its backup could not be read either"):
        doubled.load()
    assert not doubled.exists()
    assert sorted(path.read_text() for path in doubled.path.parent.iterdir()) == ["[", "{"]
    with pytest.raises(FileNotFoundError):
        doubled.load()


KILLED_SAVE = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from tests.test_json_store import Thing, JsonStore, rename_title
store = JsonStore(Path(sys.argv[2]), Thing, {1: rename_title}, backup=True)
renames, whole = int(sys.argv[3]), Path.replace
def rename(self, target):
    global renames
    if renames == 0:
        os._exit(9)
    renames -= 1
    return whole(self, target)
Path.replace = rename
store.save(Thing(name="new"))
"""


@pytest.mark.parametrize("renames", [0, 1])
def test_killed_between_write_and_rename_it_has_the_old_value(doubled: JsonStore[Thing], renames: int) -> None:
    doubled.save(Thing(name="old"))
    root = Path(__file__).resolve().parent.parent
    command = [sys.executable, "-c", KILLED_SAVE, str(root), str(doubled.path), str(renames)]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 9
    assert doubled.load().name == "old" and doubled.notice == ""
    doubled.path.write_bytes(b"")  # and then the file loses what it had
    assert doubled.load().name == ("old", "new")[renames] and doubled.notice
    doubled.save(Thing(name="next"))
    assert not list(doubled.path.parent.glob("*.partial"))
