"""Runs the jobs of a queue, one at a time per device, and sees to it that each comes to an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from errors import JobNotFoundError
from log import LOG
from queue_logic.events import ENDS, Event, Observer
from queue_logic.executor import Execution, Executor
from queue_logic.job import Job, JobProgress, JobState, now
from queue_logic.messages import Control, Crashed, Ended, Message, Planned, Progressed
from queue_logic.process import end_leftover
from queue_logic.queue import JobQueue

_LOOK = 0.2
"""Seconds between two looks at the queue while no worker says anything."""


@dataclass(frozen=True)
class Limits:
    """How long the queue waits for what."""

    hang_seconds: float = 600.0
    """Without a sign of life: the job is ended by force."""
    cancel_seconds: float = 3.0
    """Until a job that was asked to stop is ended by force; with that, cancelling takes less than 5 s."""
    attempts: int = 2
    """Times that a job is tried when its process crashes or hangs."""


@dataclass
class _Running:
    """A job under way."""

    job: Job
    execution: Execution
    device: str
    started: float
    heard: float
    asked: float | None = None
    """When it was asked to stop."""
    verdict: JobState | None = None
    """What it becomes when it stops because it was asked to."""
    paused: bool = False


class QueueRunner:
    """Starts jobs, follows their messages, enforces the limits. One per workspace: hold its QueueLock.

    Args:
        queue: the jobs.
        executor: what runs them.
        devices: names; one job at a time on each.
        limits: how long to wait for what.
        clock: seconds, monotonic; tests bring their own.
        lanes: by kind of job: a device of its own, for kinds that need none of `devices`.
        observers: told what happens to jobs; what goes wrong in them is logged, and nothing else happens.
    """

    def __init__(
        self,
        queue: JobQueue,
        executor: Executor,
        devices: Sequence[str] = ("cpu",),
        limits: Limits | None = None,
        clock: Callable[[], float] = time.monotonic,
        lanes: Mapping[str, str] | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._queue = queue
        self._observers = tuple(observers)
        self._executor = executor
        self._lanes = dict(lanes or {})
        self._devices = (*devices, *dict.fromkeys(self._lanes.values()))
        self._own = frozenset(self._lanes.values())
        self._limits = limits or Limits()
        self._clock = clock
        self._running: dict[str, _Running] = {}
        self._waiting_users = dict.fromkeys(self._devices, 0)
        self._looked = clock()
        self._lock = threading.RLock()

    def run(
        self, should_stop: Callable[[], bool], on_step: Callable[[], None] | None = None, *, forever: bool = False
    ) -> None:
        """Run jobs until none waits (or, `forever`, until told to stop); what still runs then is interrupted.

        Args:
            should_stop: asked a few times a second.
            on_step: called as often, to show how things stand.
            forever: wait for further jobs.

        Raises:
            StoreError: queue.json is of a newer version.
        """
        self.recover()
        try:
            while not should_stop():
                self.step()
                if on_step:
                    on_step()
                if not forever and self.is_idle():
                    break
                self._executor.wait(_LOOK)
        finally:
            self.close()

    def recover(self) -> None:
        """Take over what an owner that died has left: end workers that outlived it, mark their jobs interrupted."""
        for job in self._queue.jobs():
            if job.state is not JobState.RUNNING:
                continue
            if job.worker:
                end_leftover(job.worker)
            state, error = JobState.INTERRUPTED, ""
            if job.cancel_requested:
                state = JobState.CANCELLED
            elif job.attempts > self._limits.attempts:  # else a job that takes the machine down would do so for ever
                state = JobState.FAILED
                error = f"SplazMatte ended {job.attempts} times while it ran; to go on: run.py queue retry {job.id}"
            self._queue.update(job.id, state=state, worker=None, ended=now(), error=error)
            self._tell(job, ENDS[state])

    def step(self) -> None:
        """Do what is due now; never waits."""
        with self._lock:
            self._allow_for_sleep()
            for running in list(self._running.values()):
                self._follow(running)
            self._start_waiting()
            self._queue.flush(at_once=False)

    def is_idle(self) -> bool:
        """Tell whether nothing runs and nothing will start by itself."""
        if self._running:
            return False
        return self._queue.stopped or not any(job.state.is_waiting for job in self._queue.jobs())

    @contextmanager
    def first(self, device: str) -> Iterator[None]:
        """Let what a user waits for go before the job on `device`, which waits before its next frame meanwhile."""
        with self._lock:
            self._waiting_users[device] += 1
            self._pause(device)
        try:
            yield
        finally:
            with self._lock:
                self._waiting_users[device] -= 1
                self._pause(device)

    def close(self) -> None:
        """Interrupt what runs, by force where it takes too long; it goes on when the queue is started again."""
        try:
            with self._lock:
                for running in self._running.values():
                    self._ask_to_stop(running, JobState.INTERRUPTED)
            while self._running:
                with self._lock:
                    for running in list(self._running.values()):
                        self._follow(running)
                self._executor.wait(_LOOK)
            self._queue.flush()
        finally:  # whatever went wrong, no worker is left behind
            for running in self._running.values():
                running.execution.kill()

    def _allow_for_sleep(self) -> None:
        """Call no worker hanging because the whole machine has slept, and this process with it."""
        moment, before = self._clock(), self._looked
        self._looked = moment
        if moment - before >= self._limits.hang_seconds:
            for running in self._running.values():
                running.heard = moment

    def _start_waiting(self) -> None:
        free = [d for d in self._devices if d not in self._running and not self._waiting_users[d]]
        if not free or self._queue.stopped:
            return
        busy = {running.job.session_id for running in self._running.values()}
        for job in [job for job in self._queue.jobs() if job.state.is_waiting]:
            device = next((device for device in free if self._takes(device, job)), None)
            if device is None and job.kind in self._lanes:
                continue  # its lane is taken, perhaps for hours: what needs another one does not wait for that
            if device is not None and job.session_id not in busy:
                free.remove(device)
                self._start(job, device)
            busy.add(job.session_id)  # what waits for the same session does not go before it

    def _takes(self, device: str, job: Job) -> bool:
        """Tell whether jobs of that kind run on `device`."""
        lane = self._lanes.get(job.kind)
        return device == lane if lane else device not in self._own

    def _start(self, job: Job, device: str) -> None:
        before = job
        job = job.model_copy(update={"attempts": job.attempts + 1})
        self._queue.update(
            job.id,
            state=JobState.RUNNING,
            device=device,
            started=now(),
            ended=None,
            attempts=job.attempts,
            progress=JobProgress(),
            error="",
        )
        again = before.attempts > 0 or before.state is JobState.INTERRUPTED
        self._tell(job, "resumed" if again else "started")
        execution = self._executor.start(job.order, device)
        moment = self._clock()
        self._running[device] = _Running(job, execution, device, moment, moment)
        if execution.worker:
            self._queue.update(job.id, worker=execution.worker)

    def _follow(self, running: _Running) -> None:
        """Pass on a cancel, take in what the worker says, then enforce the limits."""
        try:
            wanted = self._queue.get(running.job.id).cancel_requested
        except JobNotFoundError:  # somebody edited the file by hand
            wanted = True
        if wanted:
            self._ask_to_stop(running, JobState.CANCELLED)
        for message in running.execution.messages():
            self._take(running, message)
            if self._running.get(running.device) is not running:
                return
        moment = self._clock()
        if running.asked is not None and moment - running.asked >= self._limits.cancel_seconds:
            self._end_by_force(running, "")
        elif not running.paused and moment - running.heard >= self._limits.hang_seconds:
            self._end_by_force(running, f"it gave no sign of life for {self._limits.hang_seconds:g} s and was ended")

    def _take(self, running: _Running, message: Message) -> None:
        running.heard = self._clock()
        match message:
            case Progressed():
                self._queue.update(running.job.id, save=False, progress=message.progress)
            case Planned():
                self._queue.update(running.job.id, needs=message.needs)
            case Ended(how="done"):
                self._finish(running, JobState.DONE, "", message)
            case Ended(how="failed"):
                self._finish(running, JobState.FAILED, message.error)
            case Ended():
                self._stopped(running, "its process was told to stop from outside")
            case Crashed():
                self._stopped(running, message.error)

    def _stopped(self, running: _Running, reason: str) -> None:
        """Judge a worker that ended without having done its job: was it asked to, is there another attempt?"""
        if running.verdict is not None:
            self._queue.update(running.job.id, save=False, attempts=0)
            self._finish(running, running.verdict, "")
        elif running.job.attempts < self._limits.attempts:
            self._finish(running, JobState.PENDING, f"{reason}; it goes on from what was committed")
        else:
            times = f", {running.job.attempts} times" if running.job.attempts > 1 else ""
            retry = f"run.py queue retry {running.job.id}"
            self._finish(running, JobState.FAILED, f"{reason}{times}; what was committed is kept, to go on: {retry}")

    def _end_by_force(self, running: _Running, reason: str) -> None:
        running.execution.kill()
        last = [message for message in running.execution.messages() if isinstance(message, Ended)]
        if last and last[0].how != "cancelled":
            self._take(running, last[0])
        else:
            self._stopped(running, reason)

    def _finish(self, running: _Running, state: JobState, error: str, ended: Ended | None = None) -> None:
        del self._running[running.device]
        if ended:
            self._queue.update(running.job.id, save=False, result=ended.result)
        self._queue.update(
            running.job.id,
            state=state,
            error=error,
            ended=now(),
            seconds=round(self._clock() - running.started, 3),
            worker=None,
        )
        self._tell(running.job, ENDS[state])

    def _tell(self, job: Job, what: Event) -> None:
        """Tell the observers what has happened to a job."""
        with suppress(JobNotFoundError):
            job = self._queue.get(job.id)
        for observer in self._observers:
            try:
                observer(job, what)
            except Exception:
                LOG.exception("an observer failed", job_id=job.id)

    def _ask_to_stop(self, running: _Running, verdict: JobState) -> None:
        if running.asked is None:
            running.asked = self._clock()
            running.execution.send(Control.CANCEL)
        if running.verdict is not JobState.CANCELLED:
            running.verdict = verdict

    def _pause(self, device: str) -> None:
        """Tell the job on `device` to wait or to go on, as users wait or not."""
        running = self._running.get(device)
        wanted = self._waiting_users[device] > 0
        if running is not None and running.paused != wanted:
            running.paused = wanted
            running.heard = self._clock()
            running.execution.send(Control.PAUSE if wanted else Control.RESUME)
