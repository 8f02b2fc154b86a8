"""Cloudflare R2, and other stores that speak S3, by boto3."""

from __future__ import annotations

import base64
import hashlib
import logging
import os
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
    SSLError,
)

from integrations.cloud_settings import CloudSettings
from integrations.storage import (
    CONNECT_SECONDS,
    READ_SECONDS,
    Body,
    Forgotten,
    Part,
    Stored,
    judge,
    not_trusted,
    unexpected,
    unreachable,
)

for _name in ("boto3", "botocore", "urllib3"):  # at their lower levels they write of signed requests
    logging.getLogger(_name).setLevel(logging.ERROR)
_REGION = re.compile(r"s3[.-]([a-z]+(?:-[a-z]+)+-?\d+)\.")


_making = threading.Lock()
"""boto3 makes one client at a time."""


class R2:
    """A bucket; see integrations.storage.Bucket."""

    def __init__(self, settings: CloudSettings) -> None:
        self.settings = settings
        self._client = _client(settings)

    def begin(self, key: str, content_type: str) -> str:
        """Begin a multipart upload and return its id."""
        return str(self._ask("create_multipart_upload", Key=key, ContentType=content_type)["UploadId"])

    def put_part(self, key: str, upload_id: str, number: int, body: Body, md5: bytes) -> Part:
        """Send a part."""
        body.counts = False  # it is read for its signature first, where the connection is not a secure one
        place = {"Key": key, "UploadId": upload_id, "PartNumber": number}
        answer = self._ask("upload_part", **place, Body=body, ContentMD5=_base64(md5))
        return Part(number, len(body), _md5_of(answer), str(answer["ETag"]))

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """Return the parts that are there."""
        found: list[Part] = []
        more: dict[str, Any] = {}
        while True:
            answer = self._ask("list_parts", Key=key, UploadId=upload_id, **more)
            found += [
                Part(int(row["PartNumber"]), int(row["Size"]), _md5_of(row), str(row["ETag"]))
                for row in answer.get("Parts", ())
            ]
            if not answer.get("IsTruncated"):
                return found
            more = {"PartNumberMarker": answer["NextPartNumberMarker"]}

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts."""
        listed = [{"PartNumber": part.number, "ETag": part.tag} for part in parts]
        self._ask("complete_multipart_upload", Key=key, UploadId=upload_id, MultipartUpload={"Parts": listed})

    def abort(self, key: str, upload_id: str) -> None:
        """Give a multipart upload up, with its parts."""
        self._ask("abort_multipart_upload", Key=key, UploadId=upload_id)

    def put(self, key: str, body: Body, md5: bytes, content_type: str) -> str:
        """Send a small object whole."""
        body.counts = False
        self._ask("put_object", Key=key, Body=body, ContentMD5=_base64(md5), ContentType=content_type)
        return md5.hex()

    def checksum(self, parts: Sequence[Part]) -> str:
        """Return the ETag that an object of these parts has: the MD5 of their MD5s, and their number."""
        if any(not part.md5 for part in parts):
            return ""
        joined = b"".join(bytes.fromhex(part.md5) for part in parts)
        return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest()}-{len(parts)}"

    def head(self, key: str) -> Stored | None:
        """Return what the store has under a key."""
        try:
            answer = self._ask("head_object", Key=key)
        except _Missing:
            return None
        return Stored(int(answer["ContentLength"]), "" if _has_own_tags(answer) else _plain(answer["ETag"]))

    def read(self, key: str) -> bytes:
        """Return a small object."""
        with self._explained():
            return bytes(self._client.get_object(Bucket=self.settings.bucket, Key=key)["Body"].read())

    def delete(self, key: str) -> None:
        """Delete an object."""
        with suppress(_Missing):
            self._ask("delete_object", Key=key)

    def signed(self, key: str, seconds: int) -> str:
        """Return a link that holds for so long."""
        place = {"Bucket": self.settings.bucket, "Key": key}
        with self._explained():
            return str(self._client.generate_presigned_url("get_object", Params=place, ExpiresIn=seconds))

    def _ask(self, operation: str, **parameters: Any) -> dict[str, Any]:
        with self._explained():
            return dict(getattr(self._client, operation)(Bucket=self.settings.bucket, **parameters))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn the library's errors into ours; none of its words is kept."""
        try:
            yield
        except ClientError as error:
            answer = error.response.get("ResponseMetadata", {})
            status, code = int(answer.get("HTTPStatusCode", 0)), str(error.response.get("Error", {}).get("Code", ""))
            of_none = (error.operation_name, status) == ("HeadObject", 404)  # it has no body, and no code in it
            if of_none or (error.operation_name, code) == ("DeleteObject", "NoSuchKey"):
                raise _Missing from None
            raise judge(self.settings, status, code, answer.get("HTTPHeaders", {}).get("retry-after", "")) from None
        except SSLError:
            raise not_trusted(self.settings) from None
        except (ConnectionError, HTTPClientError, IncompleteReadError):
            raise unreachable(self.settings) from None
        except BotoCoreError as error:
            raise unexpected(error) from None


class _Missing(Forgotten):
    """There is no such object."""


def region_of(host: str) -> str:
    """Return the region of a host such as s3.eu-central-1.amazonaws.com; R2's only one is called auto."""
    found = _REGION.match(host)
    return found[1] if found else "auto"


@cache
def _session() -> Any:
    """Return what makes clients; it follows our settings alone: no profile, no file of another program."""
    plain: dict[str, Any] = {"profile": (None, [], None, None), "config_file": (None, None, os.devnull, None)}
    return boto3.session.Session(botocore_session=botocore.session.Session(session_vars=plain))


def _client(settings: CloudSettings) -> Any:
    with _making:
        client = _session().client(
            "s3",
            endpoint_url=settings.endpoint,
            region_name=region_of(settings.host),
            aws_access_key_id=settings.key_id.get_secret_value(),
            aws_secret_access_key=settings.secret.get_secret_value(),
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": 1},  # ours count what is new, know to wait, and can be stopped
                request_checksum_calculation="when_required",  # R2 has not all of S3's newer checksums
                response_checksum_validation="when_required",
            ),
        )
    client.meta.events.register("before-send.s3", _begin_to_count)
    return client


def _begin_to_count(request: Any, **_: object) -> None:
    """Count what is read of a body from now on: it goes out."""
    if isinstance(request.body, Body):
        request.body.counts = True


def _base64(md5: bytes) -> str:
    return base64.b64encode(md5).decode()


def _plain(tag: object) -> str:
    return str(tag).strip('"').lower()


def _has_own_tags(answer: dict[str, Any]) -> bool:
    """Tell whether the store has encrypted it with a key of the user's, and its tags are no MD5s."""
    return str(answer.get("ServerSideEncryption", "")).startswith("aws:kms") or "SSECustomerAlgorithm" in answer


def _md5_of(answer: dict[str, Any]) -> str:
    tag = _plain(answer["ETag"])
    return tag if re.fullmatch(r"[0-9a-f]{32}", tag) and not _has_own_tags(answer) else ""
