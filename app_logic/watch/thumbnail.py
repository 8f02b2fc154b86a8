"""A small JPEG of a session, for people who are told of it: a frame, cut out where there is an alpha of it."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from app_logic.frame_pictures import encode_jpeg
from pipeline.alpha_store import AlphaStore
from pipeline.decode import VideoReader
from pipeline.frames import frame_path
from runner_base.facts import load_info
from session_base import StoredSession

WIDTH = 800
"""Pixels at most."""
_GROUND = 60
"""Grey behind what is cut out."""


def thumbnail(session: StoredSession[Any]) -> bytes:
    """Return the JPEG.

    Raises:
        SplazMatteError: the source cannot be decoded.
        OSError: a file is not there.
    """
    info = load_info(session)
    spans = session.state.alpha.spans if hasattr(session.state, "alpha") else []
    start, stop = (spans[0].start, spans[0].stop) if spans else session.state.range or (0, max(1, info.frames))
    index = (start + stop) // 2 if stop - start > 1 else start
    picture = _frame(session, index).astype(np.float32)
    if spans:
        alpha = _alpha(session, index)
        if alpha is not None and alpha.shape == picture.shape[:2]:
            picture = picture * alpha[..., None] + _GROUND * (1 - alpha[..., None])
    height, width = picture.shape[:2]
    if width > WIDTH:
        size = (WIDTH, max(1, round(height * WIDTH / width)))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    return encode_jpeg(np.rint(np.clip(picture, 0, 255)).astype(np.uint8), 85)


def _frame(session: StoredSession[Any], index: int) -> np.ndarray:
    """Return a frame as BGR uint8 [H, W, 3]."""
    path = frame_path(session.frames_dir, index)
    if path.exists():
        found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
        if found is not None:
            return np.asarray(found)
    with VideoReader(session.source, load_info(session)) as reader:
        return reader.read(index)[..., ::-1]


def _alpha(session: Any, index: int) -> np.ndarray | None:
    """Return the alpha of a frame, float32 [H, W] 0..1; None where there is none."""
    store = AlphaStore(session.alpha_dir)
    try:
        return np.asarray(store.read(index), np.float32)
    except (KeyError, OSError):
        return None
    finally:
        store.close()
