"""What an engine did other than it was asked to, told to whoever listens: the runner, and through it the user."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("splazmatte.notice")


def notice(text: str) -> None:
    """Tell the user, in one line, that an engine went another way: a smaller window for want of memory, say."""
    LOGGER.warning(text)
