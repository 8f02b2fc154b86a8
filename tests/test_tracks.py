"""Tracks: what they refuse, what is selected, where points are visible."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.base import TrackChunk
from errors import ParameterError
from tests.track_material import FIRST, sample
from tracking_export.text import exact, identifier, lua, number, plain, rate_text, unique
from tracking_export.tracks import from_chunks, join, visible_spans


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ("a",)}, "5 points need as many"),
        ({"xy": np.zeros((8, 5))}, r"positions must be \[frames, points, 2\]"),
        ({"xy": np.zeros((8, 0, 2))}, "there are no tracks"),
        ({"visible": np.ones((8, 4), bool)}, r"visibility must be \[8, 5\]"),
        ({"visible": np.ones((8, 5), bool)}, "a visible point has no position"),
        ({"confidence": np.full((8, 5), 1.5)}, "between 0 and 1"),
        ({"confidence": np.full((8, 5), np.nan)}, "between 0 and 1"),
        ({"rate": Fraction(0)}, "must be above 0"),
        ({"width": 0}, "has no pixels"),
        ({"first_frame": -1}, "frames count from 0"),
        ({"colours": ((256, 0, 0),) * 5}, "three numbers from 0 to 255"),
        ({"groups": ("a",)}, "5 points need as many groups"),
    ],
)
def test_what_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        replace(sample(), **change)


def test_select_and_cut() -> None:
    tracks = sample()
    part = tracks.select([3, 0]).cut(FIRST + 5, FIRST + 7)
    assert part.names == ("Bottom right", "top left")
    assert part.frames == range(17, 19)
    np.testing.assert_array_equal(part.xy, tracks.xy[5:7][:, [3, 0]])
    assert part.colours == (tracks.colours[3], tracks.colours[0])
    assert tracks.select_group("frame").count == 4
    with pytest.raises(ParameterError, match="there is no point 5; there are 0 to 4"):
        tracks.select([5])
    with pytest.raises(ParameterError, match="select at least one"):
        tracks.select([])
    with pytest.raises(ParameterError, match="no point is in the group 'x'"):
        tracks.select_group("x")
    with pytest.raises(ParameterError, match="are not within 12 to 20"):
        tracks.cut(11, 15)


def test_spans_and_keys() -> None:
    tracks = sample()
    assert tracks.spans(4) == [range(1, 2), range(3, 5), range(7, 8)]
    assert list(tracks.keys(4)) == [(1, 13), (3, 15), (4, 16), (7, 19)]


@given(st.lists(st.booleans(), max_size=30))
def test_spans_cover_exactly_what_is_visible(flags: list[bool]) -> None:
    spans = visible_spans(np.array(flags, bool))
    covered = [row for span in spans for row in span]
    assert covered == [row for row, flag in enumerate(flags) if flag]
    assert all(after.start > before.stop for before, after in pairwise(spans))


def test_join_needs_the_same_frames() -> None:
    tracks = sample()
    both = join([tracks.select([0]), tracks.select([4, 1])])
    assert both.names == ("top left", "outside", "top_right")
    with pytest.raises(ParameterError, match="same frames, rate and size"):
        join([tracks, tracks.cut(12, 14)])


def test_chunks_become_tracks() -> None:
    xy = np.random.default_rng(0).random((6, 2, 2)).astype(np.float32)
    seen, sure = np.ones((6, 2), bool), np.full((6, 2), 1.0001, np.float32)
    chunks = [TrackChunk(start, xy[at], seen[at], sure[at]) for start, at in ((5, slice(1, 6)), (4, slice(0, 3)))]
    tracks = from_chunks(chunks, names=["a", "b"], rate=Fraction(25), size=(64, 48))
    assert tracks.frames == range(4, 10)
    np.testing.assert_array_equal(tracks.xy, xy.astype(np.float64))
    assert tracks.confidence.max() == 1
    with pytest.raises(ParameterError, match="frame 5 was not tracked"):
        from_chunks(
            [TrackChunk(at, xy[:1], seen[:1], sure[:1]) for at in (4, 6)], names="ab", rate=Fraction(1), size=(9, 9)
        )
    with pytest.raises(ParameterError, match="there are no tracks"):
        from_chunks([], names=[], rate=Fraction(25), size=(64, 48))


@settings(max_examples=60)
@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_exact_numbers_read_back(value: float) -> None:
    assert float(exact(value)) == value
    assert "e" not in exact(value)


def test_numbers() -> None:
    assert [number(value) for value in (-0.0, 1e-9, 100.0, -2.5, 1e7, 1 / 3)] == [
        "0", "0", "100", "-2.5", "10000000", "0.333333",
    ]  # fmt: skip
    assert rate_text(Fraction(120000, 1001)) == "119.88"


@settings(max_examples=60)
@given(st.lists(st.text(max_size=8), min_size=1, max_size=12))
def test_cleaned_names_are_safe_and_all_different(names: list[str]) -> None:
    for clean in (plain, identifier):
        result = unique(names, clean)
        assert len({name.casefold() for name in result}) == len(names)
        assert all(result)
        assert not any(set(name) & set('"{}[]$\\;\n\r\u2028') for name in result)
    assert all(name.isascii() and name.isidentifier() for name in unique(names, identifier))
    assert all('"' not in lua(name)[1:-1] and "\n" not in lua(name) for name in names)
