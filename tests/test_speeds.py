"""Speeds are learned, forgotten and never fatal."""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import pytest

from matting_runner import Stage, run_matting
from runner_base.calibration import calibrate
from runner_base.speeds import FEWEST, MACHINES, Measured, Speeds
from tests.estimate_material import new_session

KEY = "matte guided"


def speeds(folder: Path, machine: str = "here") -> Speeds:
    return Speeds(folder, machine, calibration=lambda: 2.0)


def test_before_any_run_the_calibration_counts_and_is_kept(tmp_path: Path) -> None:
    assert speeds(tmp_path).factor(KEY) == 2.0
    kept = Speeds(tmp_path, "here", calibration=lambda: pytest.fail("measured a second time"))
    assert kept.factor(KEY) == 2.0


def test_what_was_measured_counts_from_then_on(tmp_path: Path) -> None:
    speeds(tmp_path).learn({KEY: Measured(frames=100, seconds=30, reference=10)})
    assert speeds(tmp_path).factor(KEY) == pytest.approx(3)


def test_what_was_not_measured_is_guessed_from_what_is_nearest(tmp_path: Path) -> None:
    table = speeds(tmp_path)
    table.learn({"deliver alpha": Measured(100, 40, 10), KEY: Measured(100, 10, 10)})
    assert table.factor("deliver exr,prores") == pytest.approx(4), "the same stage"
    assert table.factor("propagate flow") == pytest.approx(2), "the geometric mean of all"


def test_the_past_fades(tmp_path: Path) -> None:
    table = speeds(tmp_path)
    for _ in range(50):
        table.learn({KEY: Measured(1000, 10, 10)})
    for _ in range(6):
        table.learn({KEY: Measured(1000, 20, 10)})
    assert 1.9 < table.factor(KEY) < 2.0


def test_long_runs_count_more_than_short_ones(tmp_path: Path) -> None:
    table = speeds(tmp_path)
    table.learn({KEY: Measured(500, 50, 50)})
    table.learn({KEY: Measured(20, 20, 2)})
    assert table.factor(KEY) == pytest.approx(10 ** (20 / 520))


@pytest.mark.parametrize(
    "measured",
    [Measured(FEWEST - 1, 100, 1), Measured(100, 0.01, 1), Measured(100, 0, 1), Measured(100, 1, 0),
     Measured(100, -50, 1), Measured(0, 0, 0), Measured(100, math.nan, 1)],
)  # fmt: skip
def test_what_tells_nothing_changes_nothing(tmp_path: Path, measured: Measured) -> None:
    table = speeds(tmp_path)
    table.learn({KEY: measured})
    assert table.factor(KEY) == 2.0


def test_each_kind_of_machine_has_its_own(tmp_path: Path) -> None:
    speeds(tmp_path, "old").learn({KEY: Measured(100, 50, 10)})
    speeds(tmp_path, "new").learn({KEY: Measured(100, 1, 10)})
    assert speeds(tmp_path, "old").factor(KEY) == pytest.approx(5)
    assert speeds(tmp_path, "new").factor(KEY) == pytest.approx(0.1)


def test_the_file_does_not_grow_without_end(tmp_path: Path) -> None:
    for number in range(MACHINES + 5):
        speeds(tmp_path, f"machine {number}").learn({KEY: Measured(100, 50, 10)})
    assert len(json.loads((tmp_path / "speeds.json").read_text())["machines"]) == MACHINES
    assert speeds(tmp_path, f"machine {MACHINES + 4}").factor(KEY) == pytest.approx(5)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"version": 1, "machines": {"here": {"calibration": -1}}}',
     b'{"version": 1, "machines": {"here": {"stages": {"matte guided": {"factor": 0, "frames": 1}}}}}',
     b'{"version": 1, "machines": {"here": {"stages": {"matte guided": {"factor": 1e999, "frames": 1}}}}}'],
)  # fmt: skip
def test_a_damaged_file_is_set_aside_and_learned_anew(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "speeds.json").write_bytes(content)
    table = speeds(tmp_path)
    assert table.factor(KEY) == 2.0
    table.learn({KEY: Measured(100, 30, 10)})
    assert speeds(tmp_path).factor(KEY) == pytest.approx(3)
    assert [path.read_bytes() for path in tmp_path.glob("speeds.json.unreadable*")] == [content]


def test_a_newer_file_stays_as_it_is(tmp_path: Path) -> None:
    newer = b'{"version": 99, "machines": "who knows"}'
    (tmp_path / "speeds.json").write_bytes(newer)
    table = speeds(tmp_path)
    table.learn({KEY: Measured(100, 30, 10)})
    assert table.factor(KEY) == pytest.approx(3), "known to this process at least"
    assert (tmp_path / "speeds.json").read_bytes() == newer


def test_where_nothing_can_be_written_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "speeds.json").mkdir()  # also for root, whom no permission stops
    table = speeds(tmp_path)
    assert table.factor(KEY) == 2.0
    table.learn({KEY: Measured(100, 30, 10)})
    assert table.factor(KEY) == pytest.approx(3)


def test_a_clock_that_is_set_back_does_not_reach_what_is_learned(
    tmp_path: Path, small_clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = new_session(tmp_path, small_clip, formats=["alpha"])
    now = time.time()
    ticks = iter(range(1, 10**9))
    monkeypatch.setattr(time, "time", lambda: now - 3600.0 * next(ticks))
    result = run_matting(session, until=Stage.PROPAGATE)
    assert all(seconds >= 0 for seconds in result.seconds.values())
    table = json.loads((tmp_path / "speeds.json").read_text())
    (mine,) = table["machines"].values()
    assert mine["stages"] and all(0.001 < entry["factor"] < 1000 for entry in mine["stages"].values())


def test_calibration_is_short_and_about_right() -> None:
    calibrate.cache_clear()
    begin = time.perf_counter()
    factor = calibrate()
    assert 0.02 < factor < 50
    assert time.perf_counter() - begin < 5, "half a second on an idle machine"
