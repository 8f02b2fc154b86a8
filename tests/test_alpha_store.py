from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from errors import StorageError, StoreError
from pipeline.alpha_store import PEAK, AlphaStore, quantise
from tests.media_out import ffmpeg_program, small_disk


def matte(index: int, height: int = 48, width: int = 64) -> NDArray[np.float32]:
    """A soft disc that moves, over a little noise."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    disc = np.clip((height / 3 - np.hypot(x - 20 - index, y - height / 2)) / 8 + 0.5, 0, 1)
    noise = np.random.default_rng(index).random((height, width), np.float32)
    return (disc * (0.97 + 0.03 * noise)).astype(np.float32)


def mattes(start: int, stop: int) -> Iterator[NDArray[np.float32]]:
    return (matte(index) for index in range(start, stop))


@pytest.fixture
def store(tmp_path: Path) -> AlphaStore:
    return AlphaStore(tmp_path / "alpha")


def test_round_trip_is_within_half_a_code(store: AlphaStore) -> None:
    assert store.write_chunk(0, mattes(0, 6)) == (0, 6)
    for index, alpha in enumerate(store.frames(0, 6)):
        assert alpha.dtype == np.float32
        assert np.abs(alpha - matte(index)).max() <= 0.5 / PEAK + 1e-7


def test_ends_are_exact_and_values_beyond_are_clipped(store: AlphaStore) -> None:
    store.write_chunk(0, [np.array([[-0.5, 0, 1, 1.5]], np.float32).repeat(4, axis=0)])
    assert store.read(0)[0].tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (1, 700), (700, 1), (15, 17), (16, 16), (47, 353)])
def test_any_size(store: AlphaStore, size: tuple[int, int]) -> None:
    frames = [np.random.default_rng(seed).random(size, np.float32) for seed in range(3)]
    store.write_chunk(5, frames)
    for index, frame in enumerate(frames):
        assert np.array_equal(quantise(store.read(5 + index)), quantise(frame))


def test_random_access_and_gaps(store: AlphaStore) -> None:
    store.write_chunk(0, mattes(0, 4))
    store.write_chunk(4, mattes(4, 8))
    store.write_chunk(20, mattes(20, 23))
    assert store.spans() == [(0, 8), (20, 23)]
    assert [3 in store, 8 in store, 22 in store, 23 in store] == [True, False, True, False]
    for index in (22, 0, 7, 3, 4, 5, 6, 20, 1):
        assert np.abs(store.read(index) - matte(index)).max() <= 0.5 / PEAK + 1e-7
    with pytest.raises(KeyError):
        store.read(8)


def test_another_object_sees_new_chunks(store: AlphaStore) -> None:
    watching = AlphaStore(store.folder)
    assert watching.spans() == []
    store.write_chunk(0, mattes(0, 2))
    assert watching.read(1).shape == (48, 64)


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    files = []
    for name in ("a", "b"):
        store = AlphaStore(tmp_path / name)
        store.write_chunk(10, mattes(0, 5))
        files.append(store.path(10, 15).read_bytes())
    assert files[0] == files[1]


def test_a_chunk_exists_whole_or_not(store: AlphaStore) -> None:
    with pytest.raises(KeyboardInterrupt), store.writer(0) as writer:
        writer.append(matte(0))
        raise KeyboardInterrupt
    assert store.spans() == []
    assert list(store.folder.iterdir()) == []


def test_nothing_counts_before_the_commit(store: AlphaStore) -> None:
    writer = store.writer(0)
    for alpha in mattes(0, 3):
        writer.append(alpha)
    assert AlphaStore(store.folder).spans() == []
    assert writer.commit() == store.path(0, 3)
    assert AlphaStore(store.folder).spans() == [(0, 3)]


def test_clean_removes_what_a_killed_writer_left(store: AlphaStore) -> None:
    store.write_chunk(0, mattes(0, 2))
    (store.folder / "000002.partial").write_bytes(b"half")
    store.clean()
    assert [path.name for path in store.folder.iterdir()] == ["000000-000001.mkv"]


def test_an_empty_chunk_is_none(store: AlphaStore) -> None:
    assert store.write_chunk(3, []) == (3, 3)
    assert store.spans() == []


def test_a_committed_frame_is_not_written_twice(store: AlphaStore) -> None:
    store.write_chunk(0, mattes(0, 4))
    with pytest.raises(ValueError, match="remove it first"):
        store.writer(3)


def test_frames_of_one_chunk_have_one_size(store: AlphaStore) -> None:
    with pytest.raises(ValueError, match="frame 1"), store.writer(0) as writer:
        writer.append(matte(0))
        writer.append(matte(1, height=50))
    assert store.spans() == []


def test_a_value_that_is_not_a_number_is_refused(store: AlphaStore) -> None:
    alpha = matte(0)
    alpha[3, 3] = np.nan
    with pytest.raises(ValueError, match="not a number"):
        store.write_chunk(0, [alpha])


@pytest.mark.parametrize(
    ("start", "stop", "left"),
    [
        (0, 12, []),
        (2, 4, [(0, 2), (4, 12)]),
        (3, 7, [(0, 3), (7, 12)]),
        (6, 12, [(0, 6)]),
        (50, 60, [(0, 12)]),
    ],
)
def test_remove_takes_exactly_its_range(store: AlphaStore, start: int, stop: int, left: list[tuple[int, int]]) -> None:
    store.write_chunk(0, mattes(0, 6))
    store.write_chunk(6, mattes(6, 12))
    before = [store.read(index) for index in range(12)]
    store.remove(start, stop)
    assert store.spans() == left
    for first, last in left:
        for index in range(first, last):
            assert np.array_equal(store.read(index), before[index])


def test_a_damaged_chunk_is_named(store: AlphaStore) -> None:
    store.write_chunk(0, mattes(0, 4))
    path = store.path(0, 4)
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(StoreError, match=r"000000-000003\.mkv is damaged.*delete that file"):
        list(store.frames(0, 4))


@pytest.mark.parametrize("frames", [1, 20])  # full when the file is closed, and full in the middle
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, frames: int) -> None:
    noise = np.random.default_rng(0).random((300, 400), np.float32)
    with small_disk(tmp_path / "disk", kilobytes=128) as disk:
        store = AlphaStore(disk / "alpha")
        with pytest.raises(StorageError, match="the disk is full"):
            store.write_chunk(0, [noise] * frames)
        assert store.spans() == []
        assert list(store.folder.iterdir()) == []


def test_the_ffmpeg_program_reads_a_chunk(store: AlphaStore) -> None:
    store.write_chunk(0, mattes(0, 3))
    raw = subprocess.run(
        [ffmpeg_program(), "-v", "error", "-i", store.path(0, 3), "-f", "rawvideo", "-pix_fmt", "gray12le", "-"],
        capture_output=True,
        check=True,
    ).stdout
    codes = np.frombuffer(raw, np.uint16).reshape(3, 48, 64)
    for index in range(3):
        assert np.array_equal(codes[index], quantise(matte(index)))
