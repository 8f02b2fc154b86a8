"""How amounts, names and tables are printed for people."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from app_logic.words import bytes_text, time_text

__all__ = ["bytes_text", "counted", "printable", "table", "time_text"]

_UNSEEN = ("Cc", "Cs", "Zl", "Zp")
"""Categories of what moves the cursor, ends the line or cannot be encoded."""
_TURNING = frozenset("\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text that follows it."""


def counted(count: int, what: str) -> str:
    """Return '1 session', '2 sessions'."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def printable(text: str, *, keep: str = "") -> str:
    r"""Return what a name or a value looks like on one line of a terminal: a line break as \n, an escape as \x1b.

    Args:
        text: any text, as users and files have it.
        keep: characters that stay whatever they are.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter in keep or _is_seen(letter) else _escaped(letter) for letter in text)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` as lines, one a row whatever is in its cells, each column as wide as its widest cell."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _is_seen(letter: str) -> bool:
    return unicodedata.category(letter) not in _UNSEEN and letter not in _TURNING


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")
