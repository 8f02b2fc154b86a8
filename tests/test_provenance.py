"""What was made from what, and what is stale by that."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from session_store import Keyframe, Provenance, SessionObject, Span


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
    assert provenance.count(5, 25) == sum(i in plain for i in range(5, 25))


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
