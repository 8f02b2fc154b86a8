"""The shape of a WebM file's pixels: DisplayWidth and DisplayHeight of its video track (RFC 9559, section 5.1.4.1.28).

VP9 has no field for it, and FFmpeg writes the container's from a property that PyAV does not reach. So the track gets
a name when it is opened, and the finished file has the two fields in the name's place: nothing else moves, and all
positions that the file notes stay true.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline.info import VideoInfo

PLACE = {"title": "SplazMatte_SAR"}
"""Tags of the video stream that keep the place; as long as the fields, a byte of a longer size, and a filler."""

_SEGMENT, _TRACKS, _ENTRY = bytes.fromhex("18538067"), bytes.fromhex("1654ae6b"), b"\xae"
_NAME, _VIDEO, _VOID = b"\x53\x6e", b"\xe0", b"\xec"
_WIDTH, _HEIGHT = b"\x54\xb0", b"\x54\xba"
_BEFORE_FRAMES = 1 << 16
"""Bytes of a file within which its tracks are described."""
_LARGEST = (1 << 31) - 1


def display_size(info: VideoInfo) -> tuple[int, int]:
    """Return (width, height) in square pixels: the height as it is, the width to the nearest whole one."""
    return min(max(round(info.width * info.sample_aspect_ratio), 1), _LARGEST), info.height


def set_display_size(path: Path, size: tuple[int, int]) -> None:
    """Put the display size in the place of the name `PLACE` in a finished file.

    Raises:
        ValueError: no track of it has that name.
    """
    with path.open("rb+") as file:
        data = file.read(_BEFORE_FRAMES)
        for begin, end in _inside(data, [_SEGMENT, _TRACKS, _ENTRY], 0, len(data)):
            children = list(_elements(data, begin, end))
            if (_NAME, PLACE["title"].encode()) in [(kind, data[body:stop]) for kind, _, body, stop in children]:
                file.seek(begin)
                file.write(_entry(data, children, size, end - begin))
                return
    raise ValueError(f"{path}: no track has the name {PLACE['title']}")


def _entry(data: bytes, children: list[tuple[bytes, int, int, int]], size: tuple[int, int], length: int) -> bytes:
    """Return a track's contents without its name, with the display size, `length` bytes as before."""
    fields = _element(_WIDTH, size[0].to_bytes(4, "big")) + _element(_HEIGHT, size[1].to_bytes(4, "big"))
    parts = []
    for kind, start, body, stop in children:
        if kind == _VIDEO:
            parts.append(_element(kind, data[body:stop] + fields))
        elif kind != _NAME:
            parts.append(data[start:stop])
    left = length - sum(map(len, parts))
    return b"".join([*parts, _element(_VOID, bytes(left - 2))])


def _inside(data: bytes, kinds: list[bytes], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the contents of elements at the end of a path of kinds begin and end."""
    for kind, _, body, stop in _elements(data, begin, end):
        if kind == kinds[0]:
            yield from _inside(data, kinds[1:], body, stop) if len(kinds) > 1 else [(body, stop)]


def _elements(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, int, int]]:
    """Yield the elements (EBML, RFC 8794) of a stretch: kind, where it begins, where its contents begin and end."""
    at = begin
    while at + 2 <= end:
        kind = data[at : at + _width(data[at])]
        place = at + len(kind)
        width = _width(data[place]) if place < end else 0
        body = place + width
        length = int.from_bytes(data[place:body], "big") & ((1 << 7 * width) - 1)
        stop = min(body + length, end)  # the segment goes on past what was read
        yield kind, at, body, stop
        at = stop


def _width(first: int) -> int:
    """Return how many bytes a number has whose first byte is `first`: one more than its leading zeros."""
    return 9 - first.bit_length()


def _element(kind: bytes, contents: bytes) -> bytes:
    length = len(contents)
    return kind + (bytes([0x80 | length]) if length < 127 else (0x4000 | length).to_bytes(2, "big")) + contents
