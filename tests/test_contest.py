"""The benchmark of engines: its clock, its table, and what it says where the authors' side cannot run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import engines
from benchmarks.contest.files import read_pngs, write_masks
from benchmarks.contest.sam2 import CONTESTANT
from benchmarks.contest.task import Watch
from benchmarks.estimate import DEMO
from config import get_settings


def test_laps_add_up_by_name() -> None:
    times = iter([0.0, 1.0, 3.0, 6.0])
    watch = Watch(lambda: next(times))
    for name in ("start", "frames", "frames"):
        watch.lap(name)
    assert watch.seconds == {"start": 1.0, "frames": 5.0}


def test_what_is_missing_is_said_with_what_installs_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(get_settings(), "sdks_dir", tmp_path)
    assert (
        replace(CONTESTANT, packages=("no_such", "iopath_no")).missing()
        == "needs packages: pip install no_such iopath_no"
    )
    assert "sdks/some; run: ./start.sh setup" in replace(CONTESTANT, sources=("some",)).missing()
    (tmp_path / "some").mkdir()
    assert replace(CONTESTANT, sources=("some",), packages=()).missing() == ""


def test_a_row_that_cannot_run_is_a_line_and_no_failure() -> None:
    (_, line) = engines.lines({"sam2": {"title": "SAM", "skipped": "needs packages: pip install sam2"}})
    assert line == "  SAM           skipped: needs packages: pip install sam2"


def test_a_row_has_the_ratio_and_says_where_results_differ() -> None:
    side = {"seconds": {"start": 9.0, "propagate": 2.0}, "peak_bytes": 1e9, "gpu_bytes": 0}
    row = {
        "title": "SAM", "frames": 8, "size": [64, 48], "device": "cpu", "agreement": 1.0, "difference": 0.5,
        "equal": False, "ours": side, "theirs": side, "job_seconds": {"ours": 2.0, "theirs": 3.0}, "speed": 1.5,
        "processor": 1.25,
    }  # fmt: skip
    text = "\n".join(engines.lines({"sam2": row}))
    for part in ("8 64x48", "1.50", "1.25", "1000 / 1000", "0.5000 NOT EQUAL", "propagate 2.00", "goal 1.3"):
        assert part in text


def test_masks_are_in_or_out(tmp_path: Path) -> None:
    write_masks(DEMO / "alpha.mp4", tmp_path / "masks", (64, 36), 2)
    masks = read_pngs(tmp_path / "masks")
    assert sorted(masks) == [0, 1] and set(np.unique(masks[0])) == {0.0, 1.0} and masks[1].shape == (36, 64)
