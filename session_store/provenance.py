"""What each computed frame was made from, and which frames are stale by that."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel


class Span(BaseModel):
    """Frames `start` .. `stop` (half-open) that were all made from the same thing."""

    start: int
    stop: int
    mark: str


class Provenance(BaseModel):
    """What each computed frame was made from, as few spans as say it, in order and without overlap."""

    spans: list[Span] = []

    def mark(self, start: int, stop: int, mark: str) -> None:
        """Record that the frames `start` .. `stop` are now made from `mark`."""
        self.discard(start, stop)
        kept = sorted([*self.spans, Span(start=start, stop=stop, mark=mark)], key=lambda span: span.start)
        merged = kept[:1]
        for span in kept[1:]:
            last = merged[-1]
            if last.stop == span.start and last.mark == span.mark:
                merged[-1] = Span(start=last.start, stop=span.stop, mark=last.mark)
            else:
                merged.append(span)
        self.spans = merged

    def discard(self, start: int, stop: int) -> None:
        """Forget the frames `start` .. `stop`."""
        kept = []
        for span in self.spans:
            if span.stop <= start or span.start >= stop:
                kept.append(span)
                continue
            if span.start < start:
                kept.append(Span(start=span.start, stop=start, mark=span.mark))
            if span.stop > stop:
                kept.append(Span(start=stop, stop=span.stop, mark=span.mark))
        self.spans = kept

    def get(self, index: int) -> str | None:
        """Return what frame `index` was made from, or None where it was not made."""
        for span in self.spans:
            if span.start <= index < span.stop:
                return span.mark
        return None

    def count(self, start: int, stop: int) -> int:
        """Return how many of the frames `start` .. `stop` were made, from whatever."""
        return sum(max(0, min(stop, span.stop) - max(start, span.start)) for span in self.spans)

    def stale(self, start: int, stop: int, expected: Callable[[int], str | None]) -> list[int]:
        """Return the frames of `start` .. `stop` that were not made from what is expected now (None: nothing is)."""
        made: dict[int, str] = {i: span.mark for span in self.spans for i in range(span.start, span.stop)}
        wanted = ((index, expected(index)) for index in range(start, stop))
        return [index for index, mark in wanted if mark is not None and made.get(index) != mark]
