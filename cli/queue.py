"""Commands `queue …`: the list of jobs, also while another process runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli import job_log
from cli.output import Debug, Json, show
from cli.text import table, time_text
from cli.workspace import enqueue, kind_of, open_queue, stores, video_names

if TYPE_CHECKING:
    from queue_logic import Job

app = typer.Typer(help="The queue of jobs; edits count at once, also while it is being run.", no_args_is_help=True)
Ids = Annotated[
    list[str], typer.Argument(metavar="JOB...", help="Jobs; `queue list` shows the ids.", show_default=False)
]
ThenTrack = Annotated[
    int,
    typer.Option("--then-track", min=0, max=5000, help="Points on each object that a tracking job follows afterwards."),
]
OneId = Annotated[str, typer.Argument(metavar="JOB", help="The job; `queue list` shows the ids.", show_default=False)]

STAGES = {
    "matting": ("frames", "keyframes", "propagate", "matte", "deliver"),
    "tracking": ("frames", "track", "deliver"),
}
"""Of each kind of job; tests/test_cli_queue.py compares them with the runners', which are too heavy to load here."""


@app.command("list")
def list_jobs(json_output: Json = False, debug: Debug = False) -> None:
    """List the jobs in the order in which they are run."""
    from queue_logic import current_owner

    queue = open_queue()
    owner = current_owner(queue.workspace)
    head = [f"run by {owner}" if owner else "not being run (run.py run-queue)"]
    head += _time_left(queue.jobs())
    head += ["stopped: no further job starts (run.py queue start)"] if queue.stopped else []
    show(
        {
            **jobs_data(queue.jobs()),
            "stopped": queue.stopped,
            "owner": owner.model_dump(mode="json") if owner else None,
        },
        lambda: "\n".join([jobs_text(queue.jobs()) or "no jobs", "; ".join(head)]),
    )


@app.command()
def add(
    session_ids: Annotated[
        list[str], typer.Argument(metavar="SESSION...", help="Sessions; `list` shows the ids.", show_default=False)
    ],
    until: Annotated[
        str,
        typer.Option(help="Last stage: frames, keyframes, propagate, matte or deliver; of tracking: track or deliver."),
    ] = "deliver",
    force: Annotated[
        bool, typer.Option("--force", help="Run it even if it does not seem to fit this machine.")
    ] = False,
    then_track: ThenTrack = 0,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Put sessions at the end of the queue; one that waits there already stays where it is."""
    from errors import ParameterError

    chosen = [(kind, stores()[kind].open(session_id)) for session_id in session_ids for kind in [kind_of(session_id)]]
    for kind, _ in chosen:
        if until not in STAGES[kind]:
            raise ParameterError(f"--until of a {kind} session must be one of {', '.join(STAGES[kind])}, not '{until}'")
    show_jobs([enqueue(session, until=until, force=force, then_track=then_track) for _, session in chosen])


@app.command()
def remove(job_ids: Ids, json_output: Json = False, debug: Debug = False) -> None:
    """Take jobs off the list; what their sessions have stays."""
    queue = open_queue()
    show_jobs([queue.remove(job_id) for job_id in job_ids], "removed")


@app.command()
def move(
    job_id: OneId,
    place: Annotated[str, typer.Argument(metavar="top|bottom|JOB", help="top, bottom, or the job to go before.")],
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Move a job to the top, to the bottom, or right before another one."""
    queue = open_queue()
    if place == "top":
        queue.move_top(job_id)
    elif place == "bottom":
        queue.move_bottom(job_id)
    else:
        queue.move_before(job_id, place)
    show_jobs(queue.jobs())


@app.command()
def cancel(job_ids: Ids, json_output: Json = False, debug: Debug = False) -> None:
    """Stop jobs, running ones within seconds; what they have done is kept."""
    _each(job_ids, "cancel")


@app.command()
def retry(
    job_ids: Annotated[list[str] | None, typer.Argument(metavar="JOB...", help="Jobs; or --failed.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Every job that has failed.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Let jobs that failed or were cancelled go on from what they have."""
    from errors import ParameterError

    chosen = list(job_ids or [])
    if failed:
        chosen += [job.id for job in open_queue().jobs() if job.state == "failed" and job.id not in chosen]
    elif not chosen:
        raise ParameterError("which jobs? name them, or say --failed")
    _each(chosen, "retry")


@app.command()
def reset(job_ids: Ids, json_output: Json = False, debug: Debug = False) -> None:
    """Make jobs as if they had just been added; what their sessions have stays."""
    _each(job_ids, "reset")


@app.command()
def clear(
    everything: Annotated[bool, typer.Option("--all", help="Waiting jobs too, not only finished ones.")] = False,
    json_output: Json = False,
    debug: Debug = False,
) -> None:
    """Take finished jobs off the list: done, failed, cancelled."""
    show_jobs(open_queue().clear(everything=everything), "removed")


@app.command()
def stop(json_output: Json = False, debug: Debug = False) -> None:
    """Start no further job; one that runs goes on."""
    open_queue().stop()
    show({"stopped": True}, "no further job starts; run.py queue start undoes it")


@app.command()
def start(json_output: Json = False, debug: Debug = False) -> None:
    """Let jobs start again."""
    open_queue().start()
    show({"stopped": False}, "jobs start again where the queue is being run")


app.command()(job_log.log)
app.command()(job_log.notify)


def show_jobs(jobs: list[Job], verb: str = "") -> None:
    """Print jobs, each line beginning with `verb`."""
    show(jobs_data(jobs), lambda: jobs_text(jobs, verb) or "no jobs")


def jobs_data(jobs: list[Job]) -> dict[str, Any]:
    """Return jobs as --json prints them."""
    name = video_names()
    return {"jobs": [job.model_dump(mode="json") | {"name": name(job)} for job in jobs]}


def jobs_text(jobs: list[Job], verb: str = "") -> str:
    """Return jobs as lines for people, each beginning with `verb`."""
    name = video_names()
    return table([[f"{verb} job {job.id}".strip(), *_cells(job, name(job))] for job in jobs])


def job_text(job: Job, name: str) -> str:
    """Return a job of the video `name` as one line."""
    return table([[f"job {job.id}", *_cells(job, name)]])


def _cells(job: Job, name: str) -> list[str]:
    state = "stopping" if job.cancel_requested and job.state == "running" else job.state.value
    return [state, _how_far(job), job.kind, job.session_id, name, job.error]


def _how_far(job: Job) -> str:
    """Return the time that a job took or will take, and how far it is."""
    if job.state == "running":
        left = job.progress.seconds_left
        share = f"{job.progress.stage} {job.progress.fraction:.0%}".strip()
        return share + (f", {time_text(left)} left" if left is not None else "")
    if job.state == "done":
        return time_text(job.seconds)
    return f"about {time_text(job.needs.seconds)}" if job.state.is_waiting and job.needs else ""


def _time_left(jobs: list[Job]) -> list[str]:
    """Return how long all that waits or runs will take, if there is any."""
    seconds = sum(job.needs.seconds for job in jobs if job.state.is_waiting and job.needs)
    seconds += sum(job.progress.seconds_left or 0 for job in jobs if job.state == "running")
    return [f"about {time_text(seconds)} of work"] if seconds else []


def _each(job_ids: list[str], action: str) -> None:
    queue = open_queue()
    for job_id in job_ids:
        getattr(queue, action)(job_id)
    show_jobs([queue.get(job_id) for job_id in job_ids])
