from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

import machine

GB = 10**9


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file system of its own, on a machine with 16 GB of which 10 are free."""
    monkeypatch.setattr(machine, "_ROOT", tmp_path)
    monkeypatch.setattr(machine, "_virtual_memory", lambda: SimpleNamespace(total=16 * GB, available=10 * GB))
    return tmp_path


def write(root: Path, files: dict[str, object]) -> None:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")


def test_without_control_groups_the_whole_machine_counts(root: Path) -> None:
    assert (machine.memory_total(), machine.memory_available()) == (16 * GB, 10 * GB)


def test_a_container_has_what_its_group_leaves(root: Path) -> None:
    group = "sys/fs/cgroup"
    write(root, {
        "proc/self/cgroup": "0::/", f"{group}/memory.max": 4 * GB, f"{group}/memory.current": 3 * GB,
        f"{group}/memory.stat": f"anon {GB}\nactive_file {GB // 2}\ninactive_file {GB}",
    })  # fmt: skip
    assert machine.memory_total() == 4 * GB
    assert machine.memory_available() == 4 * GB - (3 * GB - GB - GB // 2), "the file cache gives way"


def test_the_limit_may_be_on_a_group_further_up(root: Path) -> None:
    group = "sys/fs/cgroup/user.slice"
    write(root, {
        "proc/self/cgroup": "0::/user.slice/app.scope",
        f"{group}/app.scope/memory.max": "max", f"{group}/app.scope/memory.current": GB,
        f"{group}/app.scope/memory.stat": "anon 0",
        f"{group}/memory.max": 8 * GB, f"{group}/memory.current": 5 * GB, f"{group}/memory.stat": "anon 0",
    })  # fmt: skip
    assert (machine.memory_total(), machine.memory_available()) == (8 * GB, 3 * GB)


@pytest.mark.parametrize(("limit", "expected"), [(2 * GB, (2 * GB, GB)), (2**63 - 4096, (16 * GB, 10 * GB))])
def test_version_1_and_its_word_for_no_limit(root: Path, limit: int, expected: tuple[int, int]) -> None:
    group = "sys/fs/cgroup/memory"
    write(root, {
        "proc/self/cgroup": "12:cpu,cpuacct:/docker/1f\n5:memory:/docker/1f\n1:name=systemd:/docker/1f",
        f"{group}/memory.limit_in_bytes": limit, f"{group}/memory.usage_in_bytes": GB + GB // 2,
        f"{group}/memory.stat": f"inactive_file 1\ntotal_inactive_file {GB // 2}",
    })  # fmt: skip
    assert (machine.memory_total(), machine.memory_available()) == expected


def test_a_group_that_holds_more_than_its_limit_has_nothing_left(root: Path) -> None:
    write(root, {
        "proc/self/cgroup": "0::/", "sys/fs/cgroup/memory.max": GB, "sys/fs/cgroup/memory.current": 2 * GB,
        "sys/fs/cgroup/memory.stat": "anon 0",
    })  # fmt: skip
    assert machine.memory_available() == 0


@pytest.mark.parametrize("text", ["", "nonsense", "0::"])
def test_odd_lists_of_groups_do_no_harm(root: Path, text: str) -> None:
    write(root, {"proc/self/cgroup": text})
    assert machine.memory_total() == 16 * GB


def test_this_machine() -> None:
    assert 0 < machine.memory_available() <= machine.memory_total()
    assert 10**6 < machine.memory_used() < machine.memory_total()
    assert 1 <= machine.cpu_count() <= (os.cpu_count() or 1)
    assert machine.fingerprint().endswith(f"x{machine.cpu_count()}")


def test_disk_of_a_folder_that_is_not_there_yet(tmp_path: Path) -> None:
    assert machine.disk_free(tmp_path / "not" / "yet") > 0


def test_processors_name(root: Path) -> None:
    write(root, {"proc/cpuinfo": "processor\t: 0\nmodel name\t: Slow CPU @ 1 Hz\nmodel name\t: Slow CPU @ 1 Hz"})
    assert machine._processor() == "Slow CPU @ 1 Hz"
    (root / "proc/cpuinfo").unlink()
    assert machine._processor()
