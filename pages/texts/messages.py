"""Messages of errors in Chinese."""

from __future__ import annotations


def in_chinese(message: str) -> str:
    """Return the message in Chinese where there is a translation."""
    return message
