"""/healthz and /metrics: who may ask, by which name, and what is said."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from app_logic.watch import health as health_module
from app_logic.watch.health import Health
from errors import StoreError
from pages.web.login import TRIES, WINDOW, Logins, wanted
from pages.web.programs import password_in
from pages.web.security import LOOPBACK, Guard
from queue_logic import JobLogs, JobQueue, JobState, QueueLock
from queue_logic.job import now
from tests.app_process import ROOT, App, start_app, wait_for
from tests.conftest import Answer, assert_error
from tests.fault_bench import needs_linux
from tests.test_web_security import Clock

PASSWORD = "open sesame"


async def hello(request: Any) -> PlainTextResponse:
    return PlainTextResponse("hello")


def inner() -> Starlette:
    paths = ("/", "/tracking", "/healthz", "/healthz/x", "/metrics", "/upload")
    return Starlette(routes=[Route(path, hello, methods=["GET", "POST"]) for path in paths])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def locked(clock: Clock, workspace: Path) -> TestClient:
    logins = Logins(PASSWORD, "secret", clock)
    return TestClient(Guard(inner(), None, logins), base_url="http://studio.lan:7870", follow_redirects=False)


@pytest.mark.parametrize("host", ["10.244.0.7:7870", "evil.example", "", "["])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_probe_may_ask_by_any_name(host: str, method: str, locked: TestClient) -> None:
    open_app = TestClient(Guard(inner(), LOOPBACK, None), base_url="http://localhost:7870")
    for client in (open_app, locked):
        answer = client.request(method, "/healthz", headers={"Host": host})
        assert answer.status_code == 200 and answer.headers["X-Frame-Options"] == "DENY"
    assert open_app.get("/healthz/x", headers={"Host": host}).status_code == 403
    assert open_app.post("/healthz", headers={"Host": host}).status_code == 403
    assert open_app.get("/metrics", headers={"Host": host}).status_code == 403
    assert locked.get("/healthz/x").status_code == 401


def basic(password: str, user: str = "prometheus") -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


RIGHT = [
    basic(PASSWORD),
    basic(PASSWORD, ""),
    {"Authorization": f"Bearer {PASSWORD}"},
    {"Authorization": f"bearer {PASSWORD}"},
]
WRONG = [
    {},
    basic("wrong"),
    basic(""),
    *({"Authorization": value} for value in ("Bearer ", "Bearer wrong", "Basic !", "Basic //4=", "Digest x", PASSWORD)),
]


@pytest.mark.parametrize("headers", RIGHT)
def test_metrics_take_the_password(locked: TestClient, headers: dict[str, str]) -> None:
    for _ in range(TRIES + 1):  # as often as a scraper comes
        assert locked.get("/metrics", headers=headers).status_code == 200
    assert locked.get("/upload", headers=headers).status_code == 401, "and nothing else does"


@pytest.mark.parametrize("headers", WRONG)
def test_metrics_take_nothing_else(locked: TestClient, headers: dict[str, str]) -> None:
    answer = locked.get("/metrics", headers=headers)
    assert answer.status_code == 401 and "Basic" in answer.headers["WWW-Authenticate"]


def test_wrong_passwords_are_limited_as_at_the_log_in(locked: TestClient, clock: Clock) -> None:
    for _ in range(TRIES):
        assert locked.get("/metrics", headers=basic("wrong")).status_code == 401
    assert locked.get("/metrics", headers=basic(PASSWORD)).status_code == 429, (
        "else the limit would tell which is right"
    )
    assert locked.post("/login", data={"password": PASSWORD}).status_code == 429, "one limit for both ways"
    clock.now += WINDOW
    assert locked.get("/metrics", headers=basic(PASSWORD)).status_code == 200


def test_who_is_logged_in_sees_metrics_in_the_browser(locked: TestClient) -> None:
    assert locked.post("/login", data={"password": PASSWORD}).status_code == 303
    assert locked.get("/metrics").status_code == 200


def test_passwords_may_have_any_sign() -> None:
    assert password_in(basic("a:b:ü")["Authorization"]) == "a:b:ü" and password_in("") is None


SESSION = "/tracking?session=20260101-120000-abcdef"


def test_a_link_to_a_session_leads_there_after_the_log_in(locked: TestClient) -> None:
    page = {"Accept": "text/html"}
    first = locked.get(SESSION, headers=page)
    assert first.status_code == 303 and first.headers["Location"].startswith("/login?to=%2Ftracking")
    assert locked.get(first.headers["Location"]).status_code == 200
    inside = locked.post(first.headers["Location"], data={"password": PASSWORD})
    assert (inside.status_code, inside.headers["Location"]) == (303, SESSION)
    assert locked.get("/", headers=page).status_code == 200


ELSEWHERE = [
    "//evil.example/?session=x",
    "https://evil.example",
    "/?session=x&y=z",
    "/?session=../x",
    "/?session=x\n",
    "/models",
    "",
    "/tracking?session=",
    "/?session=" + "x" * 100,
]


@pytest.mark.parametrize("to", ELSEWHERE)
def test_the_log_in_leads_nowhere_else(locked: TestClient, to: str) -> None:
    assert wanted(to) == "/"
    answer = locked.post("/login", params={"to": to}, data={"password": PASSWORD})
    assert answer.headers["Location"] == "/"


def test_health_says_what_is_wrong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock) -> None:
    state = ["ok"]
    health = Health(tmp_path, lambda: state[0], clock)
    good, report = health.look()
    assert good and report["status"] == "ok" and report["checks"] == {"queue": "ok", "workspace": "ok", "disk": "ok"}
    state[0] = "!nothing here would run jobs"
    assert health.look()[0], "an answer holds for a moment"
    clock.now += 60
    good, report = health.look()
    assert not good and report["checks"]["queue"] == "nothing here would run jobs"
    state[0] = "run by run-queue"
    monkeypatch.setattr(health_module, "disk_free", lambda _: 1000)
    clock.now += 60
    good, report = health.look()
    assert not good and "MB free" in report["checks"]["disk"] and report["checks"]["queue"] == "run by run-queue"
    assert list(tmp_path.iterdir()) == []


@needs_linux
def test_health_writes_to_know_whether_it_can(tmp_path: Path, clock: Clock) -> None:
    good, report = Health(tmp_path / "gone", lambda: "ok", clock).look()
    assert not good and report["checks"]["workspace"].startswith("not writable")
    (tmp_path / ".healthz").symlink_to("/dev/full")
    good, report = Health(tmp_path, lambda: "ok", clock).look()
    assert not good and "No space" in report["checks"]["workspace"]


def test_services_say_how_it_stands_about_the_queue(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from app_logic import services as services_module
    from app_logic.services import Services

    monkeypatch.setattr(services_module, "_TAKEOVER", 0.01)
    services = Services(workspace)
    assert services._queue_health() == "!nothing here would run jobs"
    with QueueLock(workspace, "run-queue"):
        services.start()
        assert services._queue_health() == "run by run-queue"
    wait_for(lambda: services._runs, what="the queue to be taken over")
    assert services._queue_health() == "ok"
    services.close()

    broken = Services(workspace)

    def refuse(*_: object, **__: object) -> None:
        raise StoreError("of a newer version")

    monkeypatch.setattr(broken._runner, "run", refuse)
    broken.start()
    wait_for(lambda: broken._queue_health() == "!the queue cannot be run; see the log", what="the trouble")
    broken.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """Give a running app with a password and metrics."""
    settings = {"SPLAZMATTE_PASSWORD": PASSWORD, "SPLAZMATTE_METRICS": "true"}
    started = start_app(tmp_path_factory.mktemp("app") / "workspace", environment=settings)
    yield started
    started.close()


def test_the_app_answers_probes_and_prometheus(app: App) -> None:
    with httpx.Client(base_url=app.url) as client:
        health = wait_for(lambda: client.get("/healthz", headers={"Host": "10.0.0.1"}), what="an answer")
        report = wait_for(lambda: client.get("/healthz").json(), what="a report")
        assert health.status_code == 200 and report["status"] == "ok" and set(report) == {"status", "version", "checks"}
        head = client.head("/healthz")
        assert head.status_code == 200 and head.content == b""
        assert client.get("/metrics").status_code == 401
        metrics = client.get("/metrics", auth=("any", PASSWORD))
        assert metrics.status_code == 200 and "splazmatte_jobs{" in metrics.text
        assert metrics.headers["content-type"].startswith("text/plain")


def test_the_app_logs_what_goes_wrong_in_it(app: App) -> None:
    """Its start, and also what NiceGUI and uvicorn say; never the password."""
    found = [json.loads(line) for line in (app.workspace / "logs" / "app.log").read_text().splitlines()]
    assert found[0]["event"] == "the web app starts" and found[0]["port"] == app.port
    assert [line for line in found if line["event"] == "this process runs the queue"]
    assert PASSWORD not in (app.workspace / "logs" / "app.log").read_text() + app.log.read_text()
    assert app.log.read_text().splitlines()[0].startswith("SplazMatte: http://localhost:")


def test_a_jobs_log_on_the_command_line(cli: Callable[..., Answer], workspace: Path) -> None:
    queue, logs = JobQueue(workspace), JobLogs(workspace)
    queue.add("matting", "s0")
    assert cli("queue", "log", "1").out == "no log yet\n"
    assert_error(cli("queue", "log", "2"), 4, "no log of a job '2'")
    assert_error(cli("queue", "log", "../../etc/passwd"), 4, "no job")
    logs(queue.get("1"), "started")
    queue.update("1", state=JobState.FAILED, error="it went wrong", ended=now())
    logs(queue.get("1"), "failed")
    text = cli("queue", "log", "1").out
    assert "info     job starts  attempt=0" in text and "error    job failed  seconds=0 error=it went wrong" in text
    data = cli("queue", "log", "1", "--json").json
    assert data["job"] == "1" and [line["event"] for line in data["lines"]] == ["job starts", "job failed"]
    followed = cli("queue", "log", "1", "--follow", "--json").out.splitlines()
    assert [json.loads(line)["event"] for line in followed] == ["job starts", "job failed"]
    queue.remove("1")
    assert "job failed" in cli("queue", "log", "1").out, "it stays when the job is taken off the list"


def test_run_queue_has_a_log_of_its_own(cli: Callable[..., Answer], workspace: Path) -> None:
    JobQueue(workspace).add("matting", "20000101-000000-aaaaaa")
    cli("run-queue")
    found = [json.loads(line) for line in (workspace / "logs" / "queue.log").read_text().splitlines()]
    assert [(line["event"], line["job_id"]) for line in found] == [("job starts", "1"), ("job failed", "1")]
    assert found[1]["level"] == "error" and "there is no session" in found[1]["error"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("FEISHU_WEBHOOK_URL", "https://open.feishu.cn/hook/my-token"), ("LAN_IP", "http://studio.lan:7870")],
)
def test_the_app_refuses_settings_that_cannot_be_right(tmp_path: Path, name: str, value: str) -> None:
    environment = {**os.environ, "SPLAZMATTE_WORKSPACE": str(tmp_path), f"SPLAZMATTE_{name}": value}
    command = [sys.executable, "app.py", "--no-browser", "--port", "0"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 3 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1, done.stderr
    assert f"SPLAZMATTE_{name}" in done.stderr and "my-token" not in done.stderr
