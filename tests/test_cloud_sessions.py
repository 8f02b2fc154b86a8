"""Sessions in the cloud: what goes up under which key, as a job, by command, and after a kill."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from app_logic.services import HANDLERS, LANES
from atomic import discard
from config import get_settings
from errors import ParameterError, SessionError, UploadError
from integrations.sending import Amount
from matting_runner.job import run_job as run_matting
from queue_logic import InlineExecutor, Job, JobQueue, JobState, Limits, LocalExecutor, QueueRunner
from results import Result, zipped
from results.cloud import key_of, links, safe_name, upload_results
from results.upload_job import Pace
from results.upload_job import run_job as run_upload
from runner_base.sidecar import Sidecar, SourceFacts, write_sidecar
from session_base import sidecar_path
from session_store import Delivered, MattingSession, SessionStore
from tests.app_process import wait_for
from tests.clip_sessions import prompted_session
from tests.cloud_bench import Cloud, Quick, cloud_of, noise, small_parts
from tests.conftest import Answer, assert_error, write_clip
from tests.faulty import Fault, error
from tests.s3_store import bucket_of
from tests.session_files import finished_session
from tracking_runner import create_session
from tracking_runner.job import run_job as run_tracking
from tracking_session_store import TrackingSessionStore

Cli = Callable[..., Answer]
RUNS = {"matting": run_matting, "tracking": run_tracking, "upload": run_upload}
VIDEO = "Kugel ö #1 50%.mp4"


@pytest.fixture
def cloud(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Return a store that speaks S3, which the settings lead to."""
    with cloud_of("r2", tmp_path / "ledger", monkeypatch) as made:
        yield made


@pytest.fixture
def session(workspace: Path, tmp_path: Path) -> MattingSession:
    """Return a session that has delivered a file and a folder."""
    made = finished_session(SessionStore(workspace / "sessions"), tmp_path / VIDEO)
    (made.folder / "png").mkdir()
    for number in range(3):
        (made.folder / "png" / f"{number:06d}.png").write_bytes(noise(20_000, number))
    made.state.delivered["png"] = Delivered(path="png", mark="x")
    made.save()
    return made


FOLDERS = {"matting": "sessions", "tracking": "tracking_sessions"}


def run_queue(workspace: Path) -> JobQueue:
    queue = JobQueue(workspace)
    QueueRunner(queue, InlineExecutor(workspace, RUNS), lanes=LANES).run(lambda: False)
    return queue


def uploads_of(job: Job) -> list[dict[str, Any]]:
    """Return what an upload job says is up."""
    found: Any = job.result["uploads"]
    return list(found)


def test_all_that_is_delivered_goes_up_under_the_names_of_downloads(cloud: Cloud, session: MattingSession) -> None:
    alpha, png = upload_results(session)
    stem = f"pre/fix/{session.state.id}/Kugel ö #1 50%"
    assert [up.key for up in (alpha, png)] == [f"{stem}_alpha.mp4", f"{stem}_png.zip"]
    assert cloud.content(alpha.key) == bytes(50)
    with zipfile.ZipFile(io.BytesIO(cloud.content(png.key) or b"")) as archive:
        assert archive.testzip() is None and len(archive.namelist()) == 3
        assert archive.read("Kugel ö #1 50%_png/000001.png") == noise(20_000, 1)
    found = links(session)
    assert [(link.format, link.name) for link in found] == [("alpha", alpha.name), ("png", png.name)]
    answer = cloud.download(found[1].url)
    assert answer.body == cloud.content(png.key) and answer.headers["content-type"] == "application/zip"
    assert {path.name for path in session.folder.iterdir()} >= {"uploads.json", "png", "alpha.mp4"}
    assert not list(session.folder.rglob("*.zip"))


def test_only_what_is_asked_for_goes_up(cloud: Cloud, session: MattingSession) -> None:
    assert [up.label for up in upload_results(session, ["png"])] == ["png"]
    with pytest.raises(SessionError, match="webm is not delivered yet"):
        upload_results(session, ["webm"])
    with pytest.raises(ParameterError):
        upload_results(session, ["gif"])
    session.state.delivered.clear()
    with pytest.raises(SessionError, match="nothing delivered yet"):
        upload_results(session)


def test_a_zip_has_the_same_bytes_every_time(session: MattingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Result(session.folder / "png", "Kugel ö_png", "Kugel ö")
    first = b"".join(zipped([folder]))
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    assert b"".join(zipped([folder])) == first
    assert zipped([folder]).size == len(first)


def test_a_zip_goes_on_where_it_was_cut(cloud: Cloud, session: MattingSession, monkeypatch: pytest.MonkeyPatch) -> None:
    small_parts(monkeypatch)
    monkeypatch.setattr("integrations.source.PART", 16_384)
    monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 16_384)
    before = ("PUT part 1", "PUT part 2", "PUT part 3")
    cloud.store.faults.append(Fault("PUT part 4", answer=error(507, "InsufficientStorage"), after=before))
    with pytest.raises(UploadError):
        upload_results(session, ["png"])
    told: list[Amount] = []
    upload_results(session, ["png"], on_progress=told.append)
    assert cloud.store.count("PUT part [123]") == 3 and cloud.store.count("POST begin") == 1
    assert told[-1].done == told[-1].total > told[-1].sent


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a/../b\\c\x00\n.mp4", "a_.._b_c__.mp4"),
        ("é.mp4", "é.mp4"),
        ("x" * 700 + ".mp4", "x" * 596 + ".mp4"),
        ("球" * 300 + ".mov", "球" * 198 + ".mov"),
        ("\udcff.mp4", "?.mp4"),
    ],
)
def test_names_are_safe_in_keys(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    assert key_of("", "s", name) == f"s/{safe}" and len(key_of("p" * 200, "s" * 40, name).encode()) < 1000


def test_a_job_uploads_and_tells_how_far_it_is(cloud: Cloud, session: MattingSession, workspace: Path) -> None:
    JobQueue(workspace).add("upload", session.state.id)
    queue = run_queue(workspace)
    (job,) = queue.jobs()
    assert job.state is JobState.DONE, job.error
    assert (job.progress.unit, job.progress.fraction, job.progress.stage) == ("bytes", 1.0, "upload")
    assert [up["format"] for up in uploads_of(job)] == ["alpha", "png"]
    assert job.device == "net"
    written = "".join(
        path.read_text(errors="replace") for path in [*workspace.glob("*.json*"), *session.folder.glob("*.json")]
    )
    assert "Signature" not in written and [word for word in cloud.secrets if word in written] == []


@pytest.mark.parametrize("parameters", [{"speed": 3}, {"formats": "png"}, {"formats": [1]}, {"formats": ["gif"]}])
def test_a_job_with_odd_parameters_fails(
    cloud: Cloud, session: MattingSession, workspace: Path, parameters: dict[str, object]
) -> None:
    JobQueue(workspace).add("upload", session.state.id, parameters)  # type: ignore[arg-type]
    (job,) = run_queue(workspace).jobs()
    assert job.state is JobState.FAILED and "unexpected" not in job.error and job.error


def test_a_job_of_a_session_that_is_gone_or_goes_fails(cloud: Cloud, session: MattingSession, workspace: Path) -> None:
    JobQueue(workspace).add("upload", "20260101-000000-aaaa")

    def deleted(workspace: Path, order: object, channel: object) -> dict[str, object]:
        class Deleting:
            def progress(self, _: object) -> None:
                discard(session.folder)

            def should_stop(self) -> bool:
                return False

        return run_upload(workspace, order, Deleting())  # type: ignore[arg-type, return-value]

    (gone,) = run_queue(workspace).jobs()
    queue = JobQueue(workspace)
    queue.add("upload", session.state.id)
    QueueRunner(queue, InlineExecutor(workspace, {"upload": deleted}), lanes=LANES).run(lambda: False)  # type: ignore[dict-item]
    goes = queue.jobs()[1]
    assert "there is no session" in gone.error and "was deleted while" in goes.error
    assert not session.folder.exists()


def test_the_pace_is_of_what_goes_out_now() -> None:
    moments = iter([10.0, 20.0])
    pace = Pace(lambda: next(moments))
    assert pace.progress(Amount(done=500, total=1000, sent=0)).seconds_left is None
    later = pace.progress(Amount(done=700, total=1000, sent=200))
    assert (later.fps, later.seconds_left, later.fraction) == (20, 15, 0.7)


@pytest.mark.parametrize("kind", ["matting", "tracking"])
def test_every_job_that_delivers_is_followed_by_an_upload_where_that_is_set(
    cloud: Cloud, workspace: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "short.mp4", 6)
    if kind == "matting":
        session_id = prompted_session(workspace / "sessions", clip, ("alpha",), keyframe=5).state.id
        early = "matte"
    else:
        made = create_session(TrackingSessionStore(workspace / "tracking_sessions"), clip)
        made.add_point(0, 30, 30)
        made.state.formats = ["csv"]
        made.save()
        session_id, early = made.state.id, "track"
    JobQueue(workspace).add(kind, session_id, {"until": early})
    assert len(run_queue(workspace).jobs()) == 1
    monkeypatch.setenv("SPLAZMATTE_STORAGE_AUTO", "true")
    get_settings.cache_clear()
    store: Any = (SessionStore if kind == "matting" else TrackingSessionStore)(workspace / FOLDERS[kind])
    before = store.open(session_id)
    before.state.delivered["png" if kind == "matting" else "json"] = Delivered(path="of an earlier run", mark="ab")
    before.save()
    JobQueue(workspace).add(kind, session_id, {"until": early})
    JobQueue(workspace).add(kind, session_id)
    *_, job, upload = run_queue(workspace).jobs()
    assert (job.kind, upload.kind, upload.state) == (kind, "upload", JobState.DONE), upload.error
    key, sidecar = [up["key"] for up in uploads_of(upload)]
    assert key.startswith(f"pre/fix/{session_id}/short") and cloud.content(key)
    assert sidecar == f"{key}.sidecar.json" and b'"commercial_use": true' in (cloud.content(sidecar) or b"")


def test_the_commands_upload_and_give_links(
    cli: Cli, cloud: Cloud, session: MattingSession, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.sending.Retry.pause", lambda *_: 0.0)
    cloud.store.faults.append(Fault("PUT", answer=error(503, "SlowDown")))
    answer = cli("upload", session.state.id, session.state.id, "--json")
    assert answer.code == 0 and "trying again reason=503 SlowDown" in answer.err, answer
    rows = answer.json["links"]
    assert [row["format"] for row in rows] == ["alpha", "png"] and all(row["expires"] for row in rows)
    assert cloud.download(rows[0]["url"]).body == bytes(50)
    again = cli("links", session.state.id, session.state.id)
    assert again.code == 0 and "Kugel ö #1 50%_alpha.mp4 (50 bytes, until" in again.out
    assert again.out.count("X-Amz-Signature") == 2
    queued = cli("upload", session.state.id, "--queue", "--formats", "alpha", "--json").json["jobs"][0]
    assert (queued["kind"], queued["name"], queued["parameters"]) == ("upload", VIDEO, {"formats": ["alpha"]})
    assert "upload" in cli("queue", "list").out
    assert run_queue(workspace).jobs()[0].state is JobState.DONE and "done" in cli("queue", "list").out


def test_what_is_up_is_named_where_the_next_session_fails(
    cli: Cli, cloud: Cloud, session: MattingSession, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = finished_session(SessionStore(workspace / "sessions"), tmp_path / VIDEO)
    real = upload_results

    def once(given: MattingSession, *arguments: Any, **more: Any) -> Any:
        if given.state.id == second.state.id:
            raise UploadError("the bucket is full")
        return real(given, *arguments, **more)

    monkeypatch.setattr("results.cloud.upload_results", once)
    answer = cli("upload", session.state.id, second.state.id)
    assert (answer.code, answer.out) == (6, "")
    assert answer.err == f"what is up: run.py links {session.state.id}\nerror: the bucket is full\n"
    assert_error(cli("upload", second.state.id), 6, "the bucket is full")
    assert "\n" not in cli("links", session.state.id).out.split("_alpha.mp4")[0]
    monkeypatch.setattr("results.cloud.upload_results", real)
    told = cli("upload", session.state.id, second.state.id).out
    assert [line for line in told.splitlines() if line.endswith(":")] == [f"{session.state.id}:", f"{second.state.id}:"]


def test_commands_say_what_is_missing(
    cli: Cli, cloud: Cloud, session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("links", session.state.id).out == "nothing is up yet; run.py upload ID\n"
    assert_error(cli("upload", session.state.id, "--formats", "webm"), 4, "not delivered yet")
    assert_error(cli("upload", "20260101-000000-aaaa"), 4, "no session")
    cloud.store.faults.append(Fault("PUT", answer=error(507, "InsufficientStorage")))
    assert_error(cli("upload", session.state.id), 6, "is full")
    monkeypatch.setenv("SPLAZMATTE_STORAGE_BACKEND", "")
    get_settings.cache_clear()
    assert_error(cli("upload", session.state.id), 3, "no cloud store is set")
    assert_error(cli("links", session.state.id), 3, "no cloud store is set")


def test_doctor_asks_the_store_only_when_told_to(cli: Cli, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli("doctor", "--json").json["services"] == {
        "Cloud storage": {"state": "set", "problem": ""},
        "Feishu": {"state": "not set", "problem": ""},
    }
    assert cloud.store.seen == []
    assert cli("doctor", "--network", "--json").json["services"]["Cloud storage"]["state"] == "works"
    assert bucket_of().keys == {}
    assert cli("settings", "--check", "--json").json["checks"] == {"Cloud storage": ""}
    monkeypatch.setenv("SPLAZMATTE_R2_SECRET_ACCESS_KEY", "wrong-key")
    get_settings.cache_clear()
    assert cli("settings", "--check").code == 1
    told = cli("doctor", "--network")
    assert "missing    the cloud store does not accept the key" in told.out and "wrong-key" not in told.out


def test_a_commercial_session_has_no_links_to_what_it_would_not_hand_out(cloud: Cloud, session: MattingSession) -> None:
    upload_results(session)
    assert len(links(session)) == 2
    session.state.commercial = True
    session.save()
    assert links(session) == [], "nobody knows what made them"
    with pytest.raises(SessionError, match="alpha was made before its makers were noted"):
        upload_results(session)
    for path in (session.folder / "alpha.mp4", session.folder / "png"):
        write_sidecar(path, allowed(path))
    assert links(session) == [], "what is up is what was made before"
    upload_results(session)
    assert {link.format for link in links(session)} == {"alpha", "alpha.sidecar.json", "png"}
    write_sidecar(session.folder / "png", allowed(session.folder / "png").model_copy(update={"commercial_use": False}))
    assert {link.format for link in links(session)} == {"alpha", "alpha.sidecar.json"}


def allowed(path: Path) -> Sidecar:
    """Return a sidecar of a deliverable whose licences allow commercial use."""
    source = SourceFacts(
        name=VIDEO, bytes=1, sha256="0", width=1, height=1, frames=1, rate=Fraction(25), constant_rate=True
    )
    return Sidecar(
        kind="matting", session="a", format=path.stem, file=path.name, source=source, frames=(0, 1), made_of={},
        engines=[], commercial_use=True,
    )  # fmt: skip


def test_links_of_another_bucket_are_not_shown(
    cloud: Cloud, session: MattingSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload_results(session, retry=Quick())
    monkeypatch.setenv("SPLAZMATTE_R2_BUCKET", "another-one")
    get_settings.cache_clear()
    assert links(session) == []


def test_a_copy_of_a_session_has_nothing_up_and_uploads_under_its_own_key(
    cloud: Cloud, session: MattingSession, workspace: Path
) -> None:
    upload_results(session, ["alpha"])
    copy = SessionStore(workspace / "sessions").duplicate(session.state.id)
    assert links(copy) == [] and len(links(session)) == 1
    (up,) = upload_results(copy, ["alpha"])
    assert copy.state.id in up.key and [link.key for link in links(copy)] == [up.key]


@pytest.mark.parametrize("victim", ["worker", pytest.param("owner", marks=pytest.mark.slow)])
def test_a_killed_upload_goes_on_without_sending_again_what_was_there(
    cloud: Cloud, session: MattingSession, workspace: Path, victim: str
) -> None:
    data = noise(5 << 20) * 8  # 5 parts of 8 MiB
    (session.folder / "alpha.mp4").write_bytes(data)
    queue = JobQueue(workspace)
    queue.add("upload", session.state.id, {"formats": ["alpha"]})
    held = threading.Event()
    cloud.store.faults.append(Fault("PUT part [45]", times=2, hold=held))
    ended = threading.Event()
    runner = threading.Thread(target=run_really, args=(workspace, ended.is_set))
    runner.start()
    try:
        wait_for(lambda: parts_there() == {1, 2, 3}, 60, what="three parts to arrive")
        worker = queue.jobs()[0].worker
        assert worker
        if victim == "owner":  # it ends as when the app is closed; who comes next goes on
            ended.set()
            runner.join(20)
            runner = threading.Thread(target=run_really, args=(workspace, threading.Event().is_set))
            runner.start()
        else:
            os.kill(worker.pid, 9)
        seen = len(cloud.store.seen)
        held.set()
        runner.join(60)
    finally:
        held.set()
        ended.set()
        runner.join(20)
    (job,) = JobQueue(workspace).jobs()
    assert job.state is JobState.DONE, job.error
    assert sorted(cloud.store.seen[seen:]) == ["HEAD", "PUT part 4", "PUT part 5", "complete", "list"]
    assert cloud.content(f"pre/fix/{session.state.id}/Kugel ö #1 50%_alpha.mp4") == data
    assert "s3cr3t" not in "".join(path.read_text() for path in (workspace / "logs").glob("*"))


def parts_there() -> set[int]:
    return {number for upload in list(bucket_of().multiparts.values()) for number in list(upload.parts)}


def run_really(workspace: Path, should_stop: Callable[[], bool]) -> None:
    """Run the queue with real processes until nothing waits."""
    executor = LocalExecutor(workspace, HANDLERS)
    QueueRunner(JobQueue(workspace), executor, limits=Limits(attempts=2), lanes=LANES).run(should_stop)


def test_sidecars_go_up_beside_their_files_and_inside_zips(cloud: Cloud, session: MattingSession) -> None:
    for name in ("alpha.mp4", "png"):
        sidecar_path(session.folder / name).write_text(f"how {name} was made")
    alpha, sidecar, png = upload_results(session)
    assert sidecar.name == f"{alpha.name}.sidecar.json" and cloud.content(sidecar.key) == b"how alpha.mp4 was made"
    with zipfile.ZipFile(io.BytesIO(cloud.content(png.key) or b"")) as archive:
        assert archive.read("Kugel ö #1 50%_png.sidecar.json") == b"how png was made"
    sidecar_path(session.folder / "png").write_text("made otherwise")
    upload_results(session)
    with zipfile.ZipFile(io.BytesIO(cloud.content(png.key) or b"")) as archive:
        assert archive.read("Kugel ö #1 50%_png.sidecar.json") == b"made otherwise"
