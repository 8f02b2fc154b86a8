"""Commands `queue log` and `queue notify`: what a job has said, and telling people of it again."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Annotated

import typer

from cli.output import Debug, Json, note, show
from cli.workspace import open_queue

if TYPE_CHECKING:
    from queue_logic import JobLog, JobQueue, Line

LOOK = 0.5
"""Seconds between two looks at what is new."""
OneId = Annotated[str, typer.Argument(metavar="JOB", help="The job; `queue list` shows the ids.", show_default=False)]


def log(
    job_id: OneId,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new lines until the job ends.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Show what a job has done and said; with --follow and --json one JSON object a line."""
    from errors import JobNotFoundError
    from queue_logic import JobLog, log_path

    queue = open_queue()
    path = log_path(queue.workspace, job_id)
    known = any(job.id == job_id for job in queue.jobs())
    if not path.exists() and not known:
        raise JobNotFoundError(f"there is no log of a job '{job_id[:20]}'; run.py queue list shows the jobs")
    lines = JobLog(path)
    if follow:
        _follow(queue, job_id, lines, as_json=json_output)
        return
    found = lines.read(all_of_it=True)
    if lines.cut:
        note(f"earlier lines are in {path} only")
    show(
        {"job": job_id, "lines": [line.data() for line in found]}, lambda: "\n".join(map(_text, found)) or "no log yet"
    )


def notify(job_id: OneId, json_output: Json = False, debug: Debug = False) -> None:
    """Tell the Feishu group of a job again: that it runs, is done or has failed."""
    from app_logic.watch import Watch
    from config import get_settings

    job, settings = open_queue().get(job_id), get_settings()
    with Watch(settings.workspace_dir, settings) as watch:
        remark = watch.notices.send_now(job)
    show({"job": job_id, "sent": True, "remark": remark}, f"sent{f' ({remark})' if remark else ''}")


def _follow(queue: JobQueue, job_id: str, lines: JobLog, *, as_json: bool) -> None:
    """Print lines until the job is finished, or gone."""
    wait = threading.Event().wait
    ended = False
    while True:
        last = ended  # a job's last lines are written right after it has ended
        ended = all(job.id != job_id or job.state.is_finished for job in queue.jobs())
        for line in lines.read(all_of_it=last):
            print(json.dumps(line.data(), ensure_ascii=False) if as_json else _text(line), flush=True)
        if last:
            return
        wait(LOOK)


def _text(line: Line) -> str:
    """Return a line as people read it: local time, level, what happened."""
    from datetime import datetime

    try:
        clock = f"{datetime.fromisoformat(line.time).astimezone():%H:%M:%S}"
    except ValueError:
        clock = " " * 8
    return f"{clock}  {line.level:<8} {line.event}  {line.details}".rstrip()
