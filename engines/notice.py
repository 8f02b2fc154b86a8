"""What an engine tells the user while it goes on: one line, through the log."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("splazmatte.notice")


def notice(text: str) -> None:
    """Tell the user something that is not an error but that changes what they get."""
    LOGGER.warning(text)
