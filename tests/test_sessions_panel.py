"""The list of sessions: what looks for changes may come back to a page that was closed meanwhile."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from pages.sessions_panel import SessionsPanel


def test_a_list_whose_page_was_closed_is_left_alone() -> None:
    panel: Any = SessionsPanel.__new__(SessionsPanel)
    panel._list = SimpleNamespace(is_deleted=False)  # has nothing that could be drawn on

    def rows() -> list[object]:
        panel._list.is_deleted = True
        return []

    panel._sessions, panel._shown, panel._cards = SimpleNamespace(rows=rows), None, {}
    asyncio.run(panel.refresh())
    assert panel._shown is None
