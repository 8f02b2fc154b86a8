"""Cards in Feishu: what they say, how they are signed and sent, and what becomes of every way in which that fails."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from config import Settings
from errors import NoticeError, ParameterError
from integrations.feishu import Feishu as Client
from integrations.feishu import Notice, build, check_settings, send_test, webhook
from integrations.feishu.pace import Pace
from integrations.feishu.texts import CHINESE
from tests.feishu_server import APP, APP_SECRET, HOOK, SECRET, Feishu, serve

JPEG = b"\xff\xd8\xff\xe0 a picture"
FULL = Notice(
    "done",
    name="Shot 12",
    session_id="20260101-120000-abcdef",
    kind="matting",
    engines=("SAM 2.1 (model=large)", "guided"),
    parameters=("range=0:100", "formats=alpha prores4444"),
    duration="4:05 min",
    frames=100,
    links=(
        ("Open the session", "http://192.168.1.5:7870/?session=20260101-120000-abcdef"),
        ("alpha.mp4", "https://x.example/a"),
    ),
)


class Time:
    """A clock that waiting turns."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []
        self.ended = False

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.waits.append(round(seconds, 6))
        self.now += seconds
        return self.ended


@pytest.fixture
def feishu() -> Iterator[Feishu]:
    with serve(Feishu()) as served:
        yield served


@pytest.fixture
def time() -> Time:
    return Time()


def client(feishu: Feishu, time: Time, **settings: Any) -> Client:
    return Client(feishu.settings(**settings), clock=time.clock, wait=time.wait, timeout=httpx.Timeout(0.3, connect=2))


def texts(value: Any) -> list[str]:
    """Return every text of a card."""
    if isinstance(value, dict):
        return [text for entry in value.values() for text in texts(entry)]
    if isinstance(value, list):
        return [text for entry in value for text in texts(entry)]
    return [value] if isinstance(value, str) else []


def test_a_card_says_all_that_is_known() -> None:
    card = build(FULL)
    assert card["header"] == {"template": "green", "title": {"tag": "plain_text", "content": "Done: Shot 12"}}
    said = "\n".join(texts(card))
    for word in ("**Session**", "20260101&#45;120000", "SAM 2.1", "4&#58;05 min", "**Frames**\n100", "matting"):
        assert word in said, word
    assert [button["url"] for button in card["elements"][-2]["actions"]] == [url for _, url in FULL.links]


def test_buttons_to_results_of_long_names_can_be_told_apart() -> None:
    links = tuple((f"{'Aufnahme ' * 20}_{ending}", "https://x.example/") for ending in ("alpha.mp4", "prores4444.mov"))
    buttons = build(replace(FULL, links=links))["elements"][-2]["actions"]
    first, second = (button["text"]["content"] for button in buttons)
    assert first.endswith("_alpha.mp4") and second.endswith("_prores4444.mov") and len(first) == 60


@pytest.mark.parametrize(("event", "colour"), [("started", "blue"), ("done", "green"), ("failed", "red")])
def test_each_event_has_its_colour(event: Any, colour: str) -> None:
    assert build(replace(FULL, event=event))["header"]["template"] == colour


def test_an_error_is_on_the_card_in_brief() -> None:
    error = "it went wrong: " + "x" * 100_000 + " because the disk is full"
    card = build(replace(FULL, event="failed", error=error))
    assert "because the disk is full" in json.dumps(card) and "it went wrong" in json.dumps(card)
    assert len(json.dumps(card)) < 8000


def test_chinese_cards_are_chinese() -> None:
    said = "\n".join(texts(build(replace(FULL, language="zh"))))
    assert "已完成：Shot 12" in said and "**用时**" in said and "抠像" in said and "打开项目" in said
    assert all(re.search(r"[一-鿿]", chinese) for chinese in CHINESE.values())
    for english, chinese in CHINESE.items():
        assert re.findall(r"\{\w+\}", english) == re.findall(r"\{\w+\}", chinese)


HOSTILE = [
    "**<at id=all>**",
    '<at user_id="all">all</at>',
    "[click](http://evil.example)",
    "a\n\n---\n# heading\n<font color='red'>x</font>",
    "![x](img_v2)",
    "&lt;at id=all&gt;",
    "`code` ~~x~~ \\* ${x} @all",
    "\u202e\x00\x1b[31m",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_and_errors_are_never_markup(name: str) -> None:
    card = build(replace(FULL, event="failed", name=name, error=name, engines=(name,), parameters=(name,)))

    def markdown(value: Any) -> Iterator[str]:
        if isinstance(value, dict) and value.get("tag") == "lark_md":
            yield value["content"]
        for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            yield from markdown(entry)

    for content in markdown(card):
        label, _, rest = content.partition("\n")
        assert re.fullmatch(r"\*\*[A-Za-z]+\*\*", label)
        bare = re.sub(r"&#\d+;", "", rest)
        assert not set(bare) & set("<>*~`[]()#_&\n\\@"), content
    assert card["header"]["title"]["tag"] == "plain_text"


def test_a_card_is_never_larger_than_feishu_takes() -> None:
    huge = "<字>" * 30_000
    links = tuple((huge, f"https://x.example/{index}?{'a' * 1500}") for index in range(30))
    for notice in (
        replace(FULL, event="failed", name=huge, error=huge, engines=(huge,) * 9, parameters=(huge,) * 9),
        replace(FULL, links=links),
    ):
        assert len(webhook.request_body(build(notice), "s" * 100, 1_700_000_000)) <= 20_000


def test_signatures_are_as_documented() -> None:
    """Of Feishu's page on custom bots: the same algorithm's result for a fixed moment and secret."""
    assert (
        webhook.sign(1599360473, "secret") == webhook.sign(1599360473, "secret") != webhook.sign(1599360474, "secret")
    )
    feishu = Feishu(secret="demo")
    body = json.loads(webhook.request_body(build(FULL), "demo", int(__import__("time").time())))
    assert feishu.judge(json.dumps(body).encode())[0] == 0
    assert feishu.judge(json.dumps({**body, "timestamp": "1"}).encode())[0] == 19021


def test_a_card_is_sent_and_signed(feishu: Feishu, time: Time) -> None:
    feishu.secret = SECRET
    assert client(feishu, time, feishu_secret=SECRET).send(FULL) == ""
    assert feishu.shown == [build(FULL)] and time.waits == []


@pytest.mark.parametrize(
    ("settings", "server", "words"),
    [
        ({"feishu_secret": "another"}, {"secret": SECRET}, "SPLAZMATTE_FEISHU_SECRET"),
        ({}, {"secret": SECRET}, "SPLAZMATTE_FEISHU_SECRET"),
        ({}, {"keyword": "Rendering"}, "keyword"),
    ],
)
def test_what_feishu_refuses_is_said_and_not_tried_again(
    feishu: Feishu, time: Time, settings: dict[str, Any], server: dict[str, Any], words: str
) -> None:
    vars(feishu).update(server)
    with pytest.raises(NoticeError, match=words):
        client(feishu, time, **settings).send(FULL)
    assert len(feishu.requests) == 1 and not feishu.shown and time.waits == []


@pytest.mark.parametrize("event", ["started", "done", "failed", "test"])
def test_the_keyword_that_the_documents_name_is_on_every_card(feishu: Feishu, time: Time, event: Any) -> None:
    feishu.keyword = "SplazMatte"
    client(feishu, time).send(Notice(event, name="x"))


def test_a_clock_that_is_wrong_is_said(feishu: Feishu, time: Time) -> None:
    feishu.secret = SECRET
    late = Client(feishu.settings(feishu_secret=SECRET), today=lambda: 1_600_000_000.0, wait=time.wait)
    with pytest.raises(NoticeError, match="clock"):
        late.send(FULL)


def test_a_webhook_that_is_unknown_is_said(feishu: Feishu, time: Time) -> None:
    settings = Settings(_env_file=None, feishu_webhook_url=feishu.address + "/open-apis/bot/v2/hook/other")
    with pytest.raises(NoticeError, match="SPLAZMATTE_FEISHU_WEBHOOK_URL"):
        Client(settings, clock=time.clock, wait=time.wait).send(FULL)


LIMITED: Any = (200, {}, b'{"code": 11232, "msg": "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"}')


@pytest.mark.parametrize(
    "answer",
    [
        LIMITED,
        (500, {}, b"oops"),
        (502, {}, b"<html>bad gateway</html>"),
        (429, {}, b""),
        (503, {}, b'{"code": 5, "msg": ""}'),
    ],
    ids=["11232", "500", "502 HTML", "429", "503 with a code"],
)
def test_what_may_help_later_is_tried_again(feishu: Feishu, time: Time, answer: Any) -> None:
    feishu.answers = [answer] * 3
    assert client(feishu, time).send(FULL) == ""
    assert time.waits == [1, 2, 4] and len(feishu.shown) == 1
    feishu.answers = [answer] * 9
    with pytest.raises(NoticeError):
        client(feishu, time).send(FULL)
    assert len(feishu.answers) == 4


@pytest.mark.parametrize(("value", "waited"), [("7", 7), ("0", 0), ("9999999", 60), ("soon", 1), ("-5", 0)])
def test_it_waits_as_long_as_it_is_told(feishu: Feishu, time: Time, value: str, waited: float) -> None:
    feishu.answers = [(429, {"Retry-After": value}, b"")]
    client(feishu, time).send(FULL)
    assert time.waits == ([waited] if waited else [])


@pytest.mark.parametrize(
    "body",
    [b"<html>log in</html>", b"", b"[]", b'"ok"', b'{"ok": true}', b'{"code": "0"}', b'{"code": true}', b"\xff\xfe"],
)
def test_200_alone_is_no_success(feishu: Feishu, time: Time, body: bytes) -> None:
    feishu.answers = [(200, {}, body)]
    with pytest.raises(NoticeError, match="not Feishu"):
        client(feishu, time).send(FULL)


def test_old_answers_count_too(feishu: Feishu, time: Time) -> None:
    feishu.answers = [(200, {}, b'{"StatusCode": 0, "StatusMessage": "success"}')]
    client(feishu, time).send(FULL)


def test_redirects_are_not_followed(feishu: Feishu, time: Time) -> None:
    """Else whoever can answer once would get the card and its signature."""
    feishu.answers = [(307, {"Location": feishu.address + "/elsewhere"}, b"")]
    with pytest.raises(NoticeError, match="307"):
        client(feishu, time).send(FULL)


def test_an_answer_without_end_is_cut(feishu: Feishu, time: Time) -> None:
    feishu.answers = [(200, {}, b" " * 5_000_000)]
    with pytest.raises(NoticeError, match="not Feishu"):
        client(feishu, time).send(FULL)


def test_silence_and_cut_connections_are_tried_again(feishu: Feishu, time: Time) -> None:
    feishu.hang = True
    with pytest.raises(NoticeError, match="did not answer in time"):
        client(feishu, time).send(FULL, tries=2)
    feishu.hang, feishu.cut = False, True
    with pytest.raises(NoticeError, match="cannot be reached"):
        client(feishu, time).send(FULL, tries=2)
    assert time.waits == [1, 1]


def test_an_answer_that_drips_is_not_waited_for(feishu: Feishu, time: Time, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "LONGEST", -1.0)
    with pytest.raises(NoticeError, match="in time"):
        client(feishu, time).send(FULL, tries=1)


def test_nobody_there(feishu: Feishu, time: Time) -> None:
    settings = Settings(_env_file=None, feishu_webhook_url=f"http://127.0.0.1:1{HOOK}")
    with pytest.raises(NoticeError, match="check the network") as raised:
        Client(settings, clock=time.clock, wait=time.wait).send(FULL)
    assert time.waits == [1, 2, 4, 8] and "hook" not in str(raised.value)


def test_it_gives_up_when_there_is_no_point_in_waiting(feishu: Feishu, time: Time) -> None:
    feishu.answers, time.ended = [LIMITED] * 9, True
    with pytest.raises(NoticeError, match="too many messages"):
        client(feishu, time).send(FULL)
    assert len(feishu.requests) == 1


def test_the_limits_hold_at_any_time(feishu: Feishu, time: Time) -> None:
    sender, moments = client(feishu, time), []
    for _ in range(130):
        sender.send(Notice("started", name="x"))
        moments.append(time.now)
        time.now += 0.05
    for first in moments:
        assert sum(first <= moment < first + 1 for moment in moments) <= 5
        assert sum(first <= moment < first + 60 for moment in moments) <= 100
    assert moments[-1] - moments[0] < 90, "and no more is waited for than that"


def test_tries_count_for_the_pace_too() -> None:
    time = Time()
    pace = Pace(((2, 10.0),), time.clock)
    pace.note()
    pace.note()
    assert pace.wait() == 10
    time.now += 10
    assert pace.wait() == 0


def app_client(feishu: Feishu, time: Time, secret: str = APP_SECRET) -> Client:
    return client(feishu, time, feishu_app_id=APP, feishu_app_secret=secret)


def test_a_thumbnail_is_uploaded_once(feishu: Feishu, time: Time) -> None:
    sender = app_client(feishu, time)
    assert sender.takes_pictures and not client(feishu, time).takes_pictures
    for event in ("started", "done"):
        assert sender.send(replace(FULL, event=event), JPEG) == ""
    assert [e["img_key"] for card in feishu.shown for e in card["elements"] if e["tag"] == "img"] == ["img_1"] * 2
    assert len(feishu.images) == 1 and feishu.tokens == 1
    sender.send(FULL, JPEG + b"another")
    assert feishu.tokens == 1
    time.now += 7000
    sender.send(FULL, JPEG + b"a third")
    assert feishu.tokens == 2 and len(feishu.images) == 3


@pytest.mark.parametrize(("secret", "code"), [("wrong", 0), (APP_SECRET, 99991672)])
def test_without_a_thumbnail_the_card_goes_on(feishu: Feishu, time: Time, secret: str, code: int) -> None:
    feishu.image_code = code
    remark = app_client(feishu, time, secret).send(FULL, JPEG)
    assert remark.startswith("no thumbnail: ") and len(feishu.shown) == 1 and secret not in remark


def test_a_bot_alone_has_no_thumbnails(feishu: Feishu, time: Time) -> None:
    client(feishu, time).send(FULL, JPEG)
    assert not feishu.images and "img" not in [element["tag"] for element in feishu.shown[0]["elements"]]


BAD = [
    "ftp://open.feishu.cn/open-apis/bot/v2/hook/x",
    "open.feishu.cn/open-apis/bot/v2/hook/x",
    "https://open.feishu.cn/open-apis/bot/v2/hook/",
    "https://open.feishu.cn/open-apis/bot/hook/x",
    "https://open.feishu.cn/open-apis/bot/v2/hook/x?y=z",
    "https://open.feishu.cn/open-apis/bot/v2/hook/../x",
    "https:///open-apis/bot/v2/hook/x",
    "https://me:word@open.feishu.cn/open-apis/bot/v2/hook/x",
    "https://[bad/open-apis/bot/v2/hook/x",
    "https://open.feishu.cn:99999/open-apis/bot/v2/hook/x",
    "x" * 10_000,
    " ",
]


@pytest.mark.parametrize("address", BAD)
def test_settings_that_cannot_be_right_are_refused(address: str) -> None:
    with pytest.raises(ParameterError, match="SPLAZMATTE_FEISHU_WEBHOOK_URL") as raised:
        check_settings(Settings(_env_file=None, feishu_webhook_url=address))
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 250


@pytest.mark.parametrize("host", ["https://open.feishu.cn", "https://open.larksuite.com", "http://127.0.0.1:8080"])
def test_right_settings_are_taken(host: str) -> None:
    check_settings(Settings(_env_file=None, feishu_webhook_url=f"{host}/open-apis/bot/v2/hook/0b5c-7a"))
    check_settings(Settings(_env_file=None))


def test_an_app_needs_both() -> None:
    for app_id, secret in (("x", ""), ("", "x")):
        with pytest.raises(ParameterError, match="FEISHU_APP_SECRET"):
            check_settings(Settings(_env_file=None, feishu_app_id=app_id, feishu_app_secret=secret))


def test_a_test_card(feishu: Feishu) -> None:
    feishu.secret = SECRET
    send_test(feishu.settings(feishu_secret=SECRET, language="zh"))
    assert feishu.shown[0]["header"]["title"]["content"] == "SplazMatte 测试消息"
    with pytest.raises(NoticeError, match="SPLAZMATTE_FEISHU_SECRET"):
        send_test(feishu.settings())
    with pytest.raises(ParameterError, match="not set"):
        send_test(Settings(_env_file=None))


def test_no_secret_is_ever_said(feishu: Feishu, time: Time, caplog: pytest.LogCaptureFixture) -> None:
    """Of the webhook, the signing secret, the app's secret and its tokens: neither in errors nor logged by anybody."""
    caplog.set_level(logging.DEBUG)
    feishu.secret, said = SECRET, []
    answers: list[Any] = [[], [(500, {}, b"x")] * 9, [(200, {}, b"<html>")], [(404, {}, b"")]]
    for answer in answers:
        feishu.answers = list(answer)
        sender = client(feishu, time, feishu_secret=SECRET, feishu_app_id=APP, feishu_app_secret=APP_SECRET)
        try:
            said.append(sender.send(FULL, JPEG + str(answer).encode()))
        except NoticeError as error:
            said.append(str(error))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("http")]
    for text in [*said, *ours]:
        assert not any(secret in text for secret in (SECRET, APP_SECRET, "hook-token", "t-1")), text
