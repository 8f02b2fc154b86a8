"""The pictures that a browser asks for of a matting session, beside its frames: masks, alpha, foreground."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import cv2
import numpy as np

from app_logic.frame_pictures import FramePictures, encode_jpeg, natural
from engines.foreground import estimate_foreground
from errors import StoreError
from pipeline.alpha_store import AlphaStore
from pipeline.masks import MaskFolder, encode_mask, operate
from session_store import MattingSession

if TYPE_CHECKING:
    from app_logic.editor import SessionEditor

JPEG, PNG = "image/jpeg", "image/png"


class Pictures(FramePictures):
    """Makes the pictures of matting sessions; an editor knows its previews too."""

    _editor: Callable[[str], SessionEditor]

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
                return as_alpha(folder.path(natural(index)).read_bytes())
            except FileNotFoundError:
                raise KeyError(index) from None
        mask, fields = folder.read(natural(index)), item.operations.model_dump()
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

    def _session(self, session_id: str) -> MattingSession:
        return self._editor(session_id).session

    def _alpha(self, session: MattingSession, index: int) -> np.ndarray:
        store = AlphaStore(session.alpha_dir)
        try:
            return store.read(natural(index))
        finally:
            store.close()


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


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


_PALETTE = _chunk(b"PLTE", b"\xff" * 768) + _chunk(b"tRNS", bytes(range(256)))
