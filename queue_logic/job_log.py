"""Each job's own log, logs/job-<id>.log: what its worker says and prints, and what the queue's owner says of it.

Both only append, and only the owner, while no worker has the file, begins it anew or makes it shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.filesize import decimal

from atomic import write_bytes
from errors import JobNotFoundError
from log import LOG, about, line, without_secrets
from queue_logic.events import Event
from queue_logic.job import Job

FILES, ALL_BYTES = 200, 200_000_000
"""Jobs' logs that are kept, and their bytes; the oldest go."""
KEPT_BYTES = 1_000_000
"""Of a job's log from earlier attempts, when another one begins."""
READ_BYTES = 2_000_000
"""Of a log, from its end, that are read for people."""
OUTPUT = "output"
"""Level of what a library has printed."""
LEVELS = ("debug", "info", OUTPUT, "warning", "error", "critical")
"""From the least to the most."""
_KNOWN = ("time", "level", "event")
_BOUND = ("session_id", "job_id", "kind", "created")
"""The same in each line of a job's log."""
_FIRST = "job starts"
EVENTS: dict[Event, str] = {
    "started": _FIRST,
    "resumed": "job goes on",
    "crashed": "job crashed, it will be tried again",
    "done": "job done",
    "failed": "job failed",
    "cancelled": "job cancelled",
    "interrupted": "job interrupted",
}
"""What the log says of each event."""


@dataclass(frozen=True)
class Line:
    """One line of a log."""

    event: str
    level: str = OUTPUT
    time: str = ""
    """UTC, ISO 8601; empty where a library has printed it."""
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def details(self) -> str:
        """Return the values as people read them, without those that are the same in each line; a traceback last."""
        plain = {key: value for key, value in self.values.items() if key not in (*_BOUND, "exception")}
        parts = [f"{key.removesuffix('_bytes')}={_shown(key, value)}" for key, value in plain.items()]
        trace = self.values.get("exception")
        return " ".join(parts) + (f"\n{trace}" if trace else "")

    def data(self) -> dict[str, Any]:
        """Return it as the file has it."""
        return {"time": self.time, "level": self.level, "event": self.event, **self.values}


def log_path(workspace: Path, job_id: str) -> Path:
    """Return where the log of a job is.

    Raises:
        JobNotFoundError: that is no job's id.
    """
    if not re.fullmatch(r"\w{1,40}", job_id, re.ASCII):
        raise JobNotFoundError(f"there is no job '{job_id[:20]}'; run.py queue list shows them")
    return workspace / "logs" / f"job-{job_id}.log"


class JobLogs:
    """Writes what the queue's owner says of jobs, into their logs and into its own; an observer of QueueRunner."""

    def __init__(self, workspace: Path) -> None:
        self._workspace = workspace

    def __call__(self, job: Job, what: Event) -> None:
        """Say that something has happened to a job."""
        level = {"failed": "error", "crashed": "warning"}.get(what, "info")
        values = _values(job, what)
        with suppress(OSError, JobNotFoundError):  # a full disk: the job goes on without its log
            path = log_path(self._workspace, job.id)
            if what in ("started", "resumed"):
                path.parent.mkdir(parents=True, exist_ok=True)
                _begin(path, job)
                prune(path.parent, keep=[path])
            ids = {"session_id": job.session_id, "job_id": job.id, "kind": job.kind}
            with path.open("a", encoding="utf-8") as file:
                file.write(line(level, EVENTS[what], **ids, **values) + "\n")
        with about(session_id=job.session_id, job_id=job.id, kind=job.kind):
            getattr(LOG, level)(EVENTS[what], **values)


class JobLog:
    """Reads a job's log, as it grows."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at: int | None = None
        self.cut = False
        """Whether it was longer than is read."""

    def read(self, *, all_of_it: bool = False) -> list[Line]:
        """Return the lines since the last call; of the first call the last ones, where there are very many.

        Args:
            all_of_it: take a last line that has no end yet.
        """
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, 2)
                first = self._at is None or self._at > size  # it was begun anew
                begin = max(0, size - READ_BYTES) if first else self._at or 0
                file.seek(begin)
                raw = file.read(READ_BYTES)
        except OSError:
            return []
        self.cut = self.cut or bool(first and begin)
        if first and begin:
            skipped = raw.find(b"\n") + 1
            begin, raw = begin + skipped, raw[skipped:]
        end = len(raw) if all_of_it or len(raw) == READ_BYTES else raw.rfind(b"\n") + 1
        self._at = begin + end
        return [parse(text) for text in raw[:end].decode("utf-8", "replace").split("\n") if text.strip()]


def parse(text: str) -> Line:
    """Return a line of a log; whatever is none of ours is output."""
    if text.startswith("{"):
        with suppress(ValueError, RecursionError):
            data = json.loads(text)
            if all(isinstance(data.get(key), str) for key in _KNOWN) and data["level"] in LEVELS:
                return Line(
                    data["event"], data["level"], data["time"], {k: v for k, v in data.items() if k not in _KNOWN}
                )
    printed = text.rstrip("\r").rpartition("\r")[2]  # of a progress bar its last state
    return Line(without_secrets("".join(c if c.isprintable() or c == "\t" else " " for c in printed)))


def prune(folder: Path, keep: Iterable[Path] = ()) -> None:
    """Delete the oldest logs of jobs where there are too many, or too much."""
    entries = []
    for path in folder.glob("job-*.log"):
        with suppress(OSError):
            stat = path.stat()
            entries.append((stat.st_mtime_ns, stat.st_size, path))
    count, held, kept = 0, 0, set(keep)
    for _, size, path in sorted(entries, reverse=True):
        count, held = count + 1, held + size
        if (count > FILES or held > ALL_BYTES) and path not in kept:
            with suppress(OSError):
                path.unlink()


def _begin(path: Path, job: Job) -> None:
    """Make the log ready for an attempt: another job's of the same id goes, a long one loses its beginning."""
    created = job.created.isoformat()
    with suppress(FileNotFoundError):
        with path.open("rb") as file:
            first = parse(file.readline(READ_BYTES).decode("utf-8", "replace"))
        if first.values.get("created") != created:
            path.unlink()
        shorten(path, created=created)


def shorten(path: Path, **values: object) -> None:
    """Leave out the beginning of a log that is long and that no process writes now; the first line says so."""
    with suppress(OSError):
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - KEPT_BYTES))
            end = file.read()
        if size > KEPT_BYTES:
            head = line("info", "earlier lines were left out", **values)
            write_bytes(path, head.encode() + b"\n" + end[end.find(b"\n") + 1 :], durable=False)


def _values(job: Job, what: Event) -> dict[str, Any]:
    if what in ("started", "resumed"):
        return {
            "attempt": job.attempts,
            "device": job.device,
            "parameters": job.parameters,
            "created": job.created.isoformat(),
        }
    values: dict[str, Any] = {"seconds": job.seconds}
    return values | ({"error": job.error} if job.error else {})


def _shown(key: str, value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal(int(value)) if key.endswith("_bytes") else f"{value:.10g}"
    if isinstance(value, dict):
        return ", ".join(f"{name}: {entry}" for name, entry in value.items()) or "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
