"""Tracking as a job of the queue: what runs in worker processes."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from errors import ParameterError
from queue_logic import Channel, Order
from runner_base.job import may_be_deleted, reporting, upload_after
from tracking_runner import STAGES, check_stage, run_tracking
from tracking_session_store import TrackingSessionStore


def run_job(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Run a tracking session of `workspace`; a queue_logic.executor.Handler.

    Args:
        workspace: the folder of tracking_sessions/.
        order: its parameters may have 'until', the last stage to run, and 'force', to run what does not seem to fit.
        channel: told of each frame, asked whether to stop.

    Returns:
        what a run gives, as `track --json` prints it.

    Raises:
        SessionNotFoundError: the session is gone, also when that happens while it runs.
        SplazMatteError: whatever else went wrong.
    """
    until, force = _parameters(order)
    store = TrackingSessionStore(workspace / "tracking_sessions")
    session = store.open(order.session_id)
    with may_be_deleted(session):
        result = run_tracking(
            session,
            on_progress=reporting(channel),
            should_stop=channel.should_stop,
            on_needs=channel.needs,
            until=until,
            check=not force,
        )
    upload_after(workspace, session, delivered=until == STAGES[-1])
    return result.summary()


def _parameters(order: Order) -> tuple[str, bool]:
    unknown = set(order.parameters) - {"until", "force"}
    if unknown:
        raise ParameterError(f"a tracking job has no parameter '{min(unknown)}'; it has: until, force")
    return check_stage(str(order.parameters.get("until", STAGES[-1]))), bool(order.parameters.get("force", False))
