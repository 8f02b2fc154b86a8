"""What a user waits for while looking at a frame, for the interactive process (queue_logic.Interactive) to call."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.base import Candidate, Prompts, VideoMatter
from engines.registry import create, get_spec
from engines.spec import Job, PromptKind
from errors import PromptError
from matting_runner.mask_stages import to_prompts
from matting_runner.matte_stage import SessionGuides
from pipeline.decode import VideoReader
from pipeline.masks import encode_mask
from runner_base.facts import load_info
from runner_base.segmenting import segmenter_on
from session_store import EngineChoice, FramePrompts, SessionObject, SessionStore

CLICK = "matting_runner.interactive:click"
FIND = "matting_runner.interactive:find"
MATTE_FRAME = "matting_runner.interactive:matte_frame"


def click(
    workspace: Path, session_id: str, object_id: int, index: int, prompts: FramePrompts, choice: EngineChoice
) -> tuple[bytes, float]:
    """Return what `prompts` for an object give on frame `index` of a session.

    Returns:
        the mask as PNG (8-bit grey, 0 or 255, of the video's size) and its score 0..1.

    Raises:
        SessionNotFoundError: there is no such session.
        IndexError: there is no such frame.
        SplazMatteError: the engine cannot run, or the prompts say nothing.
    """
    session = SessionStore(workspace / "sessions").open(session_id)
    item = SessionObject(id=object_id, name="", colour="")
    return _encoded(segmenter_on(session, index, choice).predict(to_prompts(session, item, prompts))[0])


def find(workspace: Path, session_id: str, index: int, text: str, choice: EngineChoice) -> list[tuple[bytes, float]]:
    """Return every instance of `text` that the segmenter finds on frame `index`, the surest first; as `click`.

    Raises:
        PromptError: the engine takes no text.
    """
    if PromptKind.TEXT not in get_spec(Job.SEGMENTER, choice.name).prompts:
        raise PromptError(f"'{choice.name}' takes no text; click on the object or draw a box")
    session = SessionStore(workspace / "sessions").open(session_id)
    return [_encoded(found) for found in segmenter_on(session, index, choice).predict(Prompts(text=text))]


def matte_frame(workspace: Path, session_id: str, index: int) -> bytes:
    """Return the alpha of one frame, as PNG (8-bit grey), as the session's matter makes it from the masks there.

    Raises:
        PromptError: no object has a mask on that frame.
    """
    session = SessionStore(workspace / "sessions").open(session_id)
    info = load_info(session)
    guides = SessionGuides(session, (info.width, info.height))
    if not guides.has(index):
        raise PromptError(f"there is no mask on frame {index}: click on the object there, or propagate first")
    choice = session.state.matter
    engine: VideoMatter = create(Job.MATTER, choice.name, choice.params)
    with VideoReader(session.source, info) as reader:
        _, alpha = next(iter(engine.matte(reader, guides, index, index + 1)))
    return encode_mask(np.rint(np.clip(alpha, 0, 1) * 255).astype(np.uint8))


def _encoded(found: Candidate) -> tuple[bytes, float]:
    return encode_mask(found.mask.astype(np.uint8) * 255), float(found.score)
