"""The queue: every session's jobs, in the order in which they run. It knows no kind of job, so both pages have it."""

from __future__ import annotations

from typing import Any, NamedTuple

from nicegui import ui

from app_logic.words import time_text
from pages.desk import Desk
from pages.log_dialog import show_log
from pages.notice_row import NoticeRows
from pages.texts import say, t
from pages.widgets import action_button, icon_button, tip

ICONS = {
    "pending": "schedule",
    "running": "play_circle",
    "done": "check_circle",
    "failed": "error",
    "cancelled": "cancel",
    "interrupted": "pause_circle",
}

GOALS = {
    "frames": "Extract frames",
    "propagate": "Propagate",
    "matte": "Matte",
    "track": "Track",
    "deliver": "Deliver",
    "upload": "Upload",
}
KIND_ICONS = {"matting": "auto_awesome", "tracking": "timeline", "upload": "cloud_upload"}
GOAL_TEXTS = list(GOALS.values())
"""What a job is for, by its last stage."""
_POSSIBLE = ("can_cancel", "can_retry", "can_remove")
NOTICE_POLL = 2.0
"""Seconds between two looks at which notices were sent."""


class _Row(NamedTuple):
    """A job's row: drawn anew only for another look, so that no other job takes a button from under the pointer."""

    box: ui.element
    look: object
    bar: ui.linear_progress
    label: ui.label


class QueuePanel:
    """The list of jobs with what can be done to each."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows: dict[str, _Row] = {}
        self._notices = NoticeRows(desk)
        with ui.row().classes("sm-heading"):
            ui.label(t("Queue"))
            ui.space()
            self._pause = icon_button("pause", t("Start no further jobs"), self._toggle)
            icon_button("clear_all", t("Remove finished jobs"), lambda: desk.do(self._queue.clear))
        self._note = ui.label().classes("sm-note")
        self._empty = ui.label(t("The queue is empty.")).classes("sm-note")
        self._list = ui.column().classes("sm-list")
        self._add = action_button(t("Add this session"), "playlist_add", self._add_session)
        desk.on_jobs(self._refresh)
        desk.on_view(self._refresh)
        ui.timer(NOTICE_POLL, self._refresh)
        self._refresh()

    @property
    def _queue(self) -> Any:
        return self._desk.services.queue

    def _refresh(self) -> None:
        rows = self._desk.side.work.listing()
        stopped = self._queue.stopped
        self._add.set_enabled(bool(self._desk.session_id))
        self._note.text = self._owner_text(stopped)
        self._note.set_visibility(bool(self._note.text))
        self._pause.props(f"icon={'play_arrow' if stopped else 'pause'}")
        self._empty.set_visibility(not rows)
        self._draw(rows)
        for row in rows:
            shown = self._rows[row["id"]]
            shown.bar.value = row["fraction"]
            shown.label.text = _describe(row)

    def _owner_text(self, stopped: bool) -> str:
        owner = self._desk.services.owner
        if owner:
            return t("Another process runs the queue: {owner}", owner=owner)
        return t("Stopped: no further job is started.") if stopped else ""

    def _draw(self, rows: list[dict[str, Any]]) -> None:
        """Draw the rows that look other than before, and put all into their order."""
        ids = [row["id"] for row in rows]
        for gone in set(self._rows) - set(ids):
            self._rows.pop(gone).box.delete()
        told = self._notices.state()
        for place, row in enumerate(rows):
            known = self._rows.get(row["id"])
            look = _look(row), place > 0, place < len(rows) - 1, told.get(row["id"])
            if known is None or known.look != look:
                self._rows[row["id"]] = self._row(row, look, known)
        boxes = [self._rows[job_id].box for job_id in ids]
        if boxes != self._list.default_slot.children:
            for box in boxes:
                box.move(self._list)

    def _row(self, row: dict[str, Any], look: tuple[object, bool, bool, object], known: _Row | None) -> _Row:
        with self._list:
            box = known.box if known else ui.element("div").classes("w-full")
        box.clear()
        with box, ui.column().classes(f"sm-job sm-{row['state']}"):
            with ui.row().classes("sm-param"):
                ui.icon(ICONS.get(row["state"], "help")).classes("sm-jobicon")
                ui.icon(KIND_ICONS.get(row["kind"], "help")).classes("sm-jobicon")
                tip(ui.label(row["name"]).classes("grow sm-ellipsis"), row["name"])
                self._buttons(row, can_rise=look[1], can_sink=look[2])
            label = ui.label().classes("sm-note")
            bar = ui.linear_progress(value=0, show_value=False, size="3px")
            bar.set_visibility(row["state"] == "running")
            if row["error"]:
                ui.label(say(row["error"])).classes("sm-warning")
            self._notices.label(row["id"])
            for line in row["notices"]:
                ui.label(say(line)).classes("sm-warning")
            if row["engines"]:
                ui.label(t("Made by {engines}", engines=" · ".join(row["engines"]))).classes("sm-note")
        return _Row(box, look, bar, label)

    def _buttons(self, row: dict[str, Any], *, can_rise: bool, can_sink: bool) -> None:
        job_id = row["id"]
        waits = row["state"] in ("pending", "interrupted")
        if waits and can_rise:
            icon_button("vertical_align_top", t("Move to the top"), lambda: self._desk.do(self._queue.move_top, job_id))
        if waits and can_sink:
            down = t("Move to the bottom")
            icon_button("vertical_align_bottom", down, lambda: self._desk.do(self._queue.move_bottom, job_id))
        icon_button("article", t("Log"), lambda: show_log(self._desk, job_id, row["name"]))
        self._notices.button(job_id)
        if row["can_cancel"]:
            icon_button("stop_circle", t("Cancel"), lambda: self._desk.do(self._queue.cancel, job_id))
        if row["can_retry"]:
            icon_button("replay", t("Try again"), lambda: self._desk.do(self._queue.retry, job_id))
        if row["can_remove"]:
            icon_button("close", t("Remove"), lambda: self._desk.do(self._queue.remove, job_id))

    async def _add_session(self) -> None:
        await self._desk.do(self._desk.side.work.deliver, self._desk.session_id)

    async def _toggle(self) -> None:
        await self._desk.do(self._queue.start if self._queue.stopped else self._queue.stop)


def _look(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row[name] for name in ("state", "error", "name", "notices", "engines", *_POSSIBLE))


def _describe(row: dict[str, Any]) -> str:
    parts = [t(GOALS.get(str(row["until"]), "Deliver")), t(str(row["state"]))]
    if row["state"] == "running":
        parts.append(f"{row['fraction'] * 100:.0f} %")
        if row["stage"]:
            parts.append(t(row["stage"]))
        if row["seconds_left"] is not None:
            parts.append(t("{time} left", time=time_text(row["seconds_left"])))
    return " · ".join(parts)
