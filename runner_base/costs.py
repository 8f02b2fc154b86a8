"""What the steps take that runs of all kinds share: decoding, extraction, reading; fitted to what was measured.

Memory was measured on clips of 0.2 to 8 megapixels with 1 to 16 processors: decoders, encoders and the threads that
write JPEGs each keep frames for every processor. Seconds are the reference machine's; see `runner_base.speeds`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeVar

from machine import cpu_count
from pipeline.frames import frame_path
from pipeline.info import VideoInfo
from runner_base.frames import whole_frames
from session_base import StoredSession

MEGA = 1_000_000
START = 0.05
"""Seconds to begin a stage that has anything to do."""
READ = 0.010
"""Seconds by megapixel to decode a frame for delivery."""
READING = 3.0
"""Bytes a pixel of a frame that is read."""
MEMORY_BASE = 110 * MEGA
"""Python and the libraries, before anything is done."""
KEPT = 0.2
"""Share of what a stage took that the process still holds when it is over: pools of threads, gaps in the heap."""
DELIVERING = (3, 89)
"""Of a delivery: megabytes and bytes a pixel of the frames under way."""
_SMALLER = 0.9
"""Exponent of the size: of larger pictures proportionally less is held at a time."""
_MOST_THREADS = 16
"""FFmpeg's and x264's limit."""
_MOST_WRITERS = 8
"""The limit of the threads that write JPEGs."""
_DECODER = (7, 3.1)
"""For each processor: megabytes, and bytes a pixel."""
_EXTRACT, _WRITERS = (12, 12), 10.0
"""Of the extraction: megabytes and bytes a pixel, and bytes a pixel for each processor, the decoder's and JPEGs'."""
_DEEPER = 7.0, 13.0
"""Bytes a pixel more for each processor where the source has more than 8 bits: of the decoder, of the extraction."""
_VIDEO_CACHE = 48 * MEGA
"""Of `pipeline.decode.VideoReader`: that, or two frames of 3 bytes a pixel."""
_EXTRACT_SECONDS = 0.0007, 0.0062
"""Of a frame: of any, and by megapixel."""
_JPEG, _JPEG_DETAIL, _JPEG_SIZE = 0.85, 0.35, -0.3
"""A JPEG's bytes a pixel: of a megapixel and a source of one byte a pixel; exponents of the source's bytes and size."""
_LEAST_JPEG, _MOST_JPEG = 0.03, 1.0
"""A JPEG's bytes a pixel at least and at most, whatever the source's are."""
_BLOCK = 4096
"""The disk's: a file takes whole ones."""
_SAMPLES = 64
"""Files that are looked at to know the mean."""
Key = TypeVar("Key")


def pixels(info: VideoInfo) -> int:
    """Return the pixels of a frame."""
    return info.width * info.height


def held_pixels(info: VideoInfo) -> float:
    """Return the pixels as far as buffers grow with them; the same as there are for one megapixel."""
    return float(MEGA * (pixels(info) / MEGA) ** _SMALLER)


def is_deep(info: VideoInfo) -> bool:
    """Tell whether the source has more than 8 bits."""
    return info.bit_depth > 8


def threads() -> int:
    """Return the threads of a decoder or an encoder."""
    return min(_MOST_THREADS, cpu_count())


def missing_frames(session: StoredSession[Any], info: VideoInfo) -> int:
    """Return how many frames there are to extract; one at least before it is known how many there are."""
    missing = info.frames - whole_frames(session)
    return missing if info.exact else max(1, missing)


def extract_seconds(info: VideoInfo, count: int) -> float:
    """Return the seconds that `count` frames take to extract."""
    return count * (_EXTRACT_SECONDS[0] + _EXTRACT_SECONDS[1] * pixels(info) / MEGA)


def extract_memory(info: VideoInfo) -> int:
    """Return the bytes of an extraction."""
    per_pixel = _EXTRACT[1] + (_WRITERS + (_DEEPER[1] if is_deep(info) else 0)) * min(_MOST_WRITERS, cpu_count())
    return round(_EXTRACT[0] * MEGA + per_pixel * held_pixels(info))


def decoder_memory(info: VideoInfo) -> float:
    """Return the bytes of a decoder."""
    return threads() * (_DECODER[0] * MEGA + (_DECODER[1] + (_DEEPER[0] if is_deep(info) else 0)) * held_pixels(info))


def source_memory(info: VideoInfo) -> int:
    """Return the bytes of a `pipeline.decode.VideoReader` that an engine reads: decoder, cache, the frame under way."""
    cache = max(_VIDEO_CACHE, 2 * READING * pixels(info))
    return round(cache + decoder_memory(info) + READING * held_pixels(info))


def with_past(own: Mapping[Key, int]) -> dict[Key, int]:
    """Return the peak bytes of the process in each stage, from what each takes itself; the base where that is 0."""
    before = accumulate(own.values(), initial=0)
    return {
        stage: MEMORY_BASE + round(amount + KEPT * past if amount else 0)
        for (stage, amount), past in zip(own.items(), before, strict=False)
    }


def jpeg_bytes(session: StoredSession[Any], info: VideoInfo) -> float:
    """Return the bytes of a JPEG, from those that are there or the kind of video."""
    there = (frame_path(session.frames_dir, index) for index in sample(range(session.state.extracted)))
    return mean_size(there) or _guess_jpeg(session, info)


def _guess_jpeg(session: StoredSession[Any], info: VideoInfo) -> float:
    """Return the bytes of a JPEG by its size and by how much the source's encoder found worth keeping."""
    detail = session.source.stat().st_size / max(1, info.frames) / pixels(info)
    guess = _JPEG * detail**_JPEG_DETAIL * (pixels(info) / MEGA) ** _JPEG_SIZE
    return pixels(info) * min(_MOST_JPEG, max(_LEAST_JPEG, guess))


def file_bytes(size: float) -> int:
    """Return what a file of about that size takes: half of the last block is empty on the average."""
    return max(_BLOCK, round(size) + _BLOCK // 2)


def mean_size(paths: Iterable[Path]) -> float:
    """Return the mean size of files, 0 of none."""
    found = [path.stat().st_size for path in paths if path.exists()]
    return sum(found) / len(found) if found else 0.0


def sample(indices: Sequence[int]) -> Sequence[int]:
    """Return some of the indices, spread over all of them."""
    return indices[:: max(1, len(indices) // _SAMPLES)]
