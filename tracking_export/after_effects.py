"""After Effects keyframe data: text that is pasted onto a layer.

Keys are numbered by frames of the source; on pasting they land relative to the current time, so put it on the frame
of the first key. The text knows no gaps and no hold keys: After Effects draws a line across missing frames. One text
is one layer's, so each track is a text of its own. Values are of a composition of the source's size and pixel aspect.
Never pasted into After Effects by us: the layout follows what its users and exporters publish.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from errors import ParameterError
from tracking_export.coordinates import Points, corner_down, corner_pin_order
from tracking_export.motion.result import Motion, MotionKind
from tracking_export.text import number, rate_text
from tracking_export.tracks import Tracks

_POSITION = "Transform\tPosition\n\tFrame\tX pixels\tY pixels\tZ pixels"


def keyframe_data(tracks: Tracks, motions: Sequence[Motion] = ()) -> str:
    """Return one track's Position, or one motion's corner pin or transform.

    Args:
        tracks: exactly one where no motion is given; otherwise only for size and rate.
        motions: none or one.

    Raises:
        ParameterError: more than one thing for one layer, or a track that is never visible.
    """
    if len(motions) > 1 or (not motions and tracks.count != 1):
        raise ParameterError("After Effects keyframe data is for one layer: choose one track or one motion")
    blocks = _motion(tracks, motions[0]) if motions else [_track(tracks)]
    return _document(tracks, blocks)


def _document(tracks: Tracks, blocks: Iterable[str]) -> str:
    aspect = number(float(tracks.pixel_aspect))
    head = (
        "Adobe After Effects 8.0 Keyframe Data\n\n"
        f"\tUnits Per Second\t{rate_text(tracks.rate)}\n"
        f"\tSource Width\t{tracks.width}\n"
        f"\tSource Height\t{tracks.height}\n"
        f"\tSource Pixel Aspect Ratio\t{aspect}\n"
        f"\tComp Pixel Aspect Ratio\t{aspect}\n"
    )
    return head + "".join(f"\n{block}\n" for block in blocks) + "\n\nEnd of Keyframe Data\n"


def _rows(frames: Iterable[int], *columns: Iterable[float]) -> str:
    lines = zip(frames, *columns, strict=True)
    return "\n".join("\t" + "\t".join([str(frame), *map(number, values)]) for frame, *values in lines)


def _positions(frames: list[int], xy: Points) -> str:
    return f"{_POSITION}\n{_rows(frames, xy[:, 0], xy[:, 1], [0.0] * len(xy))}"


def _track(tracks: Tracks) -> str:
    keys = list(tracks.keys(0))
    if not keys:
        raise ParameterError("the track is never visible; choose another one")
    xy = corner_down(tracks.xy[:, 0])
    return _positions([frame for _, frame in keys], xy[[row for row, _ in keys]])


def _motion(tracks: Tracks, motion: Motion) -> list[str]:
    kept = motion.solved
    frames = [frame for frame, solved in zip(tracks.frames, kept, strict=True) if solved]
    if motion.kind is MotionKind.CORNER_PIN:
        return [_corner(index, frames, xy) for index, xy in enumerate(_pin(motion)[kept].swapaxes(0, 1), 1)]
    position, angle, scale = motion.parameters()
    blocks = [_positions(frames, corner_down(position)[kept])]
    if motion.kind is MotionKind.SIMILARITY or motion.stabilises:
        pivot = corner_down(motion.points[0])
        percent = 100 * scale[kept]
        still = f"\t\t{number(pivot[0])}\t{number(pivot[1])}\t0"
        blocks = [
            f"Transform\tAnchor Point\n\tFrame\tX pixels\tY pixels\tZ pixels\n{still}",
            *blocks,
            f"Transform\tScale\n\tFrame\tX percent\tY percent\tZ percent\n"
            f"{_rows(frames, percent, percent, [100.0] * len(frames))}",
            f"Transform\tRotation\n\tFrame\tdegrees\n{_rows(frames, angle[kept])}",
        ]
    return blocks


def _pin(motion: Motion) -> Points:
    return corner_pin_order(corner_down(motion.path()))


def _corner(index: int, frames: list[int], xy: Points) -> str:
    title = f"Effects\tADBE Corner Pin #1\tADBE Corner Pin-{index:04d}"
    return f"{title}\n\tFrame\tX pixels\tY pixels\n{_rows(frames, xy[:, 0], xy[:, 1])}"
