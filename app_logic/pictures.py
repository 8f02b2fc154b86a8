"""The pictures that a browser asks for, as bytes: frames, masks, alpha, foreground, thumbnails; memory is bounded."""

from __future__ import annotations

import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import cv2
import numpy as np

from engines.foreground import estimate_foreground
from errors import MediaError, StoreError
from matting_runner import load_info
from pipeline.alpha_store import AlphaStore
from pipeline.decode import VideoReader
from pipeline.frames import frame_path
from pipeline.masks import MaskFolder, encode_mask, operate
from session_store import MattingSession, SessionStore

if TYPE_CHECKING:
    from app_logic.editor import SessionEditor

JPEG, PNG = "image/jpeg", "image/png"
THUMB_HEIGHT = 96
_CACHE = 64 << 20
"""Bytes of pictures that took long to make."""
_READERS = 4
"""Open decoders, of sessions whose frames are not extracted yet or whose foreground is looked at."""


class Pictures:
    """Makes pictures of sessions; called from several threads.

    Args:
        store: the sessions.
        editor: gives a session's editor, which knows its previews and its newest state.
    """

    def __init__(self, store: SessionStore, editor: Callable[[str], SessionEditor]) -> None:
        self._store = store
        self._editor = editor
        self._cache = ByteCache(_CACHE)
        self._readers: OrderedDict[str, VideoReader] = OrderedDict()
        self._reading = threading.Lock()

    def frame(self, session_id: str, index: int) -> bytes:
        """Return a source frame as JPEG.

        Raises:
            KeyError: there is no such frame.
        """
        session = self._session(session_id)
        with suppress(FileNotFoundError):
            return frame_path(session.frames_dir, _natural(index)).read_bytes()
        return self._cache.get(
            (session_id, "frame", index), lambda: encode_jpeg(self._decode(session, index)[..., ::-1], 92)
        )

    def mask(self, session_id: str, object_id: int, index: int, version: str = "") -> bytes:
        """Return an object's mask, operations applied, as the alpha of a white PNG.

        Raises:
            KeyError: there is no such object, or no mask of it there.
        """
        session = self._session(session_id)
        item = next((item for item in session.state.objects if item.id == object_id), None)
        if item is None:
            raise KeyError(object_id)
        kind: str = "keyframes" if index in item.keyframes else "propagated"
        folder = MaskFolder(session.masks_dir(object_id, kind))  # type: ignore[arg-type]
        if item.operations.is_default():
            try:
                return as_alpha(folder.path(_natural(index)).read_bytes())
            except FileNotFoundError:
                raise KeyError(index) from None
        mask, fields = folder.read(_natural(index)), item.operations.model_dump()
        if not version:
            return as_alpha(encode_mask(operate(mask, **fields)))
        key = (session_id, object_id, index, version, str(fields))
        return self._cache.get(key, lambda: as_alpha(encode_mask(operate(mask, **fields))))

    def alpha(self, session_id: str, index: int) -> bytes:
        """Return the stored alpha of a frame as the alpha of a white PNG.

        Raises:
            KeyError: it is not made yet.
        """
        alpha = self._alpha(self._session(session_id), index)
        return as_alpha(encode_mask(np.rint(alpha * 255).astype(np.uint8)))

    def preview(self, session_id: str, index: int) -> bytes:
        """Return the alpha that 'matte this frame' has made, as the alpha of a white PNG.

        Raises:
            KeyError: there is none.
        """
        png = self._editor(session_id).preview_png(index)
        if png is None:
            raise KeyError(index)
        return as_alpha(png)

    def foreground(self, session_id: str, index: int, version: str = "") -> bytes:
        """Return the foreground's own colours of a frame as JPEG, by its alpha or else by its preview.

        Raises:
            KeyError: neither is there.
        """
        session = self._session(session_id)

        def make() -> bytes:
            try:
                alpha = self._alpha(session, index)
            except KeyError:
                png = self._editor(session_id).preview_png(index)
                if png is None:
                    raise
                grey = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE)
                alpha = np.asarray(grey) / np.float32(255)
            rgb = self._decode(session, index) / np.float32(255)
            colours = estimate_foreground(rgb.astype(np.float32), alpha.astype(np.float32))
            return encode_jpeg(np.rint(np.clip(colours, 0, 1) * 255).astype(np.uint8)[..., ::-1], 95)

        return self._cache.get((session_id, "foreground", index, version), make) if version else make()

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

    def _session(self, session_id: str) -> MattingSession:
        return self._editor(session_id).session

    def _alpha(self, session: MattingSession, index: int) -> np.ndarray:
        store = AlphaStore(session.alpha_dir)
        try:
            return store.read(_natural(index))
        finally:
            store.close()

    def _decode(self, session: MattingSession, index: int) -> np.ndarray:
        """Return a frame of the source, RGB uint8 [H, W, 3]."""
        with self._reading:
            reader = self._readers.pop(session.state.id, None)
            try:
                if reader is None:
                    reader = VideoReader(session.source, load_info(session))
                picture = reader.read(_natural(index))
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


def as_alpha(png: bytes) -> bytes:
    """Return an 8-bit grey PNG as a white one with the grey as its alpha: a palette says so, nothing is coded anew.

    Raises:
        StoreError: it is no 8-bit grey PNG.
    """
    header = png[16:29]
    if png[12:16] != b"IHDR" or len(header) < 13 or header[8:10] != b"\x08\x00":
        raise StoreError("a mask's file is not an 8-bit grey PNG; delete it and run the session again")
    palette = _chunk(b"IHDR", header[:9] + b"\x03" + header[10:]) + _PALETTE
    return png[:8] + palette + png[33:]


def encode_jpeg(picture: np.ndarray, quality: int) -> bytes:
    """Return BGR uint8 [H, W, 3] as JPEG."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture), (cv2.IMWRITE_JPEG_QUALITY, quality))
    return data.tobytes()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_PALETTE = _chunk(b"PLTE", b"\xff" * 768) + _chunk(b"tRNS", bytes(range(256)))


def _natural(index: int) -> int:
    if not 0 <= index < 10_000_000:
        raise KeyError(index)
    return index
