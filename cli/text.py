"""How amounts and tables are printed for people."""

from __future__ import annotations

from collections.abc import Sequence

from app_logic.words import bytes_text, time_text

__all__ = ["bytes_text", "counted", "table", "time_text"]


def counted(count: int, what: str) -> str:
    """Return '1 session', '2 sessions'."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
