"""Why libav did not open a file, read from its first bytes: a better answer than 'invalid data'.

libav's own reasons are only in its log, and PyAV cannot take them from there safely: a decoder on another thread that
logs at the same time waits for Python's lock, which whoever ends that decoder holds.
"""

from __future__ import annotations

from pathlib import Path

_PLAYLISTS = {b"#EXTM3U": "HLS", b"ffconcat": "concat", b"v=0": "SDP", b"<MPD": "DASH", b"[playlist]": "PLS"}
_IMAGES = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"BM", b"II*\0", b"MM\0*", b"8BPS", b"v/1\x01", b"SDPX", b"XPDS", b"qoif"),
    *(b"\0\0\0\x0cjP  ", b"\0\0\0\x0cJXL ", b"\xff\x0a", b"\0\0\x01\0", b"P5\n", b"P6\n", b"gimp xcf", b"#?RADIANCE"),
)
_BOXES = {b"ftyp", b"styp", b"moof", b"mdat", b"moov", b"free", b"skip", b"wide", b"sidx", b"uuid", b"meta", b"pnot"}
_HEAD = 1024
_UNKNOWN = "is not a video that can be read:"


def explain(path: Path) -> str:
    """Return what the file is or lacks, as the middle of a line from its name to libav's own reason."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return _UNKNOWN
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for mark, name in _PLAYLISTS.items():
        if text.startswith(mark) or (text.startswith(b"<?xml") and mark in text):
            return f"is a playlist ({name}) that names other files; give the video itself:"
    if head.startswith(_IMAGES) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP"):
        return "is a still image, not a video:"
    if head[4:8] in _BOXES and not _has_index(path):
        return "has no index ('moov'): the recording or the download was cut off, or it is one fragment of a stream:"
    return _UNKNOWN


def _has_index(path: Path) -> bool:
    """Tell whether an MP4 or QuickTime file has a 'moov' box (ISO/IEC 14496-12)."""
    end = path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at + 8 <= end:
            file.seek(at)
            header = file.read(16)
            if header[4:8] == b"moov":
                return True
            size = int.from_bytes(header[8:16] if header[:4] == b"\0\0\0\x01" else header[:4], "big")
            if size < 8:  # 0 means up to the end of the file
                return False
            at += size
    return False
