"""Tracking as a job of the queue: what runs in worker processes."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from errors import ParameterError
from queue_logic import Channel, JobProgress, Order
from runner_base.progress import Progress
from tracking_runner import STAGES, run_tracking
from tracking_session_store import TrackingSessionStore


def run_job(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Run a tracking session of `workspace`; a queue_logic.executor.Handler.

    Args:
        workspace: the folder of tracking_sessions/.
        order: its parameters may have 'until', the last stage to run.
        channel: told of each frame, asked whether to stop.

    Returns:
        what a run gives, as `track --json` prints it.

    Raises:
        SessionNotFoundError: the session is gone.
        SplazMatteError: whatever else went wrong.
    """
    until = str(order.parameters.get("until", STAGES[-1]))
    if until not in STAGES or set(order.parameters) - {"until"}:
        raise ParameterError(f"a tracking job has the parameter 'until': one of {', '.join(STAGES)}")
    session = TrackingSessionStore(workspace / "tracking_sessions").open(order.session_id)

    def report(progress: Progress) -> None:
        channel.progress(JobProgress.model_validate(progress, from_attributes=True))

    return run_tracking(session, on_progress=report, should_stop=channel.should_stop, until=until).summary()
