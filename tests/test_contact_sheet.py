"""The contact sheet: what it shows, and that any frame size makes one."""

from __future__ import annotations

import errno
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from errors import StorageError
from pipeline.contact_sheet import COLUMNS, Row, contact_sheet, spread, timecode

GREEN, RED = (40, 200, 60), (220, 30, 30)


def make_row(index: int = 0, width: int = 320, height: int = 180) -> Row:
    """A red left half over green: mask and alpha are 1 there, the foreground is red everywhere."""
    inside = np.arange(width)[None, :] < (width + 1) // 2
    inside = np.repeat(inside, height, axis=0)
    rgb = np.where(inside[..., None], RED, GREEN).astype(np.uint8)
    foreground = np.full((height, width, 3), np.array(RED) / 255, np.float32)
    return Row(index, rgb, np.where(inside, 255, 0).astype(np.uint8), inside.astype(np.float32), foreground)


def seconds(index: int) -> float:
    return index * 1001 / 24000


def read(path: Path) -> np.ndarray:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.ascontiguousarray(picture[..., ::-1])


def test_columns_show_source_mask_alpha_and_composite(tmp_path: Path) -> None:
    sheet = read(contact_sheet(tmp_path / "sheet.png", [make_row()], seconds, backdrop=(0, 0, 255)))
    cell = sheet.shape[1] // len(COLUMNS)
    y = 28 + 24 + 60
    left = [sheet[y, cell * column + cell // 4] for column in range(4)]
    right = [sheet[y, cell * column + 3 * cell // 4] for column in range(4)]
    assert np.abs(left[0].astype(int) - RED).max() <= 1
    assert np.abs(right[0].astype(int) - GREEN).max() <= 1
    assert left[1][0] > right[1][0] + 100, "the mask is tinted red"
    assert tuple(left[2]) == (255, 255, 255)
    assert tuple(right[2]) == (0, 0, 0)
    assert np.abs(left[3].astype(int) - RED).max() <= 1
    assert tuple(right[3]) == (0, 0, 255)


def test_composite_has_a_checker_by_default(tmp_path: Path) -> None:
    sheet = read(contact_sheet(tmp_path / "sheet.png", [make_row()], seconds))
    cell = sheet.shape[1] // 4
    greys = np.unique(sheet[70:150, 3 * cell + cell * 3 // 4 : 3 * cell + cell * 7 // 8])
    assert list(greys) == [105, 150]


def test_a_row_a_frame_and_labels_differ(tmp_path: Path) -> None:
    one = read(contact_sheet(tmp_path / "1.png", [make_row(3)], seconds))
    two = read(contact_sheet(tmp_path / "2.png", [make_row(3), make_row(48)], seconds))
    header = 28
    row = one.shape[0] - header
    assert two.shape[0] == header + 2 * row
    assert np.array_equal(two[: header + row], one)
    assert not np.array_equal(two[header : header + 24], two[header + row : header + row + 24])
    assert np.array_equal(two[header + 24 : header + row], two[header + row + 24 :])


@pytest.mark.parametrize(
    ("width", "height"),
    [(1280, 720), (720, 1280), (853, 480), (641, 361), (64, 48), (1, 1), (2000, 8), (3, 900)],
)
def test_any_size_fits(tmp_path: Path, width: int, height: int) -> None:
    sheet = read(contact_sheet(tmp_path / "sheet.png", [make_row(0, width, height)], seconds))
    assert sheet.shape[1] <= 1920
    assert sheet.shape[0] <= 440
    assert sheet.shape[1] >= 760, "labels need room"


def test_aspect_is_kept_and_pixel_aspect_applied(tmp_path: Path) -> None:
    def shape(row: Row, aspect: float) -> tuple[int, int]:
        path = contact_sheet(tmp_path / "sheet.png", [row], seconds, backdrop=(255, 0, 255), pixel_aspect=aspect)
        sheet = read(path)
        cell = sheet[52:, sheet.shape[1] // 2 : sheet.shape[1] * 3 // 4]
        drawn = np.argwhere((cell == (0, 0, 0)).all(-1) | (cell == (255, 255, 255)).all(-1))
        height, width = np.ptp(drawn, axis=0) + 1
        return int(width), int(height)

    width, height = shape(make_row(0, 400, 200), 1.0)
    assert width / height == pytest.approx(2.0, rel=0.06)
    width, height = shape(make_row(0, 400, 200), 0.5)
    assert width / height == pytest.approx(1.0, rel=0.06)


def test_same_rows_same_bytes_and_narrower_on_request(tmp_path: Path) -> None:
    rows = [make_row(0), make_row(9)]
    first = contact_sheet(tmp_path / "a" / "1.png", rows, seconds).read_bytes()
    assert contact_sheet(tmp_path / "2.png", rows, seconds).read_bytes() == first
    assert read(contact_sheet(tmp_path / "3.png", rows, seconds, max_width=900)).shape[1] <= 900


def test_rows_are_taken_one_at_a_time(tmp_path: Path) -> None:
    alive: list[weakref.ref[np.ndarray]] = []

    def rows() -> Iterator[Row]:
        for index in range(5):
            assert sum(ref() is not None for ref in alive) <= 1
            row = make_row(index)
            alive.append(weakref.ref(row.rgb))
            yield row
            del row

    contact_sheet(tmp_path / "sheet.png", rows(), seconds)
    assert len(alive) == 5


def test_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet(tmp_path / "sheet.png", [], seconds)
    with pytest.raises(ValueError, match="frame 7 is 320x180"):
        contact_sheet(tmp_path / "sheet.png", [replace(make_row(7), mask=np.zeros((4, 4), np.uint8))], seconds)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="disk is full"):
        contact_sheet(tmp_path / "sheet.png", [make_row()], seconds)
    assert list(tmp_path.iterdir()) == [], "nothing half written stays"


@pytest.mark.parametrize(
    ("start", "stop", "count", "expected"),
    [(0, 96, 4, [0, 32, 63, 95]), (10, 12, 6, [10, 11]), (5, 6, 3, [5]), (5, 5, 3, []), (0, 9, 1, [0])],
)
def test_spread(start: int, stop: int, count: int, expected: list[int]) -> None:
    assert spread(start, stop, count) == expected


@pytest.mark.parametrize(
    ("time", "text"), [(0, "0:00:00.000"), (59.9999, "0:01:00.000"), (3723.004, "1:02:03.004"), (1.001, "0:00:01.001")]
)
def test_timecode(time: float, text: str) -> None:
    assert timecode(time) == text
