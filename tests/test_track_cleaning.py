"""Smoothing, outliers and gaps: what is wrong goes, what is right stays, and the given tracks are never changed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import ParameterError
from tests.test_track_motion import few, scatter, seeds, tracks_of
from tracking_export.motion.gaps import fill_gaps
from tracking_export.motion.outliers import reject_outliers
from tracking_export.motion.smoothing import smooth


@few
@given(seeds, st.floats(0.3, 12))
def test_constant_velocity_is_not_smoothed(seed: int, sigma: float) -> None:
    """At the ends and beside gaps too."""
    rng = np.random.default_rng(seed)
    xy = scatter(rng, 3)[None] + np.arange(40)[:, None, None] * rng.normal(0, 5, (3, 2))
    tracks = tracks_of(xy, rng.random((40, 3)) < 0.9)
    np.testing.assert_allclose(smooth(tracks, sigma).xy, tracks.xy, atol=1e-8)


@few
@given(seeds)
def test_smoothing_has_no_lag(seed: int) -> None:
    """Played backwards it gives the same, backwards; a symmetric bump stays where it is."""
    rng = np.random.default_rng(seed)
    tracks = tracks_of(rng.normal(0, 50, (30, 2, 2)))
    backwards = tracks_of(tracks.xy[::-1].copy())
    np.testing.assert_allclose(smooth(backwards, 2).xy[::-1], smooth(tracks, 2).xy, atol=1e-9)
    bump = np.exp(-0.5 * ((np.arange(41) - 20) / 3) ** 2)[:, None, None] * [[[10.0, 0.0]]]
    assert smooth(tracks_of(bump), 2).xy[:, 0, 0].argmax() == 20


def test_smoothing_takes_noise_out_and_stays_within_stretches() -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 1, (200, 1, 2))
    assert smooth(tracks_of(noise), 3).xy.std() < 0.4
    seen = np.ones((200, 1), bool)
    seen[100] = False
    jump = np.where(np.arange(200)[:, None, None] < 100, noise * 0, noise * 0 + 500)
    tracks = tracks_of(jump, seen)
    np.testing.assert_array_equal(smooth(tracks, 3).xy, tracks.xy)
    assert smooth(tracks, 0).xy is not tracks.xy
    with pytest.raises(ParameterError, match="smoothing must be 0 frames or more"):
        smooth(tracks, -1)


@few
@given(seeds)
def test_what_moves_as_one_has_no_outliers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    zoom = 1.02 ** np.arange(20)[:, None, None]
    xy = scatter(rng, 25) * zoom + rng.normal(0, 0.3, (20, 25, 2))
    tracks = tracks_of(xy, rng.random((20, 25)) < 0.95)
    assert reject_outliers(tracks).visible.sum() >= 0.99 * tracks.visible.sum()


@pytest.mark.parametrize("count", [1, 2, 20])
def test_a_spike_and_a_jump_are_found(count: int) -> None:
    """With neighbours and without."""
    rng = np.random.default_rng(count)
    xy = scatter(rng, count)[None] + np.arange(30)[:, None, None] * [2.0, 1.0] + rng.normal(0, 0.2, (30, count, 2))
    xy[12, 0] += [25, 0]
    if count > 1:
        xy[20:, 1] += [0, -40]  # slides onto something else
    expected = np.ones((30, count), bool)
    expected[12, 0] = False
    expected[20:, 1:2] = False
    tracks = tracks_of(xy)
    cleaned = reject_outliers(tracks)
    np.testing.assert_array_equal(cleaned.visible, expected)
    np.testing.assert_array_equal(cleaned.xy, tracks.xy)
    with pytest.raises(ParameterError, match="tolerance must be above 0"):
        reject_outliers(tracks, 0)


@few
@given(seeds, st.integers(1, 6))
def test_gaps_at_constant_velocity_are_filled_exactly(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    xy = scatter(rng, 2)[None] + np.arange(20)[:, None, None] * rng.normal(0, 5, (2, 2))
    seen = np.ones((20, 2), bool)
    seen[6 : 6 + length, 0] = False
    seen[:2, 1] = seen[18:, 1] = False
    tracks = tracks_of(xy, seen)
    filled = fill_gaps(tracks, longest=length)
    np.testing.assert_allclose(filled.xy[:, 0], xy[:, 0], atol=1e-9)
    assert filled.visible[:, 0].all()
    assert filled.confidence[6 : 6 + length, 0].tolist() == [0.5] * length
    np.testing.assert_array_equal(filled.visible[:, 1], seen[:, 1])  # ends are not gaps
    np.testing.assert_array_equal(fill_gaps(tracks, length - 1).visible, seen)


def test_filled_gaps_follow_a_curve() -> None:
    """On a circle the curve stays within half a pixel of the truth, where a straight line is off by more than two."""
    turn = np.exp(0.08j * np.arange(30))
    xy = np.column_stack([turn.real, turn.imag])[:, None] * 100
    seen = np.ones((30, 1), bool)
    seen[12:17] = False
    filled = fill_gaps(tracks_of(xy, seen), 5)
    assert np.abs(np.linalg.norm(filled.xy[:, 0], axis=1) - 100).max() < 0.5
    assert 100 - np.linalg.norm((xy[11, 0] + xy[17, 0]) / 2) > 2
    lone = fill_gaps(tracks_of(xy[:3], np.array([[True], [False], [True]])), 1)
    np.testing.assert_allclose(lone.xy[1], (xy[0] + xy[2]) / 2)
    with pytest.raises(ParameterError, match="0 frames or more"):
        fill_gaps(lone, -1)
