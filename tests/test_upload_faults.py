"""What faults make of uploads, to R2 and OSS alike: tried again, failed at once, gone on with."""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import re
import threading
import tracemalloc
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest

from errors import Cancelled, UploadError
from integrations import upload as module
from integrations.ledger import FILE_NAME
from integrations.sending import Amount, Retry
from integrations.source import cut
from log import about, to_job_file
from pages.texts.messages import in_chinese
from tests.app_process import wait_for
from tests.cloud_bench import DATA, PART, Cloud, cloud_of, noise, settled, source, wrong
from tests.faulty import Fault, Request, Response, error
from tests.oss_store import OssStore


@pytest.mark.parametrize(
    "fault",
    [
        Fault("PUT part 2", cut=10_000),
        Fault("PUT part 2", cut=-1),
        Fault("PUT part .", times=3, cut=0),
        Fault("POST begin", cut=-1),
        Fault("complete", cut=0),
        Fault("complete", cut=-1),
        Fault("HEAD", cut=-1),
        Fault("PUT part 3", times=2, answer=error(503, "SlowDown")),
        Fault("PUT part 3", answer=error(500, "InternalError")),
        Fault("complete", answer=error(429, "TooManyRequests")),
        Fault("PUT part 1", damage=True),
    ],
    ids=lambda fault: f"{fault.what} cut={fault.cut} {fault.answer.status if fault.answer else ''}",
)
def test_what_passes_is_tried_again(cloud: Cloud, fault: Fault) -> None:
    cloud.store.faults.append(fault)
    file, times = source(DATA), fault.times
    cloud.uploader().upload([file])
    assert cloud.content(file.key) == DATA and fault.times == 0
    assert cloud.store.count("PUT part .") <= 5 + times
    assert len(cloud.retry.wanted) == times


def test_a_small_file_is_tried_again_too(cloud: Cloud) -> None:
    cloud.store.faults += [Fault("PUT", cut=2), Fault("PUT", answer=error(503, "ServiceUnavailable"))]
    file = source(b"tracks")
    cloud.uploader().upload([file])
    assert cloud.content(file.key) == b"tracks" and cloud.store.count("PUT") == 3


def test_a_store_is_left_alone_for_as_long_as_it_wants(cloud: Cloud) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=40), usegmt=True)
    for wish in ("7", later, "nonsense", "100000"):
        cloud.store.faults.append(Fault("PUT part 1", answer=error(503, "SlowDown", Retry_After=wish)))
    cloud.retry = type(cloud.retry)(tries=9)
    cloud.uploader().upload([source(DATA)])
    first, second, third, fourth = cloud.retry.wanted
    assert (first, third, fourth) == (7, 0, 300) and 30 < second <= 40


def test_the_log_says_why_an_upload_waits(cloud: Cloud) -> None:
    cloud.store.faults += [Fault("PUT", answer=error(503, "SlowDown")), Fault("PUT", cut=0)]
    log = cloud.folder / "job.log"
    with to_job_file(log), about(session_id="20260101-aa"):
        cloud.uploader().upload([source(b"x")])
    first, second = [json.loads(line) for line in log.read_text().splitlines() if "trying again" in line]
    assert (first["reason"], first["failures"], first["session_id"]) == ("503 SlowDown", 1, "20260101-aa")
    assert second["reason"].startswith("no connection to ") and second["failures"] == 2


def test_pauses_grow_and_are_never_shorter_than_wanted() -> None:
    retry = Retry(tries=9, base=1, cap=10)
    for failures, pause in ((1, 1), (2, 2), (3, 4), (6, 10), (9, 10)):
        assert 0.5 * pause <= retry.pause(failures, 0) <= 1.5 * pause
    assert retry.pause(1, 77) == 77
    assert len({retry.pause(3, 0) for _ in range(9)}) > 1


def test_a_server_that_is_silent_counts_as_cut(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"integrations.{cloud.bucket.settings.backend}.READ_SECONDS", 0.2)
    cloud.retry = type(cloud.retry)(tries=20)  # a busy machine may be silent for so long too
    cloud.store.faults += [Fault("PUT part 2", hold=threading.Event()), Fault("POST begin", hold=threading.Event())]
    file = source(DATA)
    cloud.uploader().upload([file])
    assert cloud.content(file.key) == DATA


def test_a_store_that_stays_away_fails_with_what_was_sent_kept(cloud: Cloud) -> None:
    cloud.store.faults.append(Fault("PUT part 4", times=4, answer=error(503, "SlowDown")))
    with pytest.raises(UploadError, match=r"failed 4 times \(503 SlowDown\); what was sent is kept"):
        cloud.uploader().upload([source(DATA)])
    assert cloud.ledger.read().begun


def test_nobody_there(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from config import get_settings

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv(f"SPLAZMATTE_{cloud.bucket.settings.backend.upper()}_ENDPOINT", "http://store.invalid")
    get_settings.cache_clear()
    with pytest.raises(UploadError, match=r"no connection to store\.invalid, or it was cut"):
        cloud.uploader().upload([source(b"x")])
    assert len(cloud.retry.wanted) == 3


FINAL = [
    (403, "SignatureDoesNotMatch", "check SPLAZMATTE_"),
    (403, "InvalidAccessKeyId", "check SPLAZMATTE_"),
    (401, "Unauthorized", "check SPLAZMATTE_"),
    (403, "AccessDenied", "let it read, write and delete"),
    (403, "RequestTimeTooSkewed", "set the clock"),
    (404, "NoSuchBucket", "there is no bucket 'results'"),
    (507, "InsufficientStorage", "is full"),
    (403, "QuotaExceeded", "is full"),
    (400, "XMinioStorageFull", "is full"),
    (403, "UserDisable", "suspended"),
    (301, "PermanentRedirect", "another region"),
    (400, "InvalidArgument", "400 InvalidArgument"),
    (501, "NotImplemented", "501 NotImplemented"),
]


@pytest.mark.parametrize(("status", "code", "words"), FINAL, ids=[f"{status} {code}" for status, code, _ in FINAL])
def test_what_does_not_pass_fails_at_once_and_says_what_to_do(cloud: Cloud, status: int, code: str, words: str) -> None:
    cloud.store.faults.append(Fault("PUT part 1", times=9, answer=error(status, code)))
    with pytest.raises(UploadError, match=words) as caught:
        cloud.uploader().upload([source(DATA)])
    assert cloud.store.count("PUT part 1") == 1 + (status == 301 and cloud.bucket.settings.backend == "r2")
    message = str(caught.value)
    assert "\n" not in message and "secret words" not in message and len(message) < 200
    assert in_chinese(message) != message, "it has no Chinese"


@pytest.mark.parametrize("part", ["id", "secret"])
def test_a_wrong_key_is_refused_by_the_store_itself(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, part: str) -> None:
    from config import get_settings

    ending = {"id": "KEY_ID", "secret": "SECRET_ACCESS_KEY|ACCESS_KEY_SECRET"}[part]
    (name,) = [name for name in cloud.settings if re.search(f"({ending})$", name)]
    monkeypatch.setenv(name, "WrongKey0123456789")
    get_settings.cache_clear()
    with pytest.raises(UploadError, match=f"does not accept the key; check .*{name}"):
        cloud.uploader().upload([source(DATA)])
    assert cloud.store.seen == ["POST begin"]


def test_an_upload_goes_on_where_it_ended(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 1)
    cloud.store.faults.append(Fault("PUT part [45]", times=9, answer=error(507, "InsufficientStorage")))
    with pytest.raises(UploadError, match="is full"):
        cloud.uploader().upload([source(DATA)])
    there = {part.number for part in cloud.bucket.parts(source(DATA).key, begun(cloud))}
    assert there == {1, 2, 3}
    cloud.store.faults.clear()
    cloud.store.seen.clear()
    if isinstance(cloud.store, OssStore):
        cloud.store.page = 2
    told: list[Amount] = []
    cloud.uploader(on_progress=told.append).upload([source(DATA)])
    assert cloud.content(source(DATA).key) == DATA and "POST begin" not in cloud.store.seen
    sent = {int(what.split()[-1]) for what in cloud.store.seen if what.startswith("PUT part")}
    assert sent == {1, 2, 3, 4, 5} - there
    assert told[-1].done == len(DATA) and told[-1].sent < len(DATA)


def begun(cloud: Cloud) -> str:
    (entry,) = cloud.ledger.read().begun.values()
    return entry.upload_id


def half_way(cloud: Cloud) -> None:
    """Upload the first parts, and fail."""
    cloud.store.faults.append(Fault("PUT part [345]", times=9, answer=error(507, "InsufficientStorage")))
    with pytest.raises(UploadError):
        cloud.uploader().upload([source(DATA)])
    settled()
    cloud.store.faults.clear()
    cloud.store.seen.clear()


def test_a_file_that_has_changed_begins_anew_and_gives_the_old_upload_up(cloud: Cloud) -> None:
    half_way(cloud)
    other = noise(len(DATA), 2)
    cloud.uploader().upload([source(other, identity="2")])
    assert cloud.content(source(other).key) == other
    assert cloud.store.count("abort") == 1 and cloud.store.count("PUT part .") == 5 and cloud.open_uploads() == 0


def test_bytes_that_changed_in_secret_are_sent_all_the_same(cloud: Cloud) -> None:
    half_way(cloud)
    other = bytes([DATA[0] ^ 1]) + DATA[1:]
    cloud.uploader().upload([source(other)])
    assert cloud.content(source(DATA).key) == other and cloud.store.count("PUT part 1") == 1


def test_an_upload_that_the_store_has_forgotten_begins_anew(cloud: Cloud) -> None:
    half_way(cloud)
    cloud.end_uploads()
    cloud.uploader().upload([source(DATA)])
    assert cloud.content(source(DATA).key) == DATA and cloud.store.count("PUT part .") == 5


def test_what_is_up_stays_while_a_newer_one_is_not(cloud: Cloud) -> None:
    cloud.uploader().upload([source(b"before", identity="0")])
    half_way(cloud)
    assert cloud.content(source(DATA).key) == b"before" and list(cloud.ledger.read().done) == [source(DATA).key]
    cloud.end_uploads()
    cloud.store.faults.append(Fault("POST begin", answer=error(507, "InsufficientStorage")))
    with pytest.raises(UploadError):
        cloud.uploader().upload([source(DATA)])
    assert list(cloud.ledger.read().done) == [source(DATA).key] and not cloud.ledger.read().begun


def test_an_upload_that_is_forgotten_under_way_begins_anew(cloud: Cloud) -> None:
    cloud.store.faults.append(Fault("PUT part 3", answer=error(404, "NoSuchUpload")))
    told: list[Amount] = []
    cloud.uploader(on_progress=told.append).upload([source(DATA)])
    assert cloud.content(source(DATA).key) == DATA and cloud.store.count("POST begin") == 2
    assert told[-1].done == len(DATA)


def test_a_store_that_forgets_for_ever_is_an_error(cloud: Cloud) -> None:
    cloud.store.faults.append(Fault("PUT part 1", times=99, answer=error(404, "NoSuchUpload")))
    with pytest.raises(UploadError, match="forgot the upload"):
        cloud.uploader().upload([source(DATA)])


def test_a_wrong_sum_deletes_and_sends_again(cloud: Cloud) -> None:
    cloud.store.faults.append(Fault("HEAD", change=wrong))
    cloud.uploader().upload([source(DATA)])
    assert cloud.content(source(DATA).key) == DATA
    assert cloud.store.count("DELETE") == 1 and cloud.store.count("PUT part .") == 10


@pytest.mark.parametrize("data", [DATA, b"small"], ids=["parts", "small"])
def test_a_wrong_sum_twice_is_an_error_and_leaves_nothing(cloud: Cloud, data: bytes) -> None:
    cloud.uploader().upload([source(b"before", identity="0")])
    cloud.store.faults.append(Fault("HEAD", times=3, change=wrong))
    with pytest.raises(UploadError, match=r"Kugel ö #1 50%\+\.mp4 came damaged 2 times and was deleted"):
        cloud.uploader().upload([source(data)])
    assert cloud.content(source(data).key) is None and cloud.ledger.read() == type(cloud.ledger.read())()


def test_stopping_is_heard_while_the_store_is_silent_and_keeps_what_was_sent(cloud: Cloud) -> None:
    cloud.store.faults.append(Fault("PUT part 4", hold=threading.Event()))

    def stopped() -> bool:
        return cloud.store.holding.acquire(blocking=False)

    with pytest.raises(Cancelled, match="goes on from there"):
        cloud.uploader(should_stop=stopped).upload([source(DATA)])
    cloud.store.seen.clear()
    cloud.uploader().upload([source(DATA)])
    assert cloud.content(source(DATA).key) == DATA and cloud.store.count("PUT part .") <= 4


def test_a_damaged_note_of_what_is_up_costs_only_an_upload(cloud: Cloud) -> None:
    cloud.uploader().upload([source(DATA)])
    (cloud.folder / FILE_NAME).write_text("{")
    cloud.uploader().upload([source(DATA)])
    assert cloud.store.count("POST begin") == 2 and list(cloud.ledger.read().done) == [source(DATA).key]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_whatever_happens_it_is_whole_in_the_end(cloud: Cloud, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    dice = random.Random(seed)
    whats = ("PUT part .", "PUT", "POST begin", "complete", "HEAD", "list", "abort", "DELETE")
    files = [source(noise(dice.choice((0, 9, PART, 4 * PART + 7)), number), f"{number}.mp4") for number in range(3)]
    for _ in range(40):
        cloud.store.faults = [
            dice.choice(
                (
                    Fault(dice.choice(whats), cut=dice.choice((-1, 0, 5000))),
                    Fault(dice.choice(whats), times=2, answer=error(dice.choice((429, 500, 503)), "SlowDown")),
                    Fault(dice.choice(whats), times=9, answer=error(507, "InsufficientStorage")),
                    Fault("PUT part .|PUT", damage=True),
                    Fault("HEAD", change=wrong),
                    Fault("complete|list|PUT part .", answer=error(404, "NoSuchUpload")),
                )
            )
            for _ in range(dice.randrange(5))
        ]
        stop_after = dice.choice((5, 10**9))
        count = itertools.count()
        try:
            cloud.uploader(should_stop=lambda: next(count) > stop_after).upload(files)  # noqa: B023 - called within
            break
        except (UploadError, Cancelled):
            continue
    else:
        pytest.fail("it has never come to an end")
    for file in files:
        assert cloud.content(file.key) == b"".join(file.blocks())
    assert not cloud.ledger.read().begun


def test_a_part_is_let_go_of_once_it_is_there(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    alive: set[int] = set()

    class Piece(bytes):
        number = 0

        def __del__(self) -> None:
            alive.discard(self.number)

    def piece(number: int, data: bytes) -> Piece:
        made = Piece(data)
        made.number = number
        alive.add(number)
        return made

    def pieces(blocks: Iterable[bytes], size: int) -> Iterator[bytes]:
        for number, data in enumerate(cut(blocks, size), 1):
            if number == 8:
                wait_for(lambda: not alive & {1, 2, 3, 4}, 20, what="the first parts to be let go of")
            yield piece(number, data)

    monkeypatch.setattr(module, "cut", pieces)
    monkeypatch.setattr(module, "AT_ONCE", 1)
    file = source(noise(8 * PART))
    cloud.uploader().upload([file])
    assert cloud.content(file.key) == noise(8 * PART)


@pytest.mark.slow
def test_memory_stays_flat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    block, mib = noise(1 << 20), 240
    with cloud_of("oss v1", tmp_path / "session", monkeypatch) as cloud:
        cloud.store.answer = taken
        file = replace(source(b"", "240"), size=mib << 20, blocks=partial(repeated, block, mib))
        with pytest.raises(UploadError, match="damaged"):  # this store keeps nothing
            cloud.uploader().upload([source(b"first, as modules are loaded then")])
        tracemalloc.start()
        with pytest.raises(UploadError, match="damaged"):
            cloud.uploader().upload([file])
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # Those on their way, each once more in the server (a thread of this process), one that waits, one being cut, and
    # two that a thread has not let go of yet.
    assert most < (2 * module.AT_ONCE + 4) * file.part_size + (4 << 20), most


def repeated(block: bytes, times: int) -> Generator[bytes]:
    yield from repeat(block, times)


def taken(request: Request) -> Response:
    """Answer as a store that takes everything and keeps nothing."""
    if request.what == "POST begin":
        return Response(200, b"<R><UploadId>U</UploadId></R>")
    return Response(200, headers={"ETag": f'"{hashlib.md5(request.body).hexdigest()}"'})
