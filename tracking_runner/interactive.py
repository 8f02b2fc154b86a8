"""What a user waits for while looking at a frame, for the interactive process (queue_logic.Interactive) to call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engines.base import Point, Prompts
from pipeline.masks import encode_mask
from runner_base.segmenting import segmenter_on
from session_base import EngineChoice
from tracking_session_store import TrackingSessionStore

OBJECT_AT = "tracking_runner.interactive:object_at"


def object_at(
    workspace: Path, session_id: str, index: int, clicks: Sequence[tuple[float, float, bool]], choice: EngineChoice
) -> bytes:
    """Return the mask of the object that clicks on frame `index` of a tracking session show.

    Args:
        workspace: the folder of tracking_sessions/.
        session_id: the session.
        index: of the frame.
        clicks: (x, y, whether it is on the object) in pixels.
        choice: the segmenter.

    Returns:
        PNG, 8-bit grey, 0 or 255, of the video's size.

    Raises:
        SessionNotFoundError: there is no such session.
        IndexError: there is no such frame.
        SplazMatteError: the engine cannot run, or the clicks say nothing.
    """
    session = TrackingSessionStore(workspace / "tracking_sessions").open(session_id)
    prompts = Prompts(points=tuple(Point(*click) for click in clicks))
    found = segmenter_on(session, index, choice).predict(prompts)[0]
    return encode_mask(found.mask.astype(np.uint8) * 255)
