"""What a cloud store can do, whichever it is, and what its answers mean."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Protocol
from urllib.parse import quote

from errors import UploadError
from integrations.cloud_settings import CloudSettings

CONNECT_SECONDS = 10
READ_SECONDS = 60
"""How long a store may be silent before its connection counts as cut."""
LONGEST_WAIT = 300.0
"""Seconds: no wish of a store to wait longer is heeded."""


class Passing(Exception):  # noqa: N818 - not yet an error
    """A failure that may be over the next time: a cut, a timeout, a store that is busy."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait
        """Seconds that the store wants to be left alone."""


class Forgotten(Exception):  # noqa: N818 - a fact, not an error
    """The store does not know that multipart upload, or not any more."""


@dataclass(frozen=True)
class Part:
    """A part of a multipart upload as the store has it."""

    number: int
    """From 1."""
    size: int
    md5: str
    """In hex; empty where the store does not tell it."""
    tag: str
    """By which the store knows it."""
    crc: int | None = None
    """CRC-64 of it, where the store tells one."""


@dataclass(frozen=True)
class Stored:
    """A whole object as the store has it."""

    size: int
    checksum: str
    """To be compared with what `put` and `checksum` return; empty where the store does not tell one."""


class Bucket(Protocol):
    """One bucket. Its methods may be called by several threads at once.

    Raises:
        UploadError: what trying again does not help with: wrong key, no such bucket, full, forbidden.
        Passing: what may be over the next time.
        Forgotten: of methods with an `upload_id`.
    """

    settings: CloudSettings

    def begin(self, key: str, content_type: str) -> str:
        """Begin a multipart upload and return its id."""

    def put_part(self, key: str, upload_id: str, number: int, body: Body, md5: bytes) -> Part:
        """Send a part; the store refuses it where its MD5 is another one."""

    def parts(self, key: str, upload_id: str) -> list[Part]:
        """Return the parts that are there."""

    def complete(self, key: str, upload_id: str, parts: Sequence[Part]) -> None:
        """Make the object of its parts, which are in order."""

    def abort(self, key: str, upload_id: str) -> None:
        """Give a multipart upload up, with its parts."""

    def put(self, key: str, body: Body, md5: bytes, content_type: str) -> str:
        """Send a small object whole; return the checksum that it has to have."""

    def checksum(self, parts: Sequence[Part]) -> str:
        """Return the checksum that an object of these parts has to have; empty where that cannot be told."""

    def head(self, key: str) -> Stored | None:
        """Return what the store has under a key; None if nothing."""

    def read(self, key: str) -> bytes:
        """Return a small object."""

    def delete(self, key: str) -> None:
        """Delete an object; none there is no error."""

    def signed(self, key: str, seconds: int) -> str:
        """Return a link that holds for so long; asks nobody."""


class Body(io.BytesIO):
    """The bytes of a request, told of as they go out.

    Args:
        data: the bytes.
        on_sent: called with how many have gone out; may raise to stop the request.
    """

    def __init__(self, data: bytes, on_sent: Callable[[int], None] | None = None) -> None:
        super().__init__(data)
        self._size = len(data)
        self._on_sent = on_sent
        self.counts = True
        """Off while something else than the network reads it."""

    def __len__(self) -> int:
        return self._size

    def __bool__(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes."""
        block = super().read(size)
        if self.counts and self._on_sent:
            self._on_sent(self.tell())
        return block


def link(bucket: Bucket, key: str) -> str:
    """Return a link to an object: of the public domain where one is set, else one that holds for a time."""
    settings = bucket.settings
    if settings.domain:
        return f"{settings.domain}/{quote(key, safe='/~')}"
    return bucket.signed(key, settings.link_seconds)


_KEY = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "Unauthorized", "InvalidToken", "InvalidSecurity",
        "InvalidAccessKeyIdNotFound"}  # fmt: skip
_CLOCK = {"RequestTimeTooSkewed", "RequestExpired", "ExpiredRequest"}
_ACCOUNT = {"UserDisable", "AccountProblem", "NotSignedUp", "NotEntitled", "UnderMaintenance", "OverdueEnforced"}
_REGION = {"PermanentRedirect", "TemporaryRedirect", "AuthorizationHeaderMalformed", "SecondLevelDomainForbidden",
           "IllegalLocationConstraintException", "InvalidRegion"}  # fmt: skip
_FULL = re.compile(r"(?<!Qps)Quota|Full|Capacity|InsufficientStorage")
_AGAIN = {
    "BadDigest",
    "InvalidDigest",
    "IncompleteBody",
    "RequestTimeout",
    "SlowDown",
    "OperationAborted",
    "XAmzContentSHA256Mismatch",
}
"""What a store says of a request that was damaged or came at a bad moment."""


def judge(settings: CloudSettings, status: int, code: str, retry_after: str = "") -> Exception:
    """Return the error that an answer of the store amounts to: UploadError, Passing or Forgotten.

    Its message is made here, of the settings' names alone: what stores and their libraries say may hold keys and
    signatures.

    Args:
        settings: of the store.
        status: of HTTP.
        code: the store's word for it, as 'NoSuchBucket'; may be anything.
        retry_after: the header, if any.
    """
    code = _word(settings, code)
    if code == "NoSuchUpload":
        return Forgotten()
    if status in (408, 429) or code in _AGAIN or (status >= 500 and status not in (501, 507)):
        return Passing(f"{status} {code}".strip(), _seconds(retry_after))
    return UploadError(_refusal(settings, status, code))


def _word(settings: CloudSettings, code: str) -> str:
    """Return a store's code as it may be shown: one word, and nothing that a key is in."""
    word = re.sub(r"[^A-Za-z0-9]", "", code)
    keys = (re.sub(r"[^A-Za-z0-9]", "", key.get_secret_value()) for key in (settings.key_id, settings.secret))
    return "" if any(key and key in word for key in keys) else word[:40]


def _refusal(settings: CloudSettings, status: int, code: str) -> str:
    """Return why the store refuses something for good, and what to do."""
    bucket = settings.bucket
    keys = f"{settings.variable('key_id')} and {settings.variable('secret')}"
    names = f"{settings.variable('bucket')} and {settings.variable('endpoint')}"
    endpoint = settings.variable("endpoint")
    reasons = (
        (code in _KEY or status == 401, f"the cloud store does not accept the key; check {keys}"),
        (code in _CLOCK, "the cloud store refuses requests as this machine's clock is wrong; set the clock"),
        (code in _ACCOUNT, f"the cloud account is suspended or may not store anything ({code}); see its console"),
        (code == "NoSuchBucket", f"there is no bucket '{bucket}' at {settings.host}; check {names}"),
        (
            code in _REGION or status in (301, 302, 307),
            f"bucket '{bucket}' is in another region than {settings.host}; check {endpoint}",
        ),
        (
            status == 507 or bool(_FULL.search(code)),
            f"bucket '{bucket}' is full, or a quota is used up; free space there, then go on",
        ),
        (
            status == 403,
            f"the key may not do that in bucket '{bucket}'; let it read, write and delete there (docs/cloud.md)",
        ),
    )
    return next((text for applies, text in reasons if applies), f"the cloud store refused a request: {status} {code}")


def unreachable(settings: CloudSettings) -> Passing:
    """Return the error of a connection that did not come about, or was cut."""
    return Passing(f"no connection to {settings.host}, or it was cut")


def not_trusted(settings: CloudSettings) -> UploadError:
    """Return the error of a certificate that cannot be trusted."""
    return UploadError(f"the certificate of {settings.host} is not valid; check {settings.variable('endpoint')}")


def unexpected(error: Exception) -> UploadError:
    """Return the error of what should not happen; the library's own words may hold keys, so only its kind is told."""
    return UploadError(f"the cloud store could not be asked: unexpected {type(error).__name__}")


def _seconds(retry_after: str) -> float:
    """Return the seconds that a Retry-After header asks for, as a number or as a date; 0 for none or nonsense."""
    try:
        wanted = float(retry_after)
    except ValueError:
        try:
            wanted = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except (ValueError, TypeError):
            return 0.0
    return min(wanted, LONGEST_WAIT) if wanted > 0 else 0.0  # also of 'nan'
