"""How amounts and tables are printed for people."""

from __future__ import annotations

from collections.abc import Sequence


def bytes_text(size: int) -> str:
    """Return a size for people."""
    from rich.filesize import decimal

    return decimal(size)


def counted(count: int, what: str) -> str:
    """Return '1 session', '2 sessions'."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return `rows` as lines, each column as wide as its widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def time_text(seconds: float) -> str:
    """Return a time for people: 12.3 s, 4:05 min, 2:03 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else 0
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes else f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
