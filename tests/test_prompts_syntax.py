from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.prompts import parse, parse_params, parse_range
from errors import PromptError


def test_objects_frames_and_signs() -> None:
    given = parse(["0=a b.png", "cat@12=c=d.png"], ["0007:+1.5,2 -3,4 5,6"], ["cat@3:1,2,3,4"])
    assert given.names() == ["1", "cat"]
    assert given.masks == {"1": {0: Path("a b.png")}, "cat": {12: Path("c=d.png")}}
    points = given.prompts["1"][7].points
    assert [(p.x, p.y, p.positive) for p in points] == [(1.5, 2, True), (3, 4, False), (5, 6, True)]
    box = given.prompts["cat"][3].box
    assert box is not None and (box.x0, box.y0, box.x1, box.y1) == (1, 2, 3, 4)


def test_points_and_a_box_on_one_frame_belong_together() -> None:
    given = parse([], ["0:+5,5", "0:-9,9"], ["0:1,1,20,20"])
    assert len(given.prompts["1"][0].points) == 2 and given.prompts["1"][0].box is not None


@pytest.mark.parametrize("text", ["", ":", "0", "0:", "a:+1,1", "-1:+1,1", "0:+1", "0:+1,2,3", "0:+inf,1", "@0:+1,1"])
def test_points_that_cannot_be_read(text: str) -> None:
    with pytest.raises(PromptError):
        parse([], [text], [])


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    for masks, points, boxes in ((1, 0, 0), (0, 1, 0), (0, 0, 1)):
        try:
            parse([text] * masks, [text] * points, [text] * boxes)
        except PromptError as error:
            assert str(error)


def test_two_masks_for_one_frame_are_refused() -> None:
    with pytest.raises(PromptError, match="two masks"):
        parse(["0=a.png", "0=b.png"], [], [])


@pytest.mark.parametrize("text", ["", "1", "1:", ":1", "2:2", "3:1", "a:b", "-1:5", "1:2:3"])
def test_ranges_that_cannot_be_read(text: str) -> None:
    with pytest.raises(PromptError, match="START:STOP"):
        parse_range(text)


def test_ranges_and_params() -> None:
    assert parse_range(" 0:48 ") == (0, 48)
    assert parse_params(["band=3", "matter.detail = auto"]) == {"band": "3", "matter.detail": "auto"}
    with pytest.raises(PromptError, match="NAME=VALUE"):
        parse_params(["band"])
