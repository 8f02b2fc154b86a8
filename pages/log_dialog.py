"""A job's log: its lines as they come, by level, to copy and to download."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from nicegui import run, ui

from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import closed, copy_text, icon_button, tip
from queue_logic.job_log import EVENTS, LEVELS, OUTPUT, JobLog, Line, log_path

LOOK = 1.0
"""Seconds between two looks at what is new."""
MOST = 2000
"""Lines that are shown; the file has them all."""
FILTERS: dict[str, tuple[str, Callable[[Line], bool]]] = {
    "all": ("Everything", lambda line: True),
    "ours": ("Without what libraries print", lambda line: line.level != OUTPUT),
    "warning": ("Warnings and errors", lambda line: LEVELS.index(line.level) >= LEVELS.index("warning")),
    "error": ("Errors", lambda line: LEVELS.index(line.level) >= LEVELS.index("error")),
}
LOG_TEXTS = [
    *(text for text, _ in FILTERS.values()),
    *LEVELS,
    *EVENTS.values(),
    "worker starts",
    "worker done",
    "worker failed",
    "worker cancelled",
    "needs",
    "engine",
    "stage begins",
    "stage ends",
    "uploaded",
    "the cloud store failed; trying again",
    "the upload could not be queued",
    "unexpected error",
    "earlier lines were left out",
    "too much output: the rest of it is left out",
]


async def show_log(desk: Desk, job_id: str, name: str) -> None:
    """Show a job's log until the dialog is closed."""
    with desk.home, ui.dialog() as dialog, ui.card().classes("sm-dialog sm-logdialog"):
        LogView(desk, job_id, name)
        with ui.row().classes("sm-buttons"):
            ui.button(t("Close"), on_click=dialog.close).props("flat no-caps autofocus")
    await closed(dialog)


class LogView:
    """The lines, and what can be done with them."""

    def __init__(self, desk: Desk, job_id: str, name: str) -> None:
        self._desk = desk
        self._name = f"job-{job_id}"
        self._log = JobLog(log_path(desk.services.workspace, job_id))
        self._lines: list[Line] = []
        with ui.row().classes("sm-param"):
            title = t("Log of job {id}: {name}", id=job_id, name=name)
            tip(ui.label(title).classes("sm-title grow sm-ellipsis"), title)
            options = {key: t(text) for key, (text, _) in FILTERS.items()}
            self._filter = ui.select(options, value="all", on_change=self._draw).props("dense outlined options-dense")
            self._filter.props["aria-label"] = t("Lines")
            icon_button("content_copy", t("Copy"), self._copy)
            icon_button("download", t("Download"), self._download)
        self._note = ui.label(t("There is no log yet.")).classes("sm-note")
        self._view = ui.log(max_lines=MOST).classes("sm-log")
        self._view.props["tabindex"] = "0"
        self._view.props["aria-label"] = t("Log")
        ui.timer(LOOK, self._look)

    async def _look(self) -> None:
        """Show what is new."""
        found = await run.io_bound(self._log.read)
        if not found or self._view.is_deleted:
            return
        self._lines = [*self._lines, *found][-MOST:]
        self._note.text = t("Earlier lines are in the file only.") if self._log.cut else ""
        self._note.set_visibility(self._log.cut)
        for line in found[-MOST:]:
            self._push(line)

    def _draw(self) -> None:
        """Show the lines of the chosen level."""
        self._view.clear()
        for line in self._lines:
            self._push(line)

    def _push(self, line: Line) -> None:
        if FILTERS[str(self._filter.value)][1](line):
            self._view.push(shown(line), classes=f"sm-line sm-{line.level}")

    def _text(self) -> str:
        wanted = FILTERS[str(self._filter.value)][1]
        return "\n".join(shown(line) for line in self._lines if wanted(line)) + "\n"

    def _copy(self) -> None:
        copy_text(self._text())
        self._desk.tell(t("Copied."))

    def _download(self) -> None:
        ui.download.content(self._text(), f"{self._name}.log.txt")


def shown(line: Line) -> str:
    """Return a line as the dialog shows it: time, level, text, in the language of this client."""
    if line.level == OUTPUT:
        return f"{'':8}  {t(OUTPUT)}  {line.event}"
    values = dict(line.values)
    if "stage" in values:
        values["stage"] = t(str(values["stage"]))
    if "error" in values:
        values["error"] = say(str(values["error"]))
    told = say(t(line.event))  # ours, or an engine's notice
    return f"{_clock(line.time)}  {t(line.level)}  {told}  {Line('', values=values).details}".rstrip()


def _clock(time: str) -> str:
    try:
        return f"{datetime.fromisoformat(time).astimezone():%H:%M:%S}"
    except ValueError:
        return f"{'':8}"
