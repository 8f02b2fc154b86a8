from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import SessionBusyError, SessionNotFoundError, StorageError, StoreError
from session_store import Keyframe, Provenance, SessionObject, SessionStore, Span

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


def test_leftovers_of_a_killed_copy_are_swept_away(store: SessionStore, video: Path) -> None:
    old, fresh = (store.root / name for name in (".new-old", ".new-fresh"))
    for path in (old, fresh):
        path.mkdir(parents=True)
    os.utime(old, (0, 0))
    session = store.create(video)
    assert not old.exists() and fresh.exists() and list(store.ids()) == [session.state.id]


def test_one_process_at_a_time(store: SessionStore, video: Path) -> None:
    session = store.create(video)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from pathlib import Path\nfrom session_store import SessionStore\n"
        "with SessionStore(Path(sys.argv[2])).open(sys.argv[3]).lock():\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(store.root), session.state.id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        assert store.is_busy(session.state.id)
        with pytest.raises(SessionBusyError, match="another process"):
            session.lock()
        other.kill()
    with session.lock():
        pass
    assert not store.is_busy(session.state.id)


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


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10), st.sampled_from(["a", "b", None])), max_size=25))
def test_provenance_is_a_map_of_frames(steps: list[tuple[int, int, str | None]]) -> None:
    provenance, plain = Provenance(), dict[int, str]()
    for start, length, mark in steps:
        for index in range(start, start + length):
            plain.pop(index, None)
            if mark:
                plain[index] = mark
        provenance.mark(start, start + length, mark) if mark else provenance.discard(start, start + length)
    assert {i: provenance.get(i) for i in range(50) if provenance.get(i)} == plain
    spans = provenance.spans
    assert spans == sorted(spans, key=lambda span: span.start)
    for left, right in pairwise(spans):
        assert left.stop < right.start or (left.stop == right.start and left.mark != right.mark)
    assert provenance.stale(0, 50, lambda _: "a") == [i for i in range(50) if plain.get(i) != "a"]
    assert provenance.stale(0, 50, lambda _: None) == []


def keyframed(*frames: int) -> SessionObject:
    item = SessionObject(id=1, name="o", colour="#000000")
    item.keyframes = {index: Keyframe(origin="mask", digest=f"d{index}") for index in frames}
    return item


def test_a_changed_keyframe_makes_only_the_frames_up_to_its_neighbours_stale() -> None:
    item = keyframed(0, 10, 20, 30)
    for index in range(40):
        item.propagated.mark(index, index + 1, item.mask_mark(index, "flow@1", "both") or "")
    item.keyframes[10] = Keyframe(origin="mask", digest="other")
    stale = item.propagated.stale(0, 40, lambda index: item.mask_mark(index, "flow@1", "both"))
    assert stale == list(range(1, 20))
    del item.keyframes[10]
    stale = item.propagated.stale(0, 40, lambda index: item.mask_mark(index, "flow@1", "both"))
    assert stale == list(range(1, 20))


@pytest.mark.parametrize(
    ("direction", "covered"), [("forward", range(10, 30)), ("backward", range(21)), ("both", range(30))]
)
def test_direction_says_which_frames_have_a_mask(direction: str, covered: range) -> None:
    item = keyframed(10, 20)
    assert [i for i in range(30) if item.mask_mark(i, "flow@1", direction) is not None] == list(covered)


def test_an_object_without_keyframes_has_no_masks() -> None:
    assert keyframed().mask_mark(3, "flow@1", "both") is None


def test_spans_survive_json() -> None:
    provenance = Provenance(spans=[Span(start=0, stop=4, mark="x")])
    assert Provenance.model_validate_json(provenance.model_dump_json()) == provenance
