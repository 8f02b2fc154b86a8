"""Structured logs: one JSON object a line, in bounded files; never a secret in them, never an error of theirs.

A line has time (UTC, ISO 8601), level, event, and what is bound: session_id, job_id, kind, stage. Who says something
takes `LOG`; where it goes is decided once per process: `to_file` for what serves or runs the queue, `to_job_file` for a
worker. Where nothing is decided, as in plain commands, it goes nowhere.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any
from urllib.parse import quote

import structlog
from filelock import FileLock, Timeout
from pydantic import SecretStr

from config import Settings, get_settings
from errors import SplazMatteError

FILE_BYTES, FILES = 5_000_000, 5
"""Of app.log and queue.log: the size at which another one is begun, and how many are kept."""
LONGEST = 20_000
"""Characters of one value; of longer ones the beginning and the end are kept."""
HIDDEN = "••••••"
_MOST_WRITERS = 9
"""Processes that write the logs of one name, each its own file."""
_SHORT = 8
"""Characters below which a secret is only looked for as a whole word: else it would be seen from what is missing."""
_QUERY = re.compile(r"(\b[a-z]\w{1,9}://[^\s?\"'<>]{1,2000})\?[^\s\"'<>]+", re.I)
"""An address with a query; bounded, so that no text takes long."""
_ORDER = ("time", "level", "event", "session_id", "job_id", "kind", "stage")

about = structlog.contextvars.bound_contextvars
"""A context in which every line of this thread has the given values."""
bind, unbind = structlog.contextvars.bind_contextvars, structlog.contextvars.unbind_contextvars
"""The same until something else is said."""

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
]
logging.getLogger("splazmatte.run").addHandler(logging.NullHandler())  # else warnings go to stderr by themselves
LOG: structlog.stdlib.BoundLogger = structlog.wrap_logger(
    logging.getLogger("splazmatte.run"),
    processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    wrapper_class=structlog.stdlib.BoundLogger,
)
"""Says events with values: LOG.info("stage begins", frames=20)."""


@contextmanager
def to_file(folder: Path, name: str) -> Iterator[Path | None]:
    """Let this process write `folder`/<name>.log while the block runs, in rotation; others' lines of warning level too.

    Several processes never share a file: the second one writes <name>-2.log. Where the disk is full or read-only,
    lines are lost and nothing else happens.
    """
    lock, path = _own_file(folder, name)
    try:
        if path is None:
            yield None
            return
        with _listening(_File(path, FILE_BYTES, FILES - 1)):
            yield path
    finally:
        if lock is not None:
            lock.release()


@contextmanager
def to_console() -> Iterator[None]:
    """Show warnings and errors on stderr while the block runs, for who has started this process by hand."""
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)
    handler.setFormatter(_formatter({}, _as_text))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


@contextmanager
def to_job_file(path: Path, **bound: object) -> Iterator[None]:
    """Append what this process says to `path` while the block runs; each line has the values of `bound` too."""
    with _listening(_File(path, 0, 0), bound):
        yield


def line(level: str, event: str, **values: object) -> str:
    """Return a line as the files have it, without its end."""
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return _as_json({"time": moment, "level": level, "event": event, **values})


def without_secrets(text: str) -> str:
    """Return `text` without the values of secret settings, and without the queries of addresses, which may sign."""
    pattern = _pattern()
    if pattern is not None:
        text = pattern.sub(HIDDEN, text)
    return _QUERY.sub(r"\1?…", text)


def level_number() -> int:
    """Return the level that the settings ask for; that of info where they cannot be read."""
    with suppress(SplazMatteError):
        return int(getattr(logging, get_settings().log_level.upper()))
    return logging.INFO


class _File(RotatingFileHandler):
    """A file that is begun anew when it is full, or gone; whatever goes wrong with it is nobody's error."""

    def __init__(self, path: Path, most_bytes: int, more: int) -> None:
        super().__init__(path, maxBytes=most_bytes, backupCount=more, encoding="utf-8", errors="replace", delay=True)

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802 - logging's name
        """Tell whether another file is to be begun."""
        if self.stream is not None and not Path(self.baseFilename).exists():  # somebody has cleaned up
            self._drop()
        return bool(super().shouldRollover(record))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Lose the line, and begin anew with the next one."""
        self._drop()

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError, ValueError):
            super().close()

    def _drop(self) -> None:
        stream, self.stream = self.stream, None
        with suppress(OSError, ValueError):
            if stream is not None:
                stream.close()


@contextmanager
def _listening(handler: logging.Handler, bound: Mapping[str, object] | None = None) -> Iterator[None]:
    """Have the handler take every library's warnings, and all that `LOG` says from the level that is set on."""
    level, ours, root = level_number(), logging.getLogger("splazmatte"), logging.getLogger()
    handler.setLevel(level)
    handler.setFormatter(_formatter(bound or {}, _as_json))
    before = ours.level
    ours.setLevel(level)
    root.addHandler(handler)
    logging.captureWarnings(True)
    for chatty in ("httpx", "httpcore"):  # they would log addresses
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        yield
    finally:
        logging.captureWarnings(False)
        root.removeHandler(handler)
        ours.setLevel(before)
        handler.close()


def _formatter(bound: Mapping[str, object], show: Callable[[Mapping[str, Any]], str]) -> logging.Formatter:
    def bind(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        return {**bound, **event}

    def render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
        return show(event)

    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            bind,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            render,
        ],
    )


def _as_json(event: Mapping[str, Any]) -> str:
    """Return an event as JSON, without secrets; what JSON has no form for is written as Python shows it."""
    first = {key: event[key] for key in _ORDER if key in event}
    return json.dumps(_clean({**first, **event}), ensure_ascii=False, default=lambda value: _clean(str(value)))


def _as_text(event: Mapping[str, Any]) -> str:
    """Return an event for people: level, event, values, and where it arose."""
    clean = _clean(event)
    values = [f"{key}={value}" for key, value in clean.items() if key not in ("time", "level", "event", "exception")]
    trace = [clean["exception"]] if "exception" in clean else []
    return "\n".join([" ".join([f"{clean['level']}: {clean['event']}", *values]), *trace])


def _clean(value: Any) -> Any:
    """Return a value without secrets anywhere in it, and without texts that are too long."""
    if isinstance(value, SecretStr):
        return HIDDEN
    if isinstance(value, str):
        return _cut(without_secrets(str(value)))  # in this order: no secret is cut in two and overlooked
    if isinstance(value, Mapping):
        return {without_secrets(str(key)): _clean(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(entry) for entry in value]
    return value


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 4]} … {text[-LONGEST * 3 // 4 :]}"


_found: list[tuple[Settings, re.Pattern[str] | None]] = []
"""The settings that were looked at last, and what finds their secrets: each line asks many times."""


def _pattern() -> re.Pattern[str] | None:
    """Return what finds the values of all secret settings; None where none is set."""
    try:
        settings = get_settings()
    except SplazMatteError:  # then nothing starts that could know one
        return None
    if not _found or _found[0][0] is not settings:
        _found[:] = [(settings, _finder(settings))]
    return _found[0][1]


def _finder(settings: Settings) -> re.Pattern[str] | None:
    forms: set[str] = set()
    for name in Settings.model_fields:
        if isinstance(value := getattr(settings, name), SecretStr):
            secret = value.get_secret_value()
            forms |= {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}
            forms |= {secret.rstrip("/").rpartition("/")[2]} if "://" in secret else set()
    order = sorted(forms - {""}, key=len, reverse=True)
    whole = [re.escape(text) if len(text) >= _SHORT else rf"(?<!\w){re.escape(text)}(?!\w)" for text in order]
    return re.compile("|".join(whole)) if whole else None


def _own_file(folder: Path, name: str) -> tuple[FileLock | None, Path | None]:
    """Return a file that no other process writes, with the lock that says so; (None, None) where there is none."""
    for number in range(1, _MOST_WRITERS + 1):
        path = folder / (f"{name}.log" if number == 1 else f"{name}-{number}.log")
        lock = FileLock(folder / f".{path.stem}.lock", blocking=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            return lock, path
        except Timeout:
            continue
        except (OSError, NotImplementedError):
            break
    return None, None
