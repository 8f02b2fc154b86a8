"""Uploads to stores that check signatures, R2 and OSS alike: whole, checked, and the links to them."""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from errors import UploadError
from integrations import oss, r2
from integrations.cloud_settings import CloudSettings, required_settings
from integrations.ledger import FILE_NAME
from integrations.sending import Amount
from integrations.source import cut
from integrations.storage import Passing, judge, link
from integrations.upload import check
from tests.cloud_bench import DATA, PART, Cloud, cloud_of, small_parts, source
from tests.faulty import Fault, Response, error
from tests.oss_store import OssStore, crc64


def test_a_file_goes_in_parts_and_is_checked(cloud: Cloud) -> None:
    told: list[Amount] = []
    file = source(DATA)
    (up,) = cloud.uploader(on_progress=told.append).upload([file])
    assert cloud.content(file.key) == DATA and (up.size, up.key, up.label) == (len(DATA), file.key, "alpha")
    assert up.checksum == (f"{crc64(DATA):016x}" if isinstance(cloud.store, OssStore) else up.checksum) != ""
    assert sorted(cloud.store.seen) == sorted(
        ["POST begin", *(f"PUT part {number}" for number in range(1, 6)), "complete", "HEAD"]
    )
    assert (told[-1].done, told[-1].total, told[-1].sent) == (len(DATA),) * 3
    assert cloud.open_uploads() == 0 and not cloud.ledger.read().begun


@pytest.mark.parametrize("size", [0, 1, PART, PART + 1])
def test_sizes_at_the_edges(cloud: Cloud, size: int) -> None:
    file = source(DATA[:size])
    assert cloud.uploader().upload([file])[0].size == size
    assert cloud.content(file.key) == DATA[:size]
    assert ("POST begin" in cloud.store.seen) is (size > PART)


def test_what_is_up_is_not_sent_again_unless_it_changed_or_is_gone(cloud: Cloud) -> None:
    files = [source(DATA, "a.mp4"), source(b"small", "b.txt")]
    first = cloud.uploader().upload(files)
    cloud.store.seen.clear()
    told: list[Amount] = []
    assert cloud.uploader(on_progress=told.append).upload(files) == first
    assert cloud.store.seen == ["HEAD", "HEAD"] and told[-1].done == told[-1].total and told[-1].sent == 0
    cloud.bucket.delete(files[1].key)
    cloud.uploader().upload(files)
    assert cloud.content(files[1].key) == b"small"
    cloud.uploader().upload([source(b"other", "b.txt", identity="2")])
    assert cloud.content(files[1].key) == b"other"


@pytest.mark.parametrize("name", ["a b.mp4", "Kugel ö #1 50%+&?.mp4", "球 'x' (1)=;,@!$~.mov", "%2F%41.mp4"])
def test_links_open_whatever_the_name_and_only_for_a_time(
    cloud: Cloud, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = source(b"film", name)
    cloud.uploader().upload([file])
    assert cloud.content(file.key) == b"film"
    url = link(cloud.bucket, file.key)
    answer = cloud.download(url)
    assert (answer.status, answer.body, answer.headers.get("content-type")) == (200, b"film", "video/mp4")
    assert all(word not in url for word in cloud.secrets[1:])
    assert cloud.download(url.replace("fix", "fox")).status == 403
    assert cloud.download(cloud.bucket.signed(file.key, -10)).status == 403


def test_links_of_a_public_domain_need_no_signature(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    from config import get_settings

    monkeypatch.setenv(f"SPLAZMATTE_{cloud.bucket.settings.backend.upper()}_CDN_DOMAIN", "cdn.example.com")
    get_settings.cache_clear()
    assert link(cloud.bucket, "p/Kugel ö #1.mp4") == "https://cdn.example.com/p/Kugel%20%C3%B6%20%231.mp4"


def test_the_check_writes_reads_and_leaves_nothing(cloud: Cloud) -> None:
    check(cloud.bucket, "pre/fix/.check", cloud.retry)
    assert cloud.content("pre/fix/.check") is None and cloud.open_uploads() == 0
    cloud.store.faults.append(Fault("DELETE", answer=error(403, "AccessDenied")))
    with pytest.raises(UploadError, match="let it read, write and delete"):
        check(cloud.bucket, "pre/fix/.check", cloud.retry)
    cloud.store.faults.append(Fault("PUT", times=9, cut=0))
    with pytest.raises(UploadError, match=r"check SPLAZMATTE_.*_ENDPOINT and the network, or try again later$"):
        check(cloud.bucket, "pre/fix/.check", cloud.retry)


def test_nothing_secret_is_logged_noted_or_said(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    faults = (
        Fault("PUT part 1", cut=10),
        Fault("PUT part 2", answer=error(403, "SignatureDoesNotMatch")),
        Fault("complete", answer=error(400, "".join(cloud.secrets))),
    )
    for number, fault in enumerate(faults):
        cloud.store.faults = [fault]
        try:
            cloud.uploader().upload([source(DATA, f"{number}.mp4")])
        except UploadError as failure:
            said.append(repr(failure) + repr(failure.__cause__))
    assert len(said) == 2
    text = caplog.text + "".join(said) + (cloud.folder / FILE_NAME).read_text() + repr(required_settings())
    assert [secret for secret in cloud.secrets if secret in text] == []


@pytest.mark.parametrize("version", ["oss", "oss v1"])
def test_oss_is_signed_by_version_4_where_the_region_is_known(
    version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_parts(monkeypatch)
    with cloud_of(version, tmp_path / "session", monkeypatch) as cloud:
        cloud.uploader().upload([source(DATA)])
        assert cloud.download(link(cloud.bucket, source(DATA).key)).body == DATA
        assert isinstance(cloud.store, OssStore)
        assert cloud.store.versions == {"v1" if version == "oss v1" else "v4"}


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("oss-cn-hangzhou.aliyuncs.com", "cn-hangzhou"),
        ("oss-cn-hangzhou-internal.aliyuncs.com", "cn-hangzhou"),
        ("oss-ap-southeast-1.aliyuncs.com", "ap-southeast-1"),
        ("oss-accelerate.aliyuncs.com", None),
        ("oss-accelerate-overseas.aliyuncs.com", None),
        ("oss.example.com", None),
    ],
)
def test_the_region_is_read_off_the_endpoint_of_oss(host: str, region: str | None) -> None:
    assert oss.region_of(host) == region


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("abc.r2.cloudflarestorage.com", "auto"),
        ("s3.eu-central-1.amazonaws.com", "eu-central-1"),
        ("s3.us-west-004.backblazeb2.com", "us-west-004"),
        ("127.0.0.1", "auto"),
    ],
)
def test_the_region_is_read_off_the_endpoint_of_s3(host: str, region: str) -> None:
    assert r2.region_of(host) == region


@given(st.lists(st.binary(max_size=40)), st.integers(1, 50))
def test_pieces_are_the_same_bytes_in_equal_sizes(blocks: list[bytes], size: int) -> None:
    pieces = list(cut(blocks, size))
    assert b"".join(pieces) == b"".join(blocks)
    assert all(len(piece) == size for piece in pieces[:-1]) and all(pieces)
    assert len(pieces) == -(-len(b"".join(blocks)) // size)


@pytest.mark.parametrize("size", [0, 1, 8 << 20, 70_000_000_000, 75_497_472_000, 75_497_472_001, 5 * 10**12])
def test_no_file_has_more_parts_than_stores_take(size: int) -> None:
    part = replace(source(b""), size=size).part_size
    assert -(-size // part) <= 10_000 and part >= 5 << 20


def test_answers_that_make_no_sense_are_errors_too() -> None:
    settings = CloudSettings("r2", "https://h", "b", SecretStr("k"), SecretStr("s"), "", "", 60)
    assert isinstance(judge(settings, 599, "\n<x>", "-5"), Passing)
    assert re.fullmatch(r"the cloud store refused a request: 418 \w{40}", str(judge(settings, 418, "A\nB <c>" * 50)))
    assert isinstance(judge(settings, 0, ""), UploadError)


def test_all_parts_are_listed_however_many_pages_they_take() -> None:
    rows = [{"PartNumber": number, "Size": 5, "ETag": f'"{number:032x}"'} for number in range(1, 6)]

    def list_parts(PartNumberMarker: int = 0, **_: object) -> dict[str, object]:  # noqa: N803 - S3's name
        last = PartNumberMarker + 2
        return {"Parts": rows[PartNumberMarker:last], "IsTruncated": last < 5, "NextPartNumberMarker": last}

    bucket = r2.R2(CloudSettings("r2", "https://h", "b", SecretStr("k"), SecretStr("s"), "", "", 60))
    bucket._client = SimpleNamespace(list_parts=list_parts)
    assert [part.number for part in bucket.parts("k", "u")] == [1, 2, 3, 4, 5]


def test_a_store_that_encrypts_with_a_key_of_the_users_is_checked_by_size(cloud: Cloud) -> None:
    def encrypted(response: Response) -> Response:
        headers = {name: value for name, value in response.headers.items() if "crc64" not in name.lower()}
        return Response(response.status, response.body, headers | {"x-amz-server-side-encryption": "aws:kms"})

    cloud.store.faults.append(Fault("PUT part .|HEAD", times=9, change=encrypted))
    (up,) = cloud.uploader().upload([source(DATA)])
    assert (up.size, up.checksum) == (len(DATA), "") and cloud.content(source(DATA).key) == DATA
    assert cloud.uploader().upload([source(DATA)]) == [up]
