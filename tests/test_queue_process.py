"""Processes are told apart, also when numbers come again or the clock is set."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from queue_logic import ProcessRecord
from queue_logic.process import end_leftover, held_bytes


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    code = "print(flush=True); input()"  # it is up, with all its memory, once it has said something
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout and process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_a_process_is_itself_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    record = ProcessRecord.of(sleeper.pid)
    assert record.is_here() and held_bytes(sleeper.pid) > 1e6
    sleeper.kill()
    psutil.Process(sleeper.pid).wait()
    assert not record.is_here() and held_bytes(sleeper.pid) == 0


@pytest.mark.parametrize("change", [{"created": 1.0, "since_boot": 1.0}, {"name": "init"}, {"host": "elsewhere"}])
def test_another_process_of_the_same_number_is_left_alone(
    sleeper: subprocess.Popen[bytes], change: dict[str, object]
) -> None:
    record = ProcessRecord.of(sleeper.pid).model_copy(update=change)
    assert not record.is_here()
    end_leftover(record)
    assert sleeper.poll() is None


@pytest.mark.parametrize("boot_moves", [True, False])
def test_a_clock_that_is_set_back_changes_no_process(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, boot_moves: bool
) -> None:
    """Linux reckons both the boot and a process's start by the clock as it is now; others keep the start."""
    record, booted = ProcessRecord.of(sleeper.pid), psutil.boot_time()
    started = psutil.Process.create_time
    if boot_moves:
        monkeypatch.setattr(psutil.Process, "create_time", lambda process: started(process) - 3600)
    monkeypatch.setattr(psutil, "boot_time", lambda: booted - 3600)
    assert record.is_here()


def test_a_leftover_is_ended_and_waited_for(sleeper: subprocess.Popen[bytes]) -> None:
    end_leftover(ProcessRecord.of(sleeper.pid))
    assert not psutil.pid_exists(sleeper.pid)
    end_leftover(ProcessRecord(pid=2**22 + 7, host=ProcessRecord.of(os.getpid()).host))
