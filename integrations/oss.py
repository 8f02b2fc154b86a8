"""Aliyun OSS by oss2."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import oss2
from requests.exceptions import SSLError

from integrations.cloud_settings import CloudSettings
from integrations.storage import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Body,
    Part,
    Stored,
    judge,
    not_trusted,
    unexpected,
    unreachable,
)

for _name in ("oss2", "urllib3"):  # they write of signed requests, and of what the store says of them
    logging.getLogger(_name).setLevel(logging.CRITICAL)
_REGION = re.compile(r"(?:s3\.)?oss-([a-z]+-[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com")


class Oss:
    """A bucket; see integrations.storage.Bucket.

    Signatures are of version 4, which new buckets ask for, where the endpoint tells the region; else of version 1.
    oss2's own CRC-64 is off: without a C compiler it is a slow one in Python. Each part's MD5 is checked by the store
    instead, and the store's CRC-64 of the whole is compared with what those of the parts make.
    """

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        region = region_of(settings.host)
        keys = settings.key_id.get_secret_value(), settings.secret.get_secret_value()
        self._bucket = oss2.Bucket(
            oss2.AuthV4(*keys) if region else oss2.Auth(*keys),
            settings.endpoint,
            settings.bucket,
            connect_timeout=(CONNECT_SECONDS, READ_SECONDS),
            enable_crc=False,
            region=region,
        )

    def begin(self, key: str, content_type: str) -> str:
        """Begin a multipart upload and return its id."""
        with self._explained():
            return str(self._bucket.init_multipart_upload(key, headers={"Content-Type": content_type}).upload_id)

    def put_part(self, key: str, upload_id: str, number: int, body: Body, md5: bytes) -> Part:
        """Send a part."""
        with self._explained():
            answer = self._bucket.upload_part(key, upload_id, number, body, headers=_md5_header(md5))
        return Part(number, len(body), _plain(answer.etag), answer.etag, _number(answer.crc))

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """Return the parts that are there."""
        found: list[Part] = []
        marker = ""
        while True:
            with self._explained():
                answer = self._bucket.list_parts(key, upload_id, marker=marker)
            found += [
                Part(row.part_number, row.size, _plain(row.etag), row.etag, _number(row.part_crc))
                for row in answer.parts
            ]
            if not answer.is_truncated:
                return found
            marker = answer.next_marker

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts."""
        listed = [oss2.models.PartInfo(part.number, part.tag) for part in parts]
        with self._explained():
            self._bucket.complete_multipart_upload(key, upload_id, listed)

    def abort(self, key: str, upload_id: str) -> None:
        """Give a multipart upload up, with its parts."""
        with self._explained():
            self._bucket.abort_multipart_upload(key, upload_id)

    def put(self, key: str, body: Body, md5: bytes, content_type: str) -> str:
        """Send a small object whole."""
        headers = {**_md5_header(md5), "Content-Type": content_type}
        with self._explained():
            answer = self._bucket.put_object(key, body, headers=headers)
        return _text(_number(answer.crc))

    def checksum(self, parts: Sequence[Part]) -> str:
        """Return the CRC-64 that an object of these parts has."""
        whole = 0
        combine = oss2.utils.Crc64().combine
        for part in parts:
            if part.crc is None:
                return ""
            whole = combine(whole, part.crc, part.size)
        return _text(whole)

    def head(self, key: str) -> Stored | None:
        """Return what the store has under a key."""
        with self._explained():
            try:
                answer = self._bucket.head_object(key)
            except oss2.exceptions.NotFound:
                return None
        return Stored(int(answer.content_length), _text(_number(answer.server_crc)))

    def read(self, key: str) -> bytes:
        """Return a small object."""
        with self._explained():
            return bytes(self._bucket.get_object(key).read())

    def delete(self, key: str) -> None:
        """Delete an object."""
        with self._explained(), suppress(oss2.exceptions.NoSuchKey):
            self._bucket.delete_object(key)

    def signed(self, key: str, seconds: int) -> str:
        """Return a link that holds for so long."""
        with self._explained():
            return str(self._bucket.sign_url("GET", key, seconds, slash_safe=True))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the library's errors into ours; none of its words is kept."""
        try:
            yield
        except oss2.exceptions.RequestError as error:
            raise (not_trusted if isinstance(error.exception, SSLError) else unreachable)(self.settings) from None
        except oss2.exceptions.ServerError as error:
            code = "PermanentRedirect" if error.details.get("Endpoint") else str(error.code)
            raise judge(self.settings, error.status, code, error.headers.get("Retry-After", "")) from None
        except oss2.exceptions.OssError as error:
            raise unexpected(error) from None
        except OSError:  # requests lets a cut in the middle of an answer through
            raise unreachable(self.settings) from None


def region_of(host: str) -> str | None:
    """Return the region of an endpoint; None where its name does not tell it."""
    found = _REGION.fullmatch(host)
    return found[1] if found and not found[1].startswith("accelerate") else None


def _md5_header(md5: bytes) -> dict[str, str]:
    return {"Content-MD5": base64.b64encode(md5).decode()}


def _plain(tag: str) -> str:
    text = tag.strip('"').lower()
    return text if re.fullmatch(r"[0-9a-f]{32}", text) else ""


def _number(crc: Any) -> int | None:
    return None if crc is None else int(crc)


def _text(crc: int | None) -> str:
    return "" if crc is None else f"{crc:016x}"
