"""Processes by name: who they are, whether they are still there, and how to end them."""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil
from pydantic import BaseModel

_PATIENCE = 2.0
_TICK = 0.02
"""Seconds within which two readings of the same start agree."""


class ProcessRecord(BaseModel):
    """One process of one machine, never mistaken for a later one that has got the same number."""

    pid: int
    host: str
    name: str = ""
    created: float = 0.0
    """The process's start in seconds since the epoch. Where the clock is set, some systems move it along …"""
    since_boot: float = 0.0
    """… and others keep it, so that it is this difference that moves."""

    @classmethod
    def of(cls, pid: int) -> ProcessRecord:
        """Return the record of a process of this machine."""
        host = socket.gethostname()
        try:
            process = psutil.Process(pid)
            created = process.create_time()
            if process.status() == psutil.STATUS_ZOMBIE:  # it has ended; only its number is not free yet
                return cls(pid=pid, host=host)
            return cls(
                pid=pid, host=host, name=process.name(), created=created, since_boot=created - psutil.boot_time()
            )
        except psutil.Error:
            return cls(pid=pid, host=host)

    def is_here(self) -> bool:
        """Tell whether that very process runs on this machine now."""
        if self.host != socket.gethostname() or not psutil.pid_exists(self.pid):
            return False
        there = ProcessRecord.of(self.pid)
        same = abs(there.created - self.created) < _TICK or abs(there.since_boot - self.since_boot) < _TICK
        return same and there.name == self.name != ""


def kill_family(pid: int) -> list[psutil.Process]:
    """Kill a process and its descendants at once; return them. Whoever started it waits for its end."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
    for member in family:
        with suppress(psutil.NoSuchProcess):
            member.kill()
    return family


def end_leftover(record: ProcessRecord) -> None:
    """Kill a process that has outlived the one that started it, if it is there, and wait until it is gone."""
    if record.is_here():
        psutil.wait_procs(kill_family(record.pid), timeout=_PATIENCE)


def held_bytes(pid: int) -> int:
    """Return the memory that a process holds now; 0 if it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
