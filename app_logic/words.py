"""Amounts as people read them, on the command line and in the app."""

from __future__ import annotations


def bytes_text(size: float) -> str:
    """Return a size for people, in decimal units: 12.3 MB."""
    from rich.filesize import decimal

    return decimal(int(size))


def time_text(seconds: float) -> str:
    """Return a time for people: 12.3 s, 4:05 min, 2:03 h."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes = round(seconds / 60) if seconds >= 3600 else 0
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes else f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
