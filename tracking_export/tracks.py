"""Point tracks with everything that an export needs to know: names, colours, frame numbers, rate and picture size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from engines.base import TrackChunk
from errors import ParameterError

Colour = tuple[int, int, int]
"""Red, green and blue, 0..255."""
DEFAULT_COLOUR: Colour = (255, 180, 0)


@dataclass(frozen=True, eq=False)
class Tracks:
    """T frames of N points. Nothing here changes the arrays in place, and nobody else should.

    Attributes:
        names: N names as the user typed them: any text, empty and repeated ones too. Formats make them safe.
        xy: float64 [T, N, 2], pixels, (0, 0) is the centre of the top-left pixel, y down. Finite where visible;
            elsewhere a tracker's guess or NaN. Points may lie outside the picture.
        visible: bool [T, N].
        confidence: float32 [T, N], 0..1.
        rate: frames a second, exact: 24000/1001 is not 23.976.
        width: of the picture, pixels.
        height: of the picture, pixels.
        first_frame: index in the source, from 0, of the arrays' first frame. Formats that count from 1 add 1, so 1000
            puts the first frame at 1001.
        colours: N colours, red, green, blue 0..255.
        groups: N names of the group each point belongs to, empty for none.
        source: the clip's name, for titles and for finding it in the other program.
        pixel_aspect: a pixel's width divided by its height: 2 for 2:1 anamorphic footage. Positions stay in pixels.
        times: seconds of each of the T frames since the source's first, where its rate varies (`rate` is the mean
            then); empty for a constant one.
    """

    names: tuple[str, ...]
    xy: NDArray[np.float64]
    visible: NDArray[np.bool_]
    confidence: NDArray[np.float32]
    rate: Fraction
    width: int
    height: int
    first_frame: int = 0
    colours: tuple[Colour, ...] = ()
    groups: tuple[str, ...] = ()
    source: str = ""
    pixel_aspect: Fraction = Fraction(1)
    times: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Fill in what may be left out, and refuse what makes no sense.

        Raises:
            ParameterError: shapes, values or numbers of names that do not fit each other.
        """
        count = len(self.names)
        object.__setattr__(self, "colours", tuple(self.colours) or (DEFAULT_COLOUR,) * count)
        object.__setattr__(self, "groups", tuple(self.groups) or ("",) * count)
        object.__setattr__(self, "xy", np.asarray(self.xy, np.float64))
        object.__setattr__(self, "visible", np.asarray(self.visible, bool))
        object.__setattr__(self, "confidence", np.asarray(self.confidence, np.float32))
        object.__setattr__(self, "rate", Fraction(self.rate))
        object.__setattr__(self, "pixel_aspect", Fraction(self.pixel_aspect))
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        count = len(self.names)
        if self.xy.ndim != 3 or self.xy.shape[2] != 2:
            raise ParameterError(f"positions must be [frames, points, 2], not {list(self.xy.shape)}")
        if self.xy.shape[0] < 1 or self.xy.shape[1] < 1:
            raise ParameterError("there are no tracks; track at least one point over one frame")
        for what, array in (("visibility", self.visible), ("confidence", self.confidence)):
            if array.shape != self.xy.shape[:2]:
                raise ParameterError(
                    f"{what} must be {list(self.xy.shape[:2])} as the positions, not {list(array.shape)}"
                )
        for what, number in (("names", count), ("colours", len(self.colours)), ("groups", len(self.groups))):
            if number != self.xy.shape[1]:
                raise ParameterError(f"{self.xy.shape[1]} points need as many {what}, not {number}")
        if len(self.times) not in (0, self.length):
            raise ParameterError(f"{self.length} frames need as many times, not {len(self.times)}")

    def _check_values(self) -> None:
        if not np.isfinite(self.xy[self.visible]).all():
            raise ParameterError("a visible point has no position; mark it as not visible")
        if not ((self.confidence >= 0) & (self.confidence <= 1)).all():
            raise ParameterError("confidence must lie between 0 and 1")
        if self.rate <= 0:
            raise ParameterError(f"the frame rate must be above 0, not {self.rate}")
        if self.width < 1 or self.height < 1:
            raise ParameterError(f"a picture of {self.width}x{self.height} has no pixels")
        if self.pixel_aspect <= 0:
            raise ParameterError(f"the pixels' aspect ratio must be above 0, not {self.pixel_aspect}")
        if self.first_frame < 0:
            raise ParameterError(f"frames count from 0; the first cannot be {self.first_frame}")
        for colour in self.colours:
            if len(colour) != 3 or not all(0 <= part <= 255 for part in colour):
                raise ParameterError(f"a colour is three numbers from 0 to 255, not {colour}")

    @property
    def length(self) -> int:
        """Return the number of frames T."""
        return self.xy.shape[0]

    @property
    def count(self) -> int:
        """Return the number of points N."""
        return self.xy.shape[1]

    @property
    def clip(self) -> tuple[object, ...]:
        """Return what tracks of the same frames of the same clip have in common."""
        return self.frames, self.rate, self.times, self.width, self.height, self.pixel_aspect

    def seconds(self, row: int) -> float:
        """Return when the frame of a row of the arrays is shown, in seconds since the source's first frame."""
        return self.times[row] if self.times else float((self.first_frame + row) / self.rate)

    @property
    def frames(self) -> range:
        """Return the frames' indices in the source."""
        return range(self.first_frame, self.first_frame + self.length)

    def with_points(
        self,
        xy: NDArray[np.float64] | None = None,
        visible: NDArray[np.bool_] | None = None,
        confidence: NDArray[np.float32] | None = None,
    ) -> Tracks:
        """Return new tracks with other positions, visibility or confidence; what is not given stays."""
        return replace(
            self,
            xy=self.xy if xy is None else xy,
            visible=self.visible if visible is None else visible,
            confidence=self.confidence if confidence is None else confidence,
        )

    def select(self, points: Iterable[int]) -> Tracks:
        """Return the points of these indices, in that order.

        Raises:
            ParameterError: no index at all, or one that there is not.
        """
        chosen = list(points)
        wrong = [index for index in chosen if not 0 <= index < self.count]
        if wrong:
            raise ParameterError(f"there is no point {wrong[0]}; there are 0 to {self.count - 1}")
        if not chosen:
            raise ParameterError("no point is selected; select at least one")
        return replace(
            self,
            names=tuple(self.names[index] for index in chosen),
            colours=tuple(self.colours[index] for index in chosen),
            groups=tuple(self.groups[index] for index in chosen),
            xy=self.xy[:, chosen],
            visible=self.visible[:, chosen],
            confidence=self.confidence[:, chosen],
        )

    def select_group(self, group: str) -> Tracks:
        """Return the points of one group; raises ParameterError where it has none."""
        chosen = [index for index, name in enumerate(self.groups) if name == group]
        if not chosen:
            raise ParameterError(f"no point is in the group {group!r}")
        return self.select(chosen)

    def cut(self, start: int, stop: int) -> Tracks:
        """Return the frames `start` <= index < `stop`, indices as in the source.

        Raises:
            ParameterError: frames outside the tracks, or none.
        """
        if not self.frames.start <= start < stop <= self.frames.stop:
            raise ParameterError(f"frames {start} to {stop} are not within {self.frames.start} to {self.frames.stop}")
        part = slice(start - self.first_frame, stop - self.first_frame)
        return replace(
            self,
            first_frame=start,
            times=self.times[part],
            xy=self.xy[part],
            visible=self.visible[part],
            confidence=self.confidence[part],
        )

    def spans(self, point: int) -> list[range]:
        """Return where a point is visible: ranges of rows of the arrays, in order, that do not touch."""
        return visible_spans(self.visible[:, point])

    def keys(self, point: int) -> Iterator[tuple[int, int]]:
        """Yield (row, frame index in the source) of every frame on which a point is visible."""
        for row in np.flatnonzero(self.visible[:, point]).tolist():
            yield row, self.first_frame + row


def visible_spans(flags: NDArray[np.bool_]) -> list[range]:
    """Return the runs of True in bool [T] as ranges."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [range(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


def join(parts: Sequence[Tracks]) -> Tracks:
    """Return the points of several tracks side by side; frames, rate and size must be the same.

    Raises:
        ParameterError: they are not of the same frames of the same clip.
    """
    first = parts[0]
    for part in parts[1:]:
        if part.clip != first.clip:
            raise ParameterError("only tracks of the same frames, rate and size can be joined")
    return replace(
        first,
        names=tuple(name for part in parts for name in part.names),
        colours=tuple(colour for part in parts for colour in part.colours),
        groups=tuple(group for part in parts for group in part.groups),
        xy=np.concatenate([part.xy for part in parts], axis=1),
        visible=np.concatenate([part.visible for part in parts], axis=1),
        confidence=np.concatenate([part.confidence for part in parts], axis=1),
    )


def from_chunks(chunks: Iterable[TrackChunk], *, names: Sequence[str], rate: Fraction, size: tuple[int, int]) -> Tracks:
    """Join what a `PointTracker` yielded; a later chunk replaces the frames that it repeats.

    Args:
        chunks: in any order, without holes between them.
        names: of the N points.
        rate: frames a second.
        size: (width, height) of the pictures that were tracked.

    Raises:
        ParameterError: no chunks, or frames that none of them has.
    """
    rows: dict[int, tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]] = {}
    for chunk in chunks:
        for offset in range(len(chunk.tracks)):
            rows[chunk.start + offset] = (chunk.tracks[offset], chunk.visible[offset], chunk.confidence[offset])
    if not rows:
        raise ParameterError("there are no tracks; track at least one point over one frame")
    frames = range(min(rows), max(rows) + 1)
    missing = [index for index in frames if index not in rows]
    if missing:
        raise ParameterError(f"frame {missing[0]} was not tracked; track the whole range")
    xy, visible, confidence = (np.stack(part) for part in zip(*(rows[index] for index in frames), strict=True))
    return Tracks(
        names=tuple(names),
        xy=xy.astype(np.float64),
        visible=visible,
        confidence=np.clip(confidence, 0, 1),
        rate=rate,
        width=size[0],
        height=size[1],
        first_frame=frames.start,
    )
