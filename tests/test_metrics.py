"""What Prometheus reads: read back by its own parser; counted once, whoever runs the queue; few labels."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_families
from prometheus_client.parser import text_string_to_metric_families

from app_logic.watch.metrics import KINDS, Metrics
from app_logic.watch.watch import Watch
from cli.queue import STAGES
from config import Settings
from queue_logic import Job, JobQueue, JobState, Needs, ProcessRecord

CREATED = datetime(2026, 1, 1, tzinfo=UTC)


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    """Return {(name, label values …): value}, as Prometheus understands it."""
    data, kind = metrics.exposition()
    assert kind.startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(data.decode())
        for sample in family.samples
    }


def finish(queue: JobQueue, job_id: str, state: JobState = JobState.DONE, **more: Any) -> Job:
    queue.update(job_id, state=state, ended=datetime.now(UTC), **more)
    return queue.get(job_id)


RESULT = {"seconds": {"matte": 6.0, "frames": 0}, "stage_frames": {"matte": 60.0, "frames": 0}, "frames": 60}


def test_jobs_queue_and_machine_are_looked_up(tmp_path: Path) -> None:
    metrics, queue = Metrics(tmp_path), JobQueue(tmp_path)
    needs = Needs(memory_bytes=1, disk_bytes=1, seconds=30)
    for number in range(3):
        queue.add("matting", f"s{number}", needs=needs)
    queue.add("unheard of", "s")
    queue.update("1", state=JobState.RUNNING, device="cpu", worker=ProcessRecord.of(os.getpid()))
    found = samples(metrics)
    assert found["splazmatte_jobs", "matting", "pending"] == 2 and found["splazmatte_jobs", "matting", "running"] == 1
    assert found["splazmatte_jobs", "other", "pending"] == 1 and found["splazmatte_jobs", "tracking", "done"] == 0
    assert found["splazmatte_queue_length",] == 3 and found["splazmatte_queue_work_seconds",] == 60
    for process in (("", "app"), ("cpu", "worker")):
        held = found["splazmatte_process_resident_memory_bytes", *process]
        assert 1e7 < held <= found.get(("splazmatte_process_peak_memory_bytes", *process), held)
    assert found["splazmatte_disk_free_bytes",] > 0 and found["splazmatte_device", "cpu"] == 1
    assert [name for name, *_ in found if name == "splazmatte_build_info"]


def test_an_end_is_counted_once_whoever_tells_of_it(tmp_path: Path) -> None:
    metrics, queue = Metrics(tmp_path), JobQueue(tmp_path)
    queue.add("matting", "s0")
    queue.add("matting", "s1")
    metrics.observe(finish(queue, "1", result=RESULT, seconds=7.5), "done")
    finish(queue, "2", result=RESULT, seconds=2.5)  # by another process: found in the list
    for _ in range(2):
        found = samples(metrics)
    assert found["splazmatte_stage_seconds_total", "matting", "matte"] == 12
    assert found["splazmatte_stage_frames_total", "matting", "matte"] == 120
    assert found["splazmatte_stage_seconds_per_frame_count", "matting", "matte"] == 2
    assert found["splazmatte_stage_seconds_per_frame_sum", "matting", "matte"] == pytest.approx(0.2)
    assert found["splazmatte_job_duration_seconds_sum", "matting", "done"] == 10
    assert found["splazmatte_jobs_ended_total", "matting", "done"] == 2
    queue.reset("1")
    metrics.observe(finish(queue, "1", JobState.FAILED, seconds=1.0), "failed")
    assert samples(metrics)["splazmatte_jobs_ended_total", "matting", "failed"] == 1


def test_what_ended_before_the_start_is_not_counted(tmp_path: Path) -> None:
    queue = JobQueue(tmp_path)
    queue.add("matting", "s0")
    finish(queue, "1", result=RESULT, seconds=7.5)
    assert ("splazmatte_jobs_ended_total", "matting", "done") not in samples(Metrics(tmp_path))


@pytest.mark.parametrize(
    "result",
    [{}, {"seconds": 3}, {"seconds": {"matte": "x", "lunch": 3}}, {"seconds": {"matte": -1}}, {"stage_frames": []},
     {"seconds": {"matte": 1}, "stage_frames": {"matte": 0}}],
)  # fmt: skip
def test_odd_results_are_nobodys_error_and_no_label(tmp_path: Path, result: Any) -> None:
    metrics = Metrics(tmp_path)
    for number in range(50):
        odd = {"id": str(number), "kind": f"kind {number}", "session_id": f"s{number}", "created": CREATED,
               "state": "done", "ended": CREATED + timedelta(seconds=number), "result": result}  # fmt: skip
        metrics.observe(Job.model_validate(odd), "done")
    names = samples(metrics)
    assert names["splazmatte_jobs_ended_total", "other", "done"] == 50
    assert not [key for key in names if any("lunch" in part or "kind " in part or "s1" in part for part in key)]


def test_a_list_that_is_long_is_counted_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app_logic.watch.metrics._REMEMBERED", 2)
    metrics, queue = Metrics(tmp_path), JobQueue(tmp_path)
    for number in range(4):
        queue.add("matting", f"s{number}")
        finish(queue, str(number + 1))
    for _ in range(3):
        found = samples(metrics)
    assert found["splazmatte_jobs_ended_total", "matting", "done"] == 4
    queue.clear()
    samples(metrics)
    assert not metrics._counted, "what is no longer in the list is forgotten"


def test_newer_readers_get_the_newer_form(tmp_path: Path) -> None:
    data, kind = Metrics(tmp_path).exposition("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text") and list(open_families(data.decode()))  # type: ignore[no-untyped-call]


def test_stages_are_those_of_the_runners() -> None:
    assert KINDS == {**STAGES, "upload": ()}


def test_they_are_off_unless_asked_for(tmp_path: Path) -> None:
    with Watch(tmp_path, Settings(_env_file=None)) as watch:
        assert watch.metrics is None and len(watch.observers) == 2
    with Watch(tmp_path, Settings(_env_file=None, metrics=True)) as watch:
        assert watch.metrics is not None and len(watch.observers) == 3
