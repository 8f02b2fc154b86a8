"""Chinese by English text."""

from __future__ import annotations

CHINESE: dict[str, str] = {}
