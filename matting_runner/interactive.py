"""What a user waits for while looking at a frame, for the interactive process (queue_logic.Interactive) to call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.base import ImageSegmenter
from engines.registry import create
from engines.spec import Job
from matting_runner.facts import load_info
from matting_runner.mask_stages import to_prompts
from pipeline.decode import VideoReader
from pipeline.frames import FrameFolder, frame_path
from pipeline.masks import encode_mask
from session_store import EngineChoice, FramePrompts, MattingSession, SessionStore

CLICK = "matting_runner.interactive:click"


@dataclass
class _Ready:
    """A segmenter that has a picture set."""

    key: str
    segmenter: ImageSegmenter


_ready: list[_Ready] = []
"""The last one, so that the next click on the same frame costs only the prediction."""


def click(
    workspace: Path, session_id: str, index: int, prompts: FramePrompts, choice: EngineChoice
) -> tuple[bytes, float]:
    """Return what `prompts` give on frame `index` of a session.

    Returns:
        the mask as PNG (8-bit grey, 0 or 255, of the video's size) and its score 0..1.

    Raises:
        SessionNotFoundError: there is no such session.
        IndexError: there is no such frame.
        SplazMatteError: the engine cannot run, or the prompts say nothing.
    """
    session = SessionStore(workspace / "sessions").open(session_id)
    key = f"{session.folder}\n{index}\n{choice.model_dump_json()}"
    if not _ready or _ready[0].key != key:
        segmenter: ImageSegmenter = create(Job.SEGMENTER, choice.name, choice.params)
        segmenter.set_image(_frame(session, index))
        _ready[:] = [_Ready(key, segmenter)]
    best = _ready[0].segmenter.predict(to_prompts(prompts))[0]
    return encode_mask(best.mask.astype(np.uint8) * 255), float(best.score)


def _frame(session: MattingSession, index: int) -> np.ndarray:
    """Return a frame as engines see it: from its JPEG where it is extracted, else from the source."""
    info = load_info(session)
    if frame_path(session.frames_dir, index).exists():
        return FrameFolder(session.frames_dir, info.frames, (info.width, info.height)).read(index)
    with VideoReader(session.source, info) as reader:
        return reader.read(index)
