"""Matting as a job of the queue, and as the work of an interactive process: what runs in worker processes."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from errors import ParameterError
from matting_runner import run_matting
from matting_runner.progress import Stage
from queue_logic import Channel, JobQueue, Order
from runner_base.job import may_be_deleted, reporting, upload_after
from session_store import SessionStore


def run_job(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Run a session of `workspace`; a queue_logic.executor.Handler.

    Args:
        workspace: the folder of sessions/.
        order: its parameters may have 'until', the last stage to run; 'force', to run what does not seem to fit; and
            'then_track', a tracking session that is put into the queue when this job is done.
        channel: told of each frame, asked whether to stop.

    Returns:
        what a run gives, as `run --json` prints it.

    Raises:
        SessionNotFoundError: the session is gone, also when that happens while it runs.
        SplazMatteError: whatever else went wrong.
    """
    until, force, tracking = _parameters(order)
    store = SessionStore(workspace / "sessions")
    session = store.open(order.session_id)
    with may_be_deleted(session):
        result = run_matting(
            session,
            on_progress=reporting(channel),
            should_stop=channel.should_stop,
            on_needs=channel.needs,
            until=until,
            check=not force,
        )
    upload_after(workspace, session, delivered=until is Stage.DELIVER)
    if tracking:
        JobQueue(workspace).add("tracking", tracking, {"force": True} if force else {})
    return result.summary()


def _parameters(order: Order) -> tuple[Stage, bool, str]:
    """Return the last stage, whether to run what does not seem to fit, and the tracking session to queue, or ''."""
    unknown = set(order.parameters) - {"until", "force", "then_track"}
    if unknown:
        raise ParameterError(f"a matting job has no parameter '{min(unknown)}'; it has: until, force, then_track")
    until = order.parameters.get("until", Stage.DELIVER)
    if until not in list(Stage):
        raise ParameterError(f"'until' must be one of {', '.join(Stage)}, not '{until}'")
    then = str(order.parameters.get("then_track", ""))
    return Stage(str(until)), bool(order.parameters.get("force", False)), then
