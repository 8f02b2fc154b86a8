"""Command `run-queue`: runs the jobs of the queue in worker processes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cli.options import stoppable
from cli.output import Debug, Json, ProgressBar, note, show
from cli.queue import job_text, jobs_data, jobs_text
from cli.workspace import open_queue, video_names

if TYPE_CHECKING:
    from queue_logic import JobQueue


def run_queue(
    wait: Annotated[bool, typer.Option("--wait", help="Stay and wait for further jobs until stopped.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> int:
    """Run the jobs of the queue, interrupted ones first where they stand, each in a process of its own."""
    from app_logic.checks import refuse_wrong, warn_of_misnamed
    from app_logic.services import make_runner
    from app_logic.watch import Watch
    from config import get_settings
    from errors import Cancelled
    from log import to_file
    from queue_logic import QueueLock

    refuse_wrong()
    queue, settings = open_queue(), get_settings()
    with (
        QueueLock(settings.workspace_dir, "run-queue") as lock,
        to_file(settings.workspace_dir / "logs", "queue"),
        Watch(settings.workspace_dir, settings) as watch,
        stoppable("stopping; what is done is kept") as asked,
    ):
        warn_of_misnamed()
        if lock.left_by:
            note(f"taking over from {lock.left_by}, which ended without a word")
        queue.start()
        before = {job.id for job in queue.jobs() if job.state.is_finished}
        with ProgressBar() as bar:
            make_runner(queue, watch.observers).run(asked, _Follower(queue, bar), forever=wait)
        if asked():
            raise Cancelled("stopped; run-queue goes on from there")
    jobs = [job for job in queue.jobs() if job.id not in before]
    show(jobs_data(jobs), lambda: jobs_text(jobs) or "no jobs; run.py queue add ID")
    return 1 if any(job.state == "failed" for job in jobs) else 0


class _Follower:
    """Shows the running job on the bar, and says a line when a job ends or an attempt fails."""

    def __init__(self, queue: JobQueue, bar: ProgressBar) -> None:
        self._queue = queue
        self._bar = bar
        self._names = video_names()
        self._revision = -1
        self._told = {job.id: (job.state, job.error) for job in queue.jobs()}

    def __call__(self) -> None:
        """Look at the queue."""
        if self._queue.revision == self._revision:
            return
        self._revision = self._queue.revision
        jobs = self._queue.jobs()
        for job in [job for job in jobs if job.state == "running"][:1]:
            self._bar(job.progress)
        for job in jobs:
            if job.state != "running" and self._told.get(job.id) != (job.state, job.error):
                self._bar.say(job_text(job, self._names(job)))
            self._told[job.id] = (job.state, job.error)
