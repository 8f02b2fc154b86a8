"""What is looked at once a project's files are here, before they become a session: masks, raw tracks, the source."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from errors import MediaError, ProjectError
from pipeline.info import VideoInfo
from pipeline.probe import probe

_SHAPES = {
    "tracks": (np.dtype(np.float32), 2),
    "visibility": (np.dtype(bool), 0),
    "confidence": (np.dtype(np.float32), 0),
}
_SAME = ("rotation", "mirrored", "stream", "codec", "pixel_format", "time_base", "bit_depth")
"""Facts of a video by which what is known of its frames belongs to it."""


def check_mask(path: Path, info: VideoInfo) -> None:
    """Refuse a mask that is not a grey PNG of the video's size; its pixels are not decoded.

    Raises:
        ProjectError: it is not.
    """
    with path.open("rb") as file:
        head = file.read(26)
    is_png = len(head) == 26 and head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR"
    if not is_png or struct.unpack(">LLBB", head[16:]) != (info.width, info.height, 8, 0):
        raise ProjectError(f"the project file is damaged: mask {path.name} is not of {info.width}x{info.height}")


def check_tracks(folder: Path, points: int, info: VideoInfo) -> None:
    """Refuse raw tracks of other frames or points than the state says; they are not read.

    Raises:
        ProjectError: they are, or one is no array.
    """
    for name, (kind, more) in _SHAPES.items():
        wanted = (info.frames, points, *([more] if more else []))
        try:
            array = np.load(folder / f"raw_{name}.npy", mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, SyntaxError, TypeError, OverflowError, EOFError) as error:
            reason = str(error).partition("\n")[0][:100]
            raise ProjectError(f"the project file is damaged: raw_{name}.npy is no array ({reason})") from None
        if array.shape != wanted or array.dtype != kind:
            raise ProjectError(f"the project file is damaged: raw_{name}.npy is of other frames or points")


def settled_info(source: Path, info: VideoInfo, name: str) -> VideoInfo:
    """Return the facts of a project's video: as it says, or as they are found where this machine reads it differently.

    Raises:
        ProjectError: it is not a video, or of another size than the project says.
    """
    try:
        found = probe(source)
    except MediaError as error:
        reason = str(error).replace(str(source), name).replace(source.name, name)
        raise ProjectError(f"the project's source is no video that can be read here: {reason}") from None
    if (found.width, found.height) != (info.width, info.height):
        raise ProjectError(
            f"the project's source is {found.width}x{found.height}, and not {info.width}x{info.height} as it says"
        )
    return info if all(getattr(found, key) == getattr(info, key) for key in _SAME) else found
