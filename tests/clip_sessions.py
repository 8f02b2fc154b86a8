"""Sessions of the small clip that several test files really run, and how to compare what came of them."""

from __future__ import annotations

from pathlib import Path

import cv2

from matting_runner import add_mask, create_session, load_info
from session_store import FramePrompts, MattingSession, PointPrompt, SessionStore
from tests.conftest import disc


def prompted_session(
    sessions: Path, clip: Path, formats: tuple[str, ...] = ("alpha", "foreground"), keyframe: int = 50
) -> MattingSession:
    """Return a session that has every stage to do: clicks on frame 0, a mask on frame `keyframe`."""
    session = create_session(SessionStore(sessions), clip)
    item = session.add_object("disc")
    item.prompts[0] = FramePrompts(points=[PointPrompt(x=30, y=32), PointPrompt(x=80, y=10, positive=False)])
    image = sessions / "mask.png"
    cv2.imwrite(str(image), disc(keyframe))
    add_mask(session, item, keyframe, image, load_info(session))
    image.unlink()
    session.state.formats = list(formats)
    session.save()
    return session


def pixels(session: MattingSession) -> dict[str, bytes]:
    """Return every mask and alpha file of a session by its name."""
    files = [*session.folder.glob("masks/**/*.png"), *session.alpha_dir.iterdir()]
    return {str(path.relative_to(session.folder)): path.read_bytes() for path in files}
