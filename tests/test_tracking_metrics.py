"""The point tracking benchmark: its metrics on cases done by hand, and a small clip of it."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.tracking_material import TrackClip, make_clips
from benchmarks.tracking_metrics import correct_keypoints, follow, tapvid
from benchmarks.tracking_peers import Chained, lucas_kanade
from engines.klt_engine import KltTracker


def clip(visible: list[bool], start: int = 0) -> TrackClip:
    """Return a clip of 256x256 with one point that stands at (100, 100)."""
    count = len(visible)
    return TrackClip(
        "hand", np.zeros((count, 256, 256, 3), np.uint8), np.full((count, 1, 2), 100.0), np.array(visible)[:, None],
        np.array([[start, 100, 100]], np.float32),
    )  # fmt: skip


def answer(errors: list[float], visible: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    tracks = np.full((len(errors), 1, 2), 100, np.float32)
    tracks[:, 0, 0] += errors
    return tracks, np.array(visible)[:, None]


def test_a_perfect_track() -> None:
    scores = tapvid(clip([True] * 4), *answer([0] * 4, [True] * 4))
    assert scores == {"aj": 1, "delta": 1, "oa": 1}


def test_the_query_frame_does_not_count() -> None:
    assert tapvid(clip([True, True, True], 1), *answer([90, 90, 0], [False, False, True]))["aj"] == 1


@pytest.mark.parametrize(("error", "share"), [(0.5, 1), (1, 0.8), (3, 0.6), (5, 0.4), (9, 0.2), (16, 0)])
def test_thresholds_are_one_to_sixteen_and_strict(error: float, share: float) -> None:
    scores = tapvid(clip([True, True]), *answer([0, error], [True, True]))
    assert scores["delta"] == pytest.approx(share) and scores["oa"] == 1
    # Too far away, a point is both a false alarm and missed; its truth counts once, its answer once.
    assert scores["aj"] == pytest.approx(share)


def test_position_counts_for_delta_even_where_it_is_called_hidden() -> None:
    scores = tapvid(clip([True] * 3), *answer([0, 0, 0], [True, True, False]))
    assert scores["delta"] == 1 and scores["oa"] == 0.5 and scores["aj"] == pytest.approx(0.5)


def test_a_hidden_point_called_seen_is_a_false_alarm() -> None:
    scores = tapvid(clip([True, True, False]), *answer([0, 0, 0], [True, True, True]))
    assert scores["oa"] == 0.5 and scores["aj"] == pytest.approx(1 / 2)


def test_errors_are_of_a_picture_of_256() -> None:
    wide = TrackClip(
        "wide", np.zeros((2, 256, 512, 3), np.uint8), np.full((2, 1, 2), 100.0), np.ones((2, 1), bool),
        np.array([[0, 100, 100]], np.float32),
    )  # fmt: skip
    assert tapvid(wide, *answer([0, 1.9], [True, True]))["delta"] == 1


def test_keypoints_are_correct_within_a_fifth_of_the_size_or_two_pixels() -> None:
    tracks, _ = answer([0, 1.9, 5.9, 6.1], [True] * 4)
    known = np.array([[False], [True], [True], [True]])
    share = correct_keypoints(tracks, np.full((4, 1, 2), 100.0), known, np.array([0.0, 1.0, 30.0, 30.0]))
    assert share == pytest.approx(2 / 3)


def test_the_truth_lies_on_what_is_seen() -> None:
    pytest.importorskip("skimage")
    (film,) = make_clips(points=60, frames=4, size=(240, 136), names=("turn",))
    grey = film.frames.mean(axis=3)
    at = np.rint(film.tracks).astype(int)
    for index in range(1, 4):
        both = film.visible[index] & film.visible[0]
        there = grey[index, at[index, both, 1], at[index, both, 0]]
        assert np.corrcoef(there, grey[0, at[0, both, 1], at[0, both, 0]])[0, 1] > 0.8
    first = film.queries[:, 0].astype(int)
    assert film.visible[first, np.arange(60)].all()


def test_the_tracker_beats_plain_lucas_kanade() -> None:
    pytest.importorskip("skimage")
    (film,) = make_clips(points=60, frames=14, size=(320, 180), names=("dim",))
    ours, theirs = (
        tapvid(film, *follow(tracker, film, film.queries)[:2]) for tracker in (KltTracker(), Chained(lucas_kanade))
    )
    assert ours["aj"] > theirs["aj"] + 0.05 and ours["aj"] > 0.65 and ours["delta"] > 0.7 and ours["oa"] > 0.85, ours
