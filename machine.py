"""What this machine has: memory, disk, processors; inside a container, what is left of them there."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Protocol

RECIPES = "start.bat" if os.name == "nt" else "./start.sh"
"""What runs a recipe of the justfile, for messages: everybody has it, not everybody has just."""
_ROOT = Path("/")
_M_ARENA_MAX = -8
"""mallopt's name for the number of heaps, from glibc's malloc.h."""


class _Memory(Protocol):
    """What psutil.virtual_memory() returns."""

    total: int
    available: int


def memory_total() -> int:
    """Return the bytes of memory that this process can ever have."""
    return min([_virtual_memory().total, *(limit for limit, _ in _cgroup_limits(_ROOT))])


def memory_available() -> int:
    """Return the bytes of memory that can be taken now without swapping."""
    return min([_virtual_memory().available, *(max(0, limit - used) for limit, used in _cgroup_limits(_ROOT))])


def memory_used() -> int:
    """Return the bytes of memory that this process holds now."""
    import psutil

    return int(psutil.Process().memory_info().rss)


def disk_free(path: Path) -> int:
    """Return the bytes that can be written to the disk of `path`, which need not exist yet."""
    absolute = path.absolute()
    places = (absolute, *absolute.parents)
    return shutil.disk_usage(next(place for place in places if os.path.exists(place))).free  # noqa: PTH110 - any name


def cpu_count() -> int:
    """Return the number of processors that this process may run on: libraries start that many threads."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_heaps() -> None:
    """Let the threads of this process share two heaps, where its C library is glibc.

    By default each thread gets one of its own, and the frames that one has freed are no use to another: a run of 720p
    takes 5 to 12 % more memory like that, in the same time.
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


@cache
def fingerprint() -> str:
    """Return a name for machines of one speed: processor and how many of them.

    Not the host's name: a container has another one at each start, and machines of a kind may share what they learned.
    """
    return f"{_processor()} x{cpu_count()}"


def _processor() -> str:
    try:
        lines = (_ROOT / "proc/cpuinfo").read_text().splitlines()
    except (OSError, ValueError):
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine() or "unknown"


def _virtual_memory() -> _Memory:
    import psutil

    memory: _Memory = psutil.virtual_memory()
    return memory


def _cgroup_limits(root: Path) -> list[tuple[int, int]]:
    """Return (limit, used) in bytes of each control group around this process that has a limit.

    Args:
        root: the file system's; tests bring their own.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return []
    found = []
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, name = rest.partition(":")
        if not controllers:
            mount, files = "sys/fs/cgroup", ("memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            mount, files = "sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        place = Path(name.lstrip("/"))
        # Any group above may have the limit. Inside a container the name may be the host's, and only the mount is ours.
        found += [_limit(root / mount / folder, *files) for folder in (place, *place.parents)]
    return [entry for entry in dict.fromkeys(found) if entry is not None]


def _limit(folder: Path, limit_file: str, used_file: str, prefix: str) -> tuple[int, int] | None:
    """Return (limit, used) of one control group, or None where it has no limit."""
    try:
        limit, used = int((folder / limit_file).read_text()), int((folder / used_file).read_text())
        stat = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):  # no such group; "max"
        return None
    # The group's file cache counts as used, but gives way.
    cache_bytes = sum(int(stat.get(f"{prefix}{kind}_file", 0)) for kind in ("active", "inactive"))
    return limit, max(0, used - cache_bytes)
