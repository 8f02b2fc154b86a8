"""What the table of track formats says about one: plain data, importable without numpy."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class TrackFormat:
    """One row of the table of track formats.

    Attributes:
        name: as on the command line.
        title: as in menus.
        file_name: of the result; `*` is a running number where each track is a file of its own, and names the motion
            where that is one. A track's name is never part of a path.
        target: 'module:function' that writes it, `(tracks, motions) -> str | bytes`; imported on first use.
        help: one or two lines for whoever chooses.
        corner_pin: whether it carries a corner pin as such.
        similarity: whether it carries position, rotation and scale as such.
        timed: whether it says when frames are, or nobody asks; otherwise it counts them, as if all were as long.
        gaps: whether it can say that a point is not visible for a while; otherwise the program draws a line across.
    """

    name: str
    title: str
    file_name: str
    target: str
    help: str
    corner_pin: bool = False
    similarity: bool = False
    timed: bool = False
    gaps: bool = True

    @property
    def per_track(self) -> bool:
        """Return whether each track and each motion is a file of its own."""
        return "*" in self.file_name
