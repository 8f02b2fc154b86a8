"""Notices: which jobs are told of, in the background, kept whether they were; a job never waits for one."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from app_logic.watch import notices as notices_module
from app_logic.watch.facts import Facts
from app_logic.watch.kept import KEPT, KeptNotices, Sent
from app_logic.watch.links import Address, check_lan_ip, session_link
from app_logic.watch.notices import Notices
from app_logic.watch.thumbnail import thumbnail
from app_logic.watch.watch import Watch
from config import Settings, get_settings
from errors import JobStateError, NoticeError, ParameterError
from integrations.feishu import Notice
from queue_logic import Job, JobQueue, JobState, Order
from queue_logic.executor import Channel
from queue_logic.inline import InlineExecutor
from queue_logic.messages import Ended
from queue_logic.runner import QueueRunner
from tests.clip_sessions import prompted_session
from tests.conftest import Answer, assert_error
from tests.feishu_server import APP, APP_SECRET, SECRET, Feishu, serve
from tests.queue_stage import DONE, Stage

CREATED = datetime(2026, 1, 1, tzinfo=UTC)
LAN = Address("0.0.0.0", 7870)


class Played:
    """A sender that does what a test says, and can be held."""

    takes_pictures = False

    def __init__(self) -> None:
        self.sent: list[Notice] = []
        self.error: Exception | None = None
        self.free = threading.Event()
        self.free.set()
        self.busy = threading.Event()
        self.closed = False

    def send(self, notice: Notice, jpeg: bytes | None = None) -> str:
        self.busy.set()
        self.free.wait(20)
        if self.error:
            raise self.error
        self.sent.append(notice)
        return ""

    def close(self) -> None:
        self.closed = True


def job(job_id: str = "1", state: str = "done", **more: Any) -> Job:
    values = {"id": job_id, "kind": "matting", "session_id": "s1", "created": CREATED, "state": state, **more}
    return Job.model_validate(values)


@pytest.fixture
def sender() -> Iterator[Played]:
    played = Played()
    yield played
    played.free.set()


@pytest.fixture
def notices(tmp_path: Path, sender: Played) -> Notices:
    return Notices(tmp_path, facts(tmp_path), lambda _: sender)


def facts(workspace: Path, address: Address = LAN, **settings: Any) -> Facts:
    return Facts(workspace, Settings(_env_file=None, **settings), address)


def test_start_end_and_failure_are_told_and_nothing_else(tmp_path: Path, notices: Notices, sender: Played) -> None:
    stage = Stage(tmp_path, observers=[notices])
    for number in range(4):
        stage.queue.add("matting", f"s{number}", {"until": "frames"} if number == 3 else {})
    stage.after(0)
    stage.says(Ended(how="failed", error="there is no mask"))
    stage.says(DONE)
    stage.queue.cancel("3")
    stage.after(0)
    stage.after(0)
    stage.says(DONE)
    notices.close()
    assert [(notice.event, notice.session_id) for notice in sender.sent] == [
        ("started", "s0"), ("failed", "s0"), ("started", "s1"), ("done", "s1"), ("started", "s2"),
    ]  # fmt: skip
    assert sender.sent[1].error == "there is no mask" and sender.closed
    assert stage.states() == ["failed", "done", "cancelled", "done"], "the last one was only an upload's frames"


def test_a_failed_extraction_is_told(notices: Notices, sender: Played) -> None:
    notices(job(state="failed", parameters={"until": "frames"}, error="not a video"), "failed")
    notices.close()
    assert [notice.event for notice in sender.sent] == ["failed"]


@pytest.mark.parametrize("what", ["crashed", "resumed", "interrupted", "cancelled"])
def test_what_goes_on_by_itself_is_not_told(notices: Notices, sender: Played, what: str) -> None:
    notices(job(), what)
    notices.close()
    assert sender.sent == []


def test_jobs_go_on_while_nobody_answers(
    tmp_path: Path, notices: Notices, sender: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender is held all the time: whatever happens to jobs, nobody waits for it, and nothing grows."""
    monkeypatch.setattr(notices_module, "MOST_WAITING", 20)
    monkeypatch.setattr(notices_module, "_LAST", 0.01)
    sender.free.clear()
    stage = Stage(tmp_path, observers=[notices])
    for number in range(30):
        stage.queue.add("matting", f"s{number}")
    stage.after(0)
    for _ in range(30):
        stage.says(DONE)
    assert set(stage.states()) == {"done"}
    assert len(notices._waiting) == 20
    notices.close(0.01)
    kept = notices.kept.all()
    assert len(kept) == 21 and not any(entry.sent for entry in kept)
    assert kept[-1].job_id == "30" and "ended before" in kept[-1].reason


def test_what_is_being_sent_at_the_end_is_kept_too(
    notices: Notices, sender: Played, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices_module, "_LAST", 0.01)
    sender.free.clear()
    notices(job("1"), "done")
    assert sender.busy.wait(10)
    notices.close(0.01)
    assert [entry.reason for entry in notices.kept.all()] == ["SplazMatte ended while it was being sent"]
    notices(job("2"), "done")
    assert len(notices.kept.all()) == 1, "after the end nothing more is taken"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NoticeError("Feishu did not answer in time"), "Feishu did not answer in time"),
        (KeyError("x"), "unexpected KeyError"),
    ],
)
def test_failures_are_kept_with_their_reason(notices: Notices, sender: Played, error: Exception, reason: str) -> None:
    sender.error = error
    notices(job(), "failed")
    notices.close()
    (entry,) = notices.kept.all()
    assert (entry.sent, entry.event, entry.reason) == (False, "failed", reason)
    assert notices.kept.of(job()) == entry
    assert notices.kept.of(job(created=CREATED + timedelta(days=1))) is None, "another job of that id"


def test_a_notice_is_sent_again(notices: Notices, sender: Played) -> None:
    sender.error = NoticeError("no")
    notices(job(), "done")
    notices.resend(job(state="failed"))
    sender.error = None
    notices.close()
    newest = notices.kept.of(job())
    assert newest is not None and newest.event == "failed"
    assert notices.send_now(job(state="running")) == ""
    newest = notices.kept.of(job())
    assert newest is not None and newest.sent and newest.event == "started"


@pytest.mark.parametrize("state", ["pending", "cancelled", "interrupted"])
def test_of_some_jobs_there_is_nothing_to_say(notices: Notices, state: str) -> None:
    with pytest.raises(JobStateError, match=state):
        notices.resend(job(state=state))


def test_where_nobody_is_told_nothing_happens(tmp_path: Path) -> None:
    silent = Notices(tmp_path, facts(tmp_path), None)
    silent(job(), "done")
    with pytest.raises(ParameterError, match="SPLAZMATTE_FEISHU_WEBHOOK_URL"):
        silent.resend(job())
    silent.close()
    assert not silent.enabled and list(tmp_path.iterdir()) == []


def test_the_last_ones_are_kept_and_never_a_secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPLAZMATTE_FEISHU_SECRET", "hush-hush-hush")
    get_settings.cache_clear()
    kept = KeptNotices(tmp_path)
    for number in range(KEPT + 5):
        time = CREATED + timedelta(seconds=number)
        kept.add(
            Sent(job_id=str(number), created=CREATED, event="done", time=time, sent=False, reason="hush-hush-hush")
        )
    get_settings.cache_clear()
    assert [entry.job_id for entry in KeptNotices(tmp_path).all()] == [str(n) for n in range(5, KEPT + 5)]
    assert "hush" not in (tmp_path / "notices.json").read_text()


@pytest.mark.parametrize("content", ["{", "[]", '{"version": 9}', '{"version": 1, "notices": 3}'])
def test_an_odd_file_is_nobodys_error(tmp_path: Path, content: str) -> None:
    (tmp_path / "notices.json").write_text(content)
    kept = KeptNotices(tmp_path)
    assert kept.all() == []
    kept.add(Sent(job_id="1", created=CREATED, event="done", time=CREATED, sent=True))
    assert len(kept.all()) == ("9" not in content)
    (tmp_path / "gone").write_text("")
    KeptNotices(tmp_path / "gone" / "x").add(Sent(job_id="1", created=CREATED, event="done", time=CREATED, sent=True))


def test_a_card_says_what_the_session_and_the_job_know(tmp_path: Path, chunky_clip: Path) -> None:
    session = prompted_session(tmp_path / "sessions", chunky_clip, ("alpha", "foreground"))
    session.state.name, session.state.range = "Shot <b>", (2, 9)
    session.save()
    known = facts(tmp_path, lan_ip="studio.lan", language="zh")
    known.links = lambda opened: [("alpha.mp4", f"https://x.example/{opened.state.id}")]
    started = known.notice(job(session_id=session.state.id, state="running"), "started")
    assert started.name == "Shot <b>" and started.language == "zh" and started.duration == ""
    assert started.engines[1].startswith("flow") and "range=2:9" in started.parameters
    assert "formats=alpha foreground" in started.parameters
    assert started.links == (
        ("Open the session", f"http://studio.lan:7870/?session={session.state.id}"),
        ("alpha.mp4", f"https://x.example/{session.state.id}"),
    )
    result = {"engines": {"matter": "guided (band=3)"}, "frames": 7}
    done = known.notice(job(session_id=session.state.id, result=result, seconds=65, error="old"), "done")
    assert (done.engines, done.frames, done.duration, done.error) == (("guided (band=3)",), 7, "1:05 min", "")
    up = known.notice(job(kind="upload", session_id=session.state.id, parameters={"formats": ["alpha", "png"]}), "done")
    assert up.parameters == ("formats=alpha png",)
    known.links = lambda _: 1 / 0  # type: ignore[assignment, return-value]
    assert len(known.notice(job(session_id=session.state.id), "done").links) == 1, "the rest of the card is told"


@pytest.mark.parametrize(
    ("kind", "session_id"), [("matting", "20260101-000000-aaaaaa"), ("matting", "../x"), ("odd", "s")]
)
def test_of_a_session_that_is_gone_what_the_job_knows_is_told(tmp_path: Path, kind: str, session_id: str) -> None:
    known, lost = facts(tmp_path), job(kind=kind, session_id=session_id, error="gone", state="failed")
    notice = known.notice(lost, "failed")
    assert (notice.name, notice.error, notice.links) == (session_id, "gone", ())
    assert known.thumbnail(lost) is None


def test_a_thumbnail_shows_a_frame_and_then_what_is_cut_out(tmp_path: Path, chunky_clip: Path) -> None:
    import cv2
    import numpy as np

    from matting_runner import Stage as MattingStage
    from matting_runner import run_matting

    def corner(jpeg: bytes) -> np.ndarray:
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None and picture.shape == (64, 96, 3)
        return np.asarray(picture[:8, -8:].reshape(-1, 3).mean(axis=0))

    session = prompted_session(tmp_path / "sessions", chunky_clip, ("alpha",))
    before = corner(thumbnail(session))
    run_matting(session, until=MattingStage.MATTE, check=False)
    assert np.ptp(before) > 20, "the bluish ground"
    assert np.abs(corner(thumbnail(session)) - 60).max() < 6, "grey, where the object is not"


@pytest.mark.parametrize(
    ("host", "lan_ip", "kind", "link"),
    [
        ("127.0.0.1", "studio.lan", "matting", ""),
        ("localhost", "", "matting", ""),
        ("::1", "", "matting", ""),
        ("192.168.1.5", "", "tracking", "http://192.168.1.5:7870/tracking?session=s1"),
        ("0.0.0.0", "studio.lan", "matting", "http://studio.lan:7870/?session=s1"),
        ("::", "fd00::5", "matting", "http://[fd00::5]:7870/?session=s1"),
        ("0.0.0.0", "studio.lan", "odd", ""),
    ],
)
def test_links_lead_where_others_reach_the_app(host: str, lan_ip: str, kind: str, link: str) -> None:
    assert session_link(Address(host, 7870), lan_ip, kind, "s1") == link


def test_this_machines_address_is_found_or_there_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    from app_logic.watch import links

    for found, link in (("10.0.0.9", "http://10.0.0.9:7870/?session=s1"), ("", "")):
        monkeypatch.setattr(links, "found_address", lambda found=found: found)
        assert session_link(LAN, "", "matting", "s1") == link
    assert isinstance(links.found_address(), str)


@pytest.mark.parametrize("value", ["http://x", "x:80", "a b", "x/y", "-x", "x" * 300, "<at>", "[::1]"])
def test_a_name_that_is_none_is_refused(value: str) -> None:
    with pytest.raises(ParameterError, match="SPLAZMATTE_LAN_IP"):
        check_lan_ip(value)


@pytest.fixture
def feishu(monkeypatch: pytest.MonkeyPatch) -> Iterator[Feishu]:
    with serve(Feishu(secret=SECRET)) as served:
        monkeypatch.setenv("SPLAZMATTE_FEISHU_WEBHOOK_URL", served.url)
        monkeypatch.setenv("SPLAZMATTE_FEISHU_SECRET", SECRET)
        get_settings.cache_clear()
        yield served
    get_settings.cache_clear()


def work(workspace: Path, order: Order, channel: Channel) -> dict[str, Any]:
    if order.session_id == "s1":
        raise NoticeError("it went wrong")
    return {"frames": 3}


def test_all_the_way_to_the_group(tmp_path: Path, feishu: Feishu) -> None:
    queue = JobQueue(tmp_path)
    queue.add("matting", "s0")
    queue.add("matting", "s1")
    with Watch(tmp_path, get_settings()) as watch:
        executor = InlineExecutor(tmp_path, {"matting": work})
        QueueRunner(queue, executor, observers=watch.observers).run(lambda: False)
    assert [card["header"]["title"]["content"] for card in feishu.shown] == [
        "Started: s0", "Done: s0", "Started: s1", "Failed: s1",
    ]  # fmt: skip
    assert all(entry.sent for entry in watch.notices.kept.all())
    for path in tmp_path.rglob("*"):
        raw = path.read_bytes() if path.is_file() else b""
        assert b"hook-token" not in raw and SECRET.encode() not in raw, path


def test_a_thumbnail_comes_along_where_an_app_is_set(
    tmp_path: Path, chunky_clip: Path, feishu: Feishu, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = prompted_session(tmp_path / "sessions", chunky_clip, ("alpha",))
    monkeypatch.setenv("SPLAZMATTE_FEISHU_APP_ID", APP)
    monkeypatch.setenv("SPLAZMATTE_FEISHU_APP_SECRET", APP_SECRET)
    get_settings.cache_clear()
    with Watch(tmp_path, get_settings()) as watch:
        watch.notices(job(session_id=session.state.id), "done")
        watch.notices(job(session_id=session.state.id), "done")
    assert len(feishu.images) == 1 and [card["elements"][-2]["img_key"] for card in feishu.shown] == ["img_1"] * 2


def test_secrets_in_errors_are_not_on_cards(tmp_path: Path, feishu: Feishu) -> None:
    error = f"cannot sign with {SECRET}: https://store.example/a.mp4?Signature=abc"
    notice = facts(tmp_path).notice(job(state="failed", error=error), "failed")
    assert notice.error == "cannot sign with ••••••: https://store.example/a.mp4?…"


def test_commands_refuse_settings_that_cannot_be_right(
    cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPLAZMATTE_FEISHU_WEBHOOK_URL", "https://open.feishu.cn/hook/my-token")
    get_settings.cache_clear()
    assert_error(cli("run-queue"), 3, "SPLAZMATTE_FEISHU_WEBHOOK_URL")
    answer = cli("doctor", "--json")
    assert any("SPLAZMATTE_FEISHU_WEBHOOK_URL" in text for text in answer.json["problems"])
    assert "my-token" not in answer.out + answer.err


def test_telling_again_by_hand(cli: Callable[..., Answer], workspace: Path, feishu: Feishu) -> None:
    queue = JobQueue(workspace)
    queue.add("matting", "s0")
    assert_error(cli("queue", "notify", "1"), 4, "is pending")
    queue.update("1", state=JobState.FAILED, error="it went wrong", seconds=3.0)
    assert cli("queue", "notify", "1").out == "sent\n"
    assert "it went wrong" in json.dumps(feishu.shown)
    feishu.keyword = "nothing that we say"
    assert_error(cli("queue", "notify", "1"), 1, "keyword")
    assert [entry.sent for entry in KeptNotices(workspace).all()] == [True, False]
    assert_error(cli("queue", "notify", "7"), 4, "no job")


def test_without_a_webhook_nobody_is_told_again(cli: Callable[..., Answer], workspace: Path) -> None:
    queue = JobQueue(workspace)
    queue.add("matting", "s0")
    queue.update("1", state=JobState.DONE)
    assert_error(cli("queue", "notify", "1"), 3, "SPLAZMATTE_FEISHU_WEBHOOK_URL")
