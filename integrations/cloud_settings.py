"""The settings of the cloud store: complete and sane, or one line that names the variable at fault."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import SecretStr

from config import Settings, get_settings, variable
from errors import ParameterError

EXAMPLES = {"r2": "https://<account>.r2.cloudflarestorage.com", "oss": "https://oss-cn-hangzhou.aliyuncs.com"}
_KEYS = {
    "r2": ("r2_access_key_id", "r2_secret_access_key"),
    "oss": ("oss_access_key_id", "oss_access_key_secret"),
}
"""Settings of the key's id and secret."""
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX_LIMIT = 200


@dataclass(frozen=True)
class CloudSettings:
    """Where results are uploaded to; checked."""

    backend: str
    """'r2' or 'oss'."""
    endpoint: str
    """'https://host', perhaps with a port."""
    bucket: str
    key_id: SecretStr
    secret: SecretStr
    domain: str
    """'https://host' of links that need no signature; empty for signed ones."""
    prefix: str
    """What keys begin with, without slashes around it; may be empty."""
    link_seconds: int
    """How long a signed link holds."""

    @property
    def host(self) -> str:
        """Return the host of the endpoint."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def place(self) -> str:
        """Return a mark of the bucket: what is up in another one is not up in this one."""
        return hashlib.sha256(f"{self.backend}\n{self.endpoint}\n{self.bucket}".encode()).hexdigest()[:16]

    def variable(self, part: str) -> str:
        """Return the environment variable of 'endpoint', 'bucket', 'key_id' or 'secret'."""
        names = dict(zip(("key_id", "secret"), _KEYS[self.backend], strict=True))
        return variable(names.get(part, f"{self.backend}_{part}"))


def cloud_settings(settings: Settings | None = None) -> CloudSettings | None:
    """Return the cloud store that is set; None where none is.

    Raises:
        ParameterError: one of its settings is missing or makes no sense.
    """
    settings = settings or get_settings()
    backend = settings.storage_backend
    if not backend:
        return None
    endpoint = _endpoint(backend, settings)
    return CloudSettings(
        backend=backend,
        endpoint=endpoint,
        bucket=_bucket(backend, settings, urlsplit(endpoint).hostname or ""),
        key_id=_key(settings, backend, 0),
        secret=_key(settings, backend, 1),
        domain=_domain(backend, settings),
        prefix=_prefix(backend, settings),
        link_seconds=max(60, round(settings.storage_link_hours * 3600)),
    )


def required_settings() -> CloudSettings:
    """Return the cloud store that is set.

    Raises:
        ParameterError: there is none, or one of its settings is missing or makes no sense.
    """
    found = cloud_settings()
    if found is None:
        raise ParameterError("no cloud store is set; set SPLAZMATTE_STORAGE_BACKEND to r2 or oss (docs/cloud.md)")
    return found


def _given(settings: Settings, backend: str, name: str) -> str:
    value = getattr(settings, name)
    text = str(value.get_secret_value() if isinstance(value, SecretStr) else value).strip()
    if not text:
        raise ParameterError(f"{variable(name)} is not set; SPLAZMATTE_STORAGE_BACKEND={backend} needs it")
    return text


def _endpoint(backend: str, settings: Settings) -> str:
    name = f"{backend}_endpoint"
    text = _given(settings, backend, name)
    if not _is_address(text):
        raise ParameterError(f"{variable(name)} must be an address and nothing behind it, as {EXAMPLES[backend]}")
    return text.rstrip("/")


def _is_address(text: str) -> bool:
    """Tell whether `text` is http(s)://host[:port] and no more."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username, parts.password)
    plain = re.fullmatch(r"[A-Za-z0-9.:-]+", host or "")
    return parts.scheme in ("http", "https") and bool(plain) and not any(rest)


def _bucket(backend: str, settings: Settings, host: str) -> str:
    name = f"{backend}_bucket"
    bucket = _given(settings, backend, name)
    if not _BUCKET.fullmatch(bucket) or ".." in bucket:
        raise ParameterError(f"{variable(name)} is no bucket's name: 3 to 63 small letters, digits, hyphens and dots")
    if host.startswith(f"{bucket}."):
        raise ParameterError(f"{variable(f'{backend}_endpoint')} must not have the bucket in it: leave '{bucket}.' out")
    return bucket


def _key(settings: Settings, backend: str, place: int) -> SecretStr:
    name = _KEYS[backend][place]
    text = _given(settings, backend, name)
    if not re.fullmatch(r"[!-~]{3,256}", text):
        raise ParameterError(f"{variable(name)} is no key: it has spaces or other characters that no key has")
    return SecretStr(text)


def _domain(backend: str, settings: Settings) -> str:
    name = f"{backend}_cdn_domain"
    text = str(getattr(settings, name)).strip()
    if not text:
        return ""
    address = text if "://" in text else f"https://{text}"
    if not _is_address(address):
        raise ParameterError(f"{variable(name)} must be a domain and nothing behind it, as cdn.example.com")
    return address.rstrip("/")


def _prefix(backend: str, settings: Settings) -> str:
    name = f"{backend}_prefix"
    text = str(getattr(settings, name)).strip().removesuffix("/")
    odd = any(part in ("", ".", "..") for part in text.split("/")) if text else False
    if odd or "\\" in text or not text.isprintable() or len(text.encode(errors="replace")) > _PREFIX_LIMIT:
        raise ParameterError(
            f"{variable(name)} must be names with single slashes between them, as splazmatte or work/splazmatte"
        )
    return text
