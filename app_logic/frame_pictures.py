"""The pictures that a browser asks for of any session: frames and thumbnails, as bytes; memory is bounded."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import cv2
import numpy as np

from errors import MediaError
from pipeline.decode import VideoReader
from pipeline.frames import frame_path
from runner_base.facts import load_info
from session_base import StoredSession

THUMB_HEIGHT = 96
_CACHE = 64 << 20
"""Bytes of pictures that took long to make."""
_READERS = 4
"""Open decoders, of sessions whose frames are not extracted yet or whose colours are looked at."""


class FramePictures:
    """Makes pictures of sessions; called from several threads.

    Args:
        editor: gives a session's editor, which knows its newest state.
    """

    def __init__(self, editor: Callable[[str], Any]) -> None:
        self._editor = editor
        self._cache = ByteCache(_CACHE)
        self._readers: OrderedDict[str, VideoReader] = OrderedDict()
        self._reading = threading.Lock()

    def frame(self, session_id: str, index: int) -> bytes:
        """Return a source frame as JPEG.

        Raises:
            KeyError: there is no such frame.
        """
        session = self._editor(session_id).session
        with suppress(FileNotFoundError):
            return frame_path(session.frames_dir, natural(index)).read_bytes()
        return self._cache.get(
            (session_id, "frame", index), lambda: encode_jpeg(self._decode(session, index)[..., ::-1], 92)
        )

    def thumb(self, session_id: str, index: int) -> bytes:
        """Return a small JPEG of a frame.

        Raises:
            KeyError: there is no such frame.
        """

        def make() -> bytes:
            picture = cv2.imdecode(np.frombuffer(self.frame(session_id, index), np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
            if picture is None or picture.shape[0] < THUMB_HEIGHT:
                picture = cv2.imdecode(np.frombuffer(self.frame(session_id, index), np.uint8), cv2.IMREAD_COLOR)
            if picture is None:
                raise KeyError(index)
            width = max(1, round(picture.shape[1] * THUMB_HEIGHT / picture.shape[0]))
            small = cv2.resize(picture, (width, THUMB_HEIGHT), interpolation=cv2.INTER_AREA)
            return encode_jpeg(np.asarray(small), 80)

        return self._cache.get((session_id, "thumb", index), make)

    def close(self) -> None:
        """Close the open decoders."""
        with self._reading:
            while self._readers:
                self._readers.popitem()[1].close()

    def _decode(self, session: StoredSession[Any], index: int) -> np.ndarray:
        """Return a frame of the source, RGB uint8 [H, W, 3]."""
        with self._reading:
            reader = self._readers.pop(session.state.id, None)
            try:
                if reader is None:
                    reader = VideoReader(session.source, load_info(session))
                picture = reader.read(natural(index))
            except (IndexError, MediaError):
                if reader is not None:
                    reader.close()
                raise KeyError(index) from None
            self._readers[session.state.id] = reader
            while len(self._readers) > _READERS:
                self._readers.popitem(last=False)[1].close()
            return picture


class ByteCache:
    """What was made last, up to so many bytes; one thread makes it, others who ask for the same wait."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._kept: OrderedDict[object, bytes] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._making: dict[object, threading.Lock] = {}

    def get(self, key: object, make: Callable[[], bytes]) -> bytes:
        """Return what is kept under `key`, or make it."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            gate = self._making.setdefault(key, threading.Lock())
        with gate:
            with self._lock:
                if key in self._kept:
                    return self._kept[key]
            try:
                made = make()
                with self._lock:
                    self._keep(key, made)
                return made
            finally:
                with self._lock:
                    self._making.pop(key, None)

    @property
    def size(self) -> int:
        """Return the bytes that are kept."""
        return self._size

    def _keep(self, key: object, made: bytes) -> None:
        self._kept[key] = made
        self._size += len(made)
        while self._size > self._limit and len(self._kept) > 1:
            self._size -= len(self._kept.popitem(last=False)[1])


def encode_jpeg(picture: np.ndarray, quality: int) -> bytes:
    """Return BGR uint8 [H, W, 3] as JPEG."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture), (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()


def natural(index: int) -> int:
    """Return the index of a frame; raises KeyError where it cannot be one."""
    if not 0 <= index < 10_000_000:
        raise KeyError(index)
    return index
