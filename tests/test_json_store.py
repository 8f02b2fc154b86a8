from __future__ import annotations

import json
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
