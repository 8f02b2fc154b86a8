"""The line below the panels: what runs for the open session, how far it is, how long it takes, and the stop button."""

from __future__ import annotations

from nicegui import ui

from app_logic.words import bytes_text, time_text
from pages.desk import Desk
from pages.texts import say, t
from pages.widgets import icon_button
from queue_logic import JobProgress

STAGE_TEXTS = ["upload"]
"""Stages of jobs of no kind of session."""


class JobBar:
    """Progress of the session's job, in every tab that shows the session."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        with ui.column().classes("sm-jobbar") as self._box:
            with ui.row().classes("sm-param"):
                self._spinner = ui.spinner(size="16px")
                self._text = ui.label().classes("grow sm-jobtext").props('role=status aria-live="polite"')
                self._stop = icon_button("stop_circle", t("Stop"), self._cancel, colour="negative")
            self._bar = ui.linear_progress(value=0, show_value=False, size="4px")
        desk.on_jobs(self._refresh)
        desk.on_view(self._refresh)
        self._refresh()

    def _refresh(self) -> None:
        desk = self._desk
        job = desk.job
        last = {job.kind: job for job in desk.jobs if job.session_id == desk.session_id and job.state.is_finished}
        failures = [ended for ended in last.values() if ended.state == "failed"]
        failed = failures[-1] if failures and job is None else None
        self._box.set_visibility(bool(job or failed))
        self._spinner.set_visibility(bool(job and not job.state.is_waiting))
        self._stop.set_visibility(job is not None)
        self._bar.set_visibility(job is not None)
        self._box.classes(add="sm-failed" if failed else "", remove="" if failed else "sm-failed")
        if failed:
            self._text.text = say(failed.error)
        elif job and job.state.is_waiting:
            self._text.text = t("Waits in the queue")
            self._bar.value = 0
        elif job:
            progress = job.progress
            parts = [t(progress.stage) if progress.stage else t("Starting")]
            parts += _amounts(progress)
            if progress.seconds_left is not None:
                parts.append(t("{time} left", time=time_text(progress.seconds_left)))
            self._text.text = " · ".join(parts)
            self._bar.value = progress.fraction

    async def _cancel(self) -> None:
        await self._desk.do(self._desk.side.work.stop, self._desk.session_id)


def _amounts(progress: JobProgress) -> list[str]:
    """Return how many steps are done of how many, and how many a second."""
    if progress.unit == "bytes":
        steps = [f"{bytes_text(progress.done)} / {bytes_text(progress.total)}"] if progress.total else []
        return [*steps, f"{bytes_text(progress.fps)}/s"] if progress.fps else steps
    steps = [f"{progress.done:g}/{progress.total:g}"] if progress.total else []
    return [*steps, t("{fps} frames/s", fps=f"{progress.fps:.1f}")] if progress.fps else steps
