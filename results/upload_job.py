"""An upload as a job of the queue: what runs in a worker process of its own, beside the jobs that compute."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pydantic import JsonValue

from errors import ParameterError
from integrations.sending import Amount
from log import LOG
from queue_logic import Channel, JobProgress, Order
from results.cloud import upload_results
from results.sessions import open_session
from runner_base.job import may_be_deleted

STAGE = "upload"


def run_job(workspace: Path, order: Order, channel: Channel) -> dict[str, JsonValue]:
    """Upload results of a session of `workspace`; a queue_logic.executor.Handler.

    Args:
        workspace: the folder of the sessions.
        order: its parameters may have 'formats'; without them all that is delivered is uploaded.
        channel: told of the bytes, asked whether to stop.

    Returns:
        {'uploads': [{'format', 'name', 'key', 'size'}]}; links are made where they are shown, as signatures are no
        thing for a file to hold.

    Raises:
        SessionNotFoundError: the session is gone, also when that happens while it runs.
        SplazMatteError: whatever else went wrong.
    """
    formats = _formats(order)
    session = open_session(workspace, order.session_id)
    with may_be_deleted(session):
        made = upload_results(session, formats, on_progress=reporting(channel), should_stop=channel.should_stop)
    for up in made:
        LOG.info("uploaded", format=up.label, key=up.key, size=up.size)
    return {"uploads": [{"format": up.label, "name": up.name, "key": up.key, "size": up.size} for up in made]}


def reporting(channel: Channel) -> Callable[[Amount], None]:
    """Return what tells the queue how far an upload is."""
    pace = Pace()
    return lambda amount: channel.progress(pace.progress(amount))


class Pace:
    """How fast bytes go out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started: float | None = None

    def progress(self, amount: Amount) -> JobProgress:
        """Return how far an upload is; what the store had already says nothing about speed."""
        moment = self._clock()
        if self._started is None:
            self._started = moment
        elapsed = moment - self._started
        speed = amount.sent / elapsed if elapsed > 0 else 0.0
        return JobProgress(
            stage=STAGE,
            done=amount.done,
            total=amount.total,
            fps=speed,
            fraction=amount.done / amount.total if amount.total else 1.0,
            seconds_left=(amount.total - amount.done) / speed if speed else None,
            unit="bytes",
        )


def _formats(order: Order) -> list[str]:
    unknown = set(order.parameters) - {"formats"}
    if unknown:
        raise ParameterError(f"an upload job has no parameter '{min(unknown)}'; it has: formats")
    formats = order.parameters.get("formats", [])
    if not isinstance(formats, list) or not all(isinstance(name, str) for name in formats):
        raise ParameterError("'formats' must be a list of names")
    return [str(name) for name in formats]
