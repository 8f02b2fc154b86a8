"""Sessions for the tests of the estimate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2

from matting_runner import add_mask, create_session, load_info, run_matting
from runner_base.speeds import Speeds
from session_store import MattingSession, SessionStore
from tests.conftest import disc


def new_session(
    root: Path, clip: Path, keyframes: Sequence[int] = (0, 60), formats: Sequence[str] = ("alpha", "foreground")
) -> MattingSession:
    """Return a session of the small clip with true masks on `keyframes`; nothing has run."""
    session = create_session(SessionStore(root / "sessions"), clip)
    item = session.add_object("disc")
    for index in keyframes:
        mask = root / f"{index}.png"
        cv2.imwrite(str(mask), disc(index))
        add_mask(session, item, index, mask, load_info(session))
    session.state.formats = list(formats)
    session.save()
    return session


def finished_session(root: Path, clip: Path) -> MattingSession:
    """Return a session of the small clip that has run."""
    session = new_session(root, clip)
    run_matting(session)
    return session


def known_speeds(folder: Path) -> Speeds:
    """Return the speeds of a machine that is as fast as the reference machine."""
    return Speeds(folder / "reference", "reference", calibration=lambda: 1.0)
