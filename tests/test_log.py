"""Logs: what a line has, what never gets into one, and that nothing ever fails by them."""

from __future__ import annotations

import json
import logging
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

import log
from cli import output
from config import get_settings
from log import LOG, about, to_console, to_file, to_job_file
from queue_logic import Order, worker
from tests.fault_bench import needs_linux

HOOK = "https://open.feishu.cn/open-apis/bot/v2/hook/0b5c7a9e-token"
SECRETS = {
    "PASSWORD": "open sesame/&?",
    "FEISHU_WEBHOOK_URL": HOOK,
    "FEISHU_SECRET": 'quote"back\\slash',
    "R2_SECRET_ACCESS_KEY": "wJalrXUtnFEMI+K7MDENG",
    "STORAGE_SECRET": "schlüssel",
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(f"SPLAZMATTE_{name}", value)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


def test_a_line_has_time_level_event_and_what_is_bound(tmp_path: Path) -> None:
    with to_job_file(tmp_path / "a" / "job.log", job_id="7"):
        LOG.info("lost: there is no folder for it")
    (tmp_path / "job-7.log").touch()
    with to_job_file(tmp_path / "job-7.log", job_id="7", kind="matting"), about(stage="matte"):
        LOG.info("stage begins", frames=20)
    (line,) = lines(tmp_path / "job-7.log")
    assert line.pop("time").endswith("Z")
    assert line == {
        "level": "info", "event": "stage begins", "job_id": "7", "kind": "matting", "stage": "matte", "frames": 20,
    }  # fmt: skip
    assert list(lines(tmp_path / "job-7.log")[0])[:3] == ["time", "level", "event"]


def test_exceptions_warnings_and_others_loggers_are_there(tmp_path: Path) -> None:
    with to_file(tmp_path, "app") as path:
        assert path is not None
        try:
            raise ZeroDivisionError("odd")
        except ZeroDivisionError:
            LOG.exception("unexpected error")
        logging.getLogger("uvicorn.error").error("bad %s", "request")
        logging.getLogger("chatty").info("not that")
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        LOG.debug("nor that")
    first, second, third = lines(path)
    assert first["level"] == "error" and "ZeroDivisionError: odd" in first["exception"]
    assert second["event"] == "bad request" and "old" in third["event"]
    LOG.error("after the end")
    assert len(lines(path)) == 3


@pytest.mark.parametrize(("level", "count"), [("debug", 4), ("info", 3), ("warning", 2), ("error", 1)])
def test_the_level_is_as_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: str, count: int) -> None:
    monkeypatch.setenv("SPLAZMATTE_LOG_LEVEL", level)
    get_settings.cache_clear()
    with to_file(tmp_path, "app") as path:
        for say in (LOG.debug, LOG.info, LOG.warning, LOG.error):
            say("x")
    get_settings.cache_clear()
    assert path is not None and len(lines(path)) == count


def test_where_nothing_is_decided_nothing_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    LOG.error("nobody listens")
    assert capfd.readouterr() == ("", "")


def test_the_console_shows_warnings_for_people(capsys: pytest.CaptureFixture[str], secrets: None) -> None:
    with to_console():
        LOG.info("no")
        LOG.warning("odd", reason=f"it is {SECRETS['PASSWORD']}")
    assert capsys.readouterr().err == f"warning: odd reason=it is {log.HIDDEN}\n"


@pytest.mark.parametrize("secret", SECRETS.values())
def test_no_secret_is_ever_written(tmp_path: Path, secrets: None, secret: str) -> None:
    """Neither in an event, nor in a value, a key, a list, an object's text, a traceback, another library's line."""

    class Shown:
        def __repr__(self) -> str:
            return f"<with {secret}>"

    with to_job_file(tmp_path / "x.log"):
        LOG.info(f"before {secret} after", value=secret, deep=[{"key": {secret: (secret, {secret})}}], shown=Shown())
        LOG.info("x", whole=SecretStr(secret), settings=get_settings(), bytes=secret.encode())
        logging.getLogger("lib").warning("POST %s", secret)
        try:
            raise ValueError(f"cannot use {secret}")
        except ValueError:
            LOG.exception("unexpected")
    raw = (tmp_path / "x.log").read_text()
    said = raw + json.dumps(lines(tmp_path / "x.log"), ensure_ascii=False)
    for form in (secret, json.dumps(secret)[1:-1], "0b5c7a9e-token"):
        assert form not in said
    assert "before •••••• after" in said and len(lines(tmp_path / "x.log")) == 4


def test_addresses_lose_what_signs_them() -> None:
    signed = "https://x.example/a.mp4?X-Amz-Signature=abc&Expires=9 and 'http://y.example/?token=1'"
    assert log.without_secrets(signed) == "https://x.example/a.mp4?… and 'http://y.example/?…'"
    assert log.without_secrets("why? because") == "why? because"


def test_a_short_password_is_no_hole_in_every_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_PASSWORD", "a")
    get_settings.cache_clear()
    assert log.without_secrets("a password is 'a'") == "•••••• password is '••••••'"
    get_settings.cache_clear()


def test_long_values_are_cut(tmp_path: Path) -> None:
    with to_job_file(tmp_path / "x.log"):
        LOG.info("x", value="begin" + "x" * 5_000_000 + "end")
    value = lines(tmp_path / "x.log")[0]["value"]
    assert value.startswith("begin") and value.endswith("end") and len(value) < log.LONGEST + 10


def test_files_are_rotated_and_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "FILE_BYTES", 2000)
    with to_file(tmp_path, "app"):
        for number in range(200):
            LOG.info("x" * 100, number=number)
    files = sorted(tmp_path.glob("app.log*"))
    assert [path.name for path in files] == ["app.log", *(f"app.log.{n}" for n in range(1, log.FILES))]
    assert all(path.stat().st_size <= 2000 for path in files)
    assert lines(files[0])[-1]["number"] == 199


def test_two_processes_never_share_a_file(tmp_path: Path) -> None:
    with to_file(tmp_path, "app") as first, to_file(tmp_path, "app") as second:
        assert first and second and (first.name, second.name) == ("app.log", "app-2.log")
    with to_file(tmp_path, "app") as again:
        assert again == first


def test_a_file_that_is_deleted_comes_again(tmp_path: Path) -> None:
    with to_file(tmp_path, "app") as path:
        assert path is not None
        LOG.info("one")
        path.unlink()
        LOG.info("two")
    assert [line["event"] for line in lines(path)] == ["two"]


def test_a_folder_that_cannot_be_written_is_nobodys_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with to_file(tmp_path / "file" / "logs", "app") as path:
        assert path is None
        LOG.error("x")
    with to_job_file(tmp_path / "file" / "job.log"):
        LOG.error("x")
    assert capfd.readouterr() == ("", "")


@needs_linux
def test_a_full_disk_is_nobodys_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full.log").symlink_to("/dev/full")
    with to_job_file(tmp_path / "full.log"):
        for _ in range(100):
            LOG.error("x" * 1000)
        (tmp_path / "full.log").unlink()
        LOG.info("there is space again")
    assert lines(tmp_path / "full.log")[-1]["event"] == "there is space again"
    assert capfd.readouterr() == ("", "")


def test_no_text_takes_long(tmp_path: Path) -> None:
    """Patterns are looked for in everything, also in what was made to be slow."""
    began = time.process_time()
    for text in ("x" * 1_000_000, "a://" * 5_000, "https://" + "a" * 20_000, "?" * 20_000, "ab://x?" * 3_000):
        log.line("info", text)
    assert time.process_time() - began < 1.0


def test_what_libraries_say_in_unexpected_errors_is_shown_without_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secrets: None, tmp_path: Path
) -> None:
    monkeypatch.setattr(output, "flags", output.Flags(json=True, debug=True))
    assert output.guard(_refused) == 1
    told = "".join(capsys.readouterr())
    ended = worker._run("tests.test_log:_refused", tmp_path, Order(job_id="1", kind="x", session_id="s"), None, "log")  # type: ignore[arg-type]
    for text in (told, ended.error):
        assert "unexpected ValueError: cannot use ••••••" in text and SECRETS["R2_SECRET_ACCESS_KEY"] not in text


def _refused(*_: object) -> None:
    raise ValueError(f"cannot use {SECRETS['R2_SECRET_ACCESS_KEY']}")


def test_a_secret_where_a_long_value_is_cut_is_found_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_FEISHU_SECRET", "the-secret-of-the-bot")
    get_settings.cache_clear()
    for before in range(log.LONGEST // 4 - 20, log.LONGEST // 4):
        text = log.line("info", "x", text="a" * before + "the-secret-of-the-bot" + "b" * log.LONGEST)
        assert "the-secret" not in text and "of-the-bot" not in text
