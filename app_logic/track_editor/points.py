"""Edits of points: where they are, what they are called, on which frames they count."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any, Literal

from app_logic.track_editor.base import TrackEditing
from errors import ParameterError, PromptError
from runner_base.facts import load_info
from session_base import checked_name
from tracking_runner.queries import Positions, grid
from tracking_session_store import TrackPoint

MOST_POINTS = 5000
"""Of a session."""
Origin = Literal["manual", "grid", "mask"]


class PointEditing(TrackEditing):
    """What the user decides about points."""

    def add_point(self, frame: int, x: float, y: float, group: str = "") -> int:
        """Add a point to follow from (x, y), in pixels, on `frame`; return its id.

        Raises:
            PromptError: no such frame, or more points than a session has.
        """
        with self._lock:
            return self._add(frame, [self._place(frame, x, y)], "manual", group, "new point")[0]

    def add_grid(self, frame: int, count: int, region: Sequence[float] | None = None, group: str = "") -> list[int]:
        """Add a grid of points with `count` along its longer side; return their ids.

        Args:
            frame: on which it lies.
            count: points along the longer side, 1 .. 70.
            region: x0, y0, x1, y1 in pixels, corners in any order; the whole picture if None.
            group: that they belong to.

        Raises:
            PromptError: no such frame, a region without area or outside the picture, a count that is none, or nothing
                new: where a point has a key on that frame, no other is laid upon it.
        """
        with self._lock:
            self._inside(frame)
            info = load_info(self.session)
            x0, y0, x1, y1 = region if region is not None else (-0.5, -0.5, info.width - 0.5, info.height - 0.5)
            left, right = (min(max(x, -0.5), info.width - 0.5) for x in sorted((x0, x1)))
            top, bottom = (min(max(y, -0.5), info.height - 0.5) for y in sorted((y0, y1)))
            places = [self._place(frame, *place) for place in grid((left, top, right, bottom), count)]
            return self._add(frame, places, "grid", group, "grid")

    def move_point(self, point_id: int, frame: int, x: float, y: float, *, final: bool = True) -> None:
        """Say where a point is on a frame: a key there is moved, otherwise the track is corrected by a new one.

        Args:
            point_id: the point.
            frame: the frame.
            x: in pixels.
            y: in pixels.
            final: False while it is being dragged; all of a drag is one step of undo.
        """
        with self._lock:
            point, place = self._point(point_id), self._place(frame, x, y)
            text = "moved point" if frame in point.keys else "correction"
            self._remember(text, f"move {point_id} {frame}", final=final)
            point.keys = dict(sorted({**point.keys, frame: place}.items()))
            self._save()

    def remove_key(self, point_id: int, frame: int) -> None:
        """Take back what the user has said about a point on a frame.

        Raises:
            PromptError: it is not said there, or it is all that is said of the point.
        """
        with self._lock:
            point = self._point(point_id)
            if frame not in point.keys:
                raise PromptError(f"'{point.name}' has no key on frame {frame}")
            if len(point.keys) == 1:
                raise PromptError(f"'{point.name}' has no other key; delete the point instead")
            self._remember("deleted correction")
            point.keys = {at: place for at, place in point.keys.items() if at != frame}
            self._save()

    def remove_points(self, ids: Collection[int]) -> None:
        """Take points away."""
        with self._lock:
            gone = {point.id for point in self._points(ids)}
            self._remember("deleted points")
            self.session.state.points = [point for point in self.session.state.points if point.id not in gone]
            self._save()

    def rename_point(self, point_id: int, name: str) -> None:
        """Name a point."""
        self._point(point_id)
        self._change([point_id], "renamed point", name=checked_name(name))

    def recolour_points(self, ids: Collection[int], colour: str) -> None:
        """Give points another colour, as '#rrggbb'."""
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour):
            raise ParameterError("a colour is written as #rrggbb")
        self._change(ids, "colour", colour=colour.lower())

    def set_group(self, ids: Collection[int], group: str) -> None:
        """Put points into a group; an empty name takes them out of theirs."""
        self._change(ids, "group", group=checked_name(group) if group.strip() else "")

    def set_hidden(self, ids: Collection[int], hidden: bool) -> None:
        """Leave points out of pictures, motions and exports, or take them in again."""
        self._change(ids, "visibility", hidden=bool(hidden))

    def cut(self, ids: Collection[int], start: int, stop: int) -> None:
        """Let tracks not count on the frames `start` .. `stop`, half-open.

        Raises:
            PromptError: no such frames, or no points.
        """
        with self._lock:
            frames = load_info(self.session).frames
            if not 0 <= start < stop <= frames:
                raise PromptError(f"there is nothing to cut there; the clip has the frames 0:{frames}")
            points = self._points(ids)
            self._remember("cut")
            for point in points:
                point.cuts = joined([*point.cuts, (start, stop)])
            self._save()

    def clear_cuts(self, ids: Collection[int]) -> None:
        """Let tracks count on all frames again."""
        self._change(ids, "cut", cuts=[])

    def _add(self, frame: int, places: Positions, origin: Origin, group: str, text: str, colour: str = "") -> list[int]:
        if origin != "manual":
            places = self._new(frame, places)
        if len(self.session.state.points) + len(places) > MOST_POINTS:
            raise PromptError(f"a session has at most {MOST_POINTS} points; delete some, or add fewer")
        group = checked_name(group) if group.strip() else ""
        self._remember(text)
        made = [self.session.add_point(frame, x, y, group=group) for x, y in places]
        for point in made:
            point.origin, point.colour = origin, colour or point.colour
        self._save()
        return [point.id for point in made]

    def _new(self, frame: int, places: Positions) -> Positions:
        """Return the places where no point has a key yet: filling twice by mistake lays none upon another."""
        taken = {_tenths(*point.keys[frame]) for point in self.session.state.points if frame in point.keys}
        fresh = [place for place in places if _tenths(*place) not in taken]
        if not fresh:
            raise PromptError("all of these points are there already; choose another frame, region or number")
        return fresh

    def _change(self, ids: Collection[int], text: str, **fields: Any) -> None:
        with self._lock:
            points = self._points(ids)
            if all(_has(point, fields) for point in points):
                return
            self._remember(text)
            for point in points:
                for name, value in fields.items():
                    setattr(point, name, value)
            self._save()


def _tenths(x: float, y: float) -> tuple[float, float]:
    return round(x, 1), round(y, 1)


def joined(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return half-open spans in order, those that touch as one."""
    result: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(stop, result[-1][1]))
        else:
            result.append((start, stop))
    return result


def _has(point: TrackPoint, fields: dict[str, Any]) -> bool:
    return all(getattr(point, name) == value for name, value in fields.items())
