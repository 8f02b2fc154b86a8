"""What Prometheus reads: in a registry of its own, with labels whose values are few.

What the queue and the machine are is looked up when it is asked for. What jobs have taken is counted when they end:
told by the queue's runner, or, where another process runs the queue, found in its list at the next look.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily
from prometheus_client.exposition import choose_encoder

from config import VERSION
from engines.devices import job_devices
from machine import disk_free
from matting_runner.progress import Stage
from queue_logic import Job, JobState, read_jobs
from tracking_runner.stages import STAGES

KINDS = {"matting": tuple(str(stage) for stage in Stage), "tracking": tuple(STAGES), "upload": ()}
"""Stages by kind of job: whatever else a file may hold counts as 'other'."""
OTHER = "other"
FRAME_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
JOB_BUCKETS = (1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 12 * 3600)
_REMEMBERED = 10_000
"""Ends of jobs that are known to be counted, before those that are no longer in the list are forgotten."""
_End = tuple[str, datetime, datetime | None]
Processes = Callable[[], Iterable[tuple[str, str, int]]]
"""Gives (what, device, process id) of the processes beside this one and the workers."""


class Metrics:
    """Counts, and answers.

    Args:
        workspace: the folder of queue.json.
        processes: further processes whose memory counts.
    """

    def __init__(self, workspace: Path, processes: Processes = tuple) -> None:
        self.processes = processes
        self._workspace = workspace
        self._registry = CollectorRegistry()
        self._lock = threading.Lock()
        self._counted: set[_End] = set()
        self._seconds = self._counter("stage_seconds", "Seconds that jobs have spent in a stage", ("kind", "stage"))
        self._frames = self._counter("stage_frames", "Frames that jobs have done in a stage", ("kind", "stage"))
        self._ended = self._counter("jobs_ended", "Jobs that have ended, by how", ("kind", "state"))
        self._pace = Histogram(
            "splazmatte_stage_seconds_per_frame", "Seconds a frame of a stage, once for each job",
            ("kind", "stage"), registry=self._registry, buckets=FRAME_BUCKETS,
        )  # fmt: skip
        self._duration = Histogram(
            "splazmatte_job_duration_seconds", "Seconds that a job's last attempt ran",
            ("kind", "state"), registry=self._registry, buckets=JOB_BUCKETS,
        )  # fmt: skip
        for job in read_jobs(workspace):  # what ended before is not this process's to count
            self._is_new(job)
        self._registry.register(self)

    def observe(self, job: Job, what: str) -> None:
        """Count what a job has taken; an observer of QueueRunner."""
        if what in ("done", "failed", "cancelled"):
            self._count(job)

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """Return all metrics and their content type, in the form that an Accept header asks for."""
        jobs = read_jobs(self._workspace)
        for job in jobs:
            self._count(job)
        with self._lock:
            if len(self._counted) > _REMEMBERED:
                self._counted &= {_end(job) for job in jobs}
        encode, kind = choose_encoder(accept)
        return encode(self._registry), kind

    def collect(self) -> Iterator[GaugeMetricFamily | InfoMetricFamily]:
        """Yield what is looked up; a collector of prometheus_client."""
        jobs = read_jobs(self._workspace)
        yield InfoMetricFamily("splazmatte_build", "What this is", {"version": VERSION, "python": _python()})
        yield _jobs(jobs)
        waiting = sum(job.state.is_waiting for job in jobs)
        yield GaugeMetricFamily("splazmatte_queue_length", "Jobs that wait", value=waiting)
        left = sum(job.needs.seconds for job in jobs if job.state.is_waiting and job.needs)
        left += sum(job.progress.seconds_left or 0 for job in jobs if job.state is JobState.RUNNING)
        yield GaugeMetricFamily("splazmatte_queue_work_seconds", "Seconds of work that is left, estimated", value=left)
        yield from self._memory(jobs)
        with suppress(OSError):
            free = disk_free(self._workspace)
            yield GaugeMetricFamily("splazmatte_disk_free_bytes", "Free on the workspace's disk", value=free)
        devices = GaugeMetricFamily("splazmatte_device", "1 for each device that jobs run on", labels=("device",))
        for name in job_devices():
            devices.add_metric((name,), 1)
        yield devices

    def _memory(self, jobs: list[Job]) -> Iterator[GaugeMetricFamily]:
        labels = ("process", "device")
        now = GaugeMetricFamily("splazmatte_process_resident_memory_bytes", "Memory that is held", labels=labels)
        peak = GaugeMetricFamily("splazmatte_process_peak_memory_bytes", "The most that was held", labels=labels)
        workers = [("worker", j.device, j.worker.pid) for j in jobs if j.worker and j.worker.is_here()]
        for what, device, pid in [("app", "", os.getpid()), *workers, *self.processes()]:
            with suppress(psutil.Error, OSError):
                now.add_metric((what, device), psutil.Process(pid).memory_info().rss)
                most = _peak(pid)
                if most is not None:
                    peak.add_metric((what, device), most)
        yield from (now, peak)

    def _count(self, job: Job) -> None:
        with self._lock:
            if not job.state.is_finished or not self._is_new(job):
                return
        kind = job.kind if job.kind in KINDS else OTHER
        self._ended.labels(kind, job.state.value).inc()
        if job.seconds > 0:
            self._duration.labels(kind, job.state.value).observe(job.seconds)
        frames = _numbers(job.result.get("stage_frames"))
        for stage, seconds in _numbers(job.result.get("seconds")).items():
            name = stage if stage in KINDS.get(kind, ()) else OTHER
            self._seconds.labels(kind, name).inc(seconds)
            if done := frames.get(stage):
                self._frames.labels(kind, name).inc(done)
                self._pace.labels(kind, name).observe(seconds / done)

    def _is_new(self, job: Job) -> bool:
        """Tell whether this end of a job was not counted yet, and take it for counted."""
        if not job.state.is_finished or job.ended is None:
            return False
        if _end(job) in self._counted:
            return False
        self._counted.add(_end(job))
        return True

    def _counter(self, name: str, text: str, labels: tuple[str, ...]) -> Counter:
        return Counter(f"splazmatte_{name}", text, labels, registry=self._registry)


def _end(job: Job) -> _End:
    return job.id, job.created, job.ended


def _jobs(jobs: list[Job]) -> GaugeMetricFamily:
    family = GaugeMetricFamily("splazmatte_jobs", "Jobs in the queue's list", labels=("kind", "state"))
    kinds = [job.kind if job.kind in KINDS else OTHER for job in jobs]
    for kind in [*KINDS, *([OTHER] if OTHER in kinds else [])]:
        for state in JobState:
            count = sum(k == kind and job.state is state for k, job in zip(kinds, jobs, strict=True))
            family.add_metric((kind, state.value), count)
    return family


def _numbers(value: object) -> dict[str, float]:
    """Return what is a number of what should be numbers by stage."""
    if not isinstance(value, dict):
        return {}
    return {str(key): float(entry) for key, entry in value.items() if isinstance(entry, int | float) and entry >= 0}


def _peak(pid: int) -> int | None:
    """Return the most memory that a process has held, where the system tells."""
    if os.name == "nt":
        with suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().peak_wset)
    with suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None


def _python() -> str:
    return ".".join(str(part) for part in sys.version_info[:3])
