"""A store of either kind with the settings that lead to it, and files to upload, for the tests of the cloud."""

from __future__ import annotations

import random
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from config import get_settings
from integrations.cloud_settings import required_settings
from integrations.ledger import Ledger
from integrations.sending import Retry
from integrations.source import Source
from integrations.storage import Bucket
from integrations.stores import open_bucket
from integrations.upload import Uploader
from session_base import sidecar_path
from session_store import Delivered, MattingSession, SessionStore
from tests import oss_store, s3_store
from tests.faulty import Response, Server
from tests.oss_store import OssStore
from tests.s3_store import S3Store
from tests.session_files import finished_session

PART = 24 << 10


@dataclass(frozen=True)
class Quick(Retry):
    """Tries again at once, and notes how long the store wanted it to wait."""

    wanted: list[float] = field(default_factory=list)

    def pause(self, failures: int, wanted: float) -> float:
        self.wanted.append(wanted)
        return 0.0


@dataclass
class Cloud:
    """A store and what is needed to use it."""

    store: Server
    settings: dict[str, str]
    folder: Path
    retry: Quick = field(default_factory=lambda: Quick(tries=4))

    @property
    def bucket(self) -> Bucket:
        return open_bucket(required_settings())

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.folder)

    @property
    def secrets(self) -> list[str]:
        return [value for name, value in self.settings.items() if "ACCESS_KEY" in name]

    def uploader(self, **more: Any) -> Uploader:
        return Uploader(self.bucket, self.ledger, retry=self.retry, **more)

    def content(self, key: str) -> bytes | None:
        if isinstance(self.store, OssStore):
            return self.store.objects.get(key)
        kept = s3_store.bucket_of().keys.get(key)
        return None if kept is None else bytes(kept.value)

    def there(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys under which the store has something."""
        return {key for key in keys if self.content(key) is not None}

    def download(self, url: str) -> Response:
        """Open a link as a browser would."""
        import requests

        answer = requests.get(url, proxies={"http": self.settings.get("http_proxy", "")}, timeout=10)
        return Response(
            answer.status_code, answer.content, {name.lower(): value for name, value in answer.headers.items()}
        )

    def end_uploads(self) -> None:
        """Let the store forget every multipart upload, as it does after some days."""
        if isinstance(self.store, OssStore):
            self.store.uploads.clear()
            return
        s3_store.bucket_of().multiparts.clear()

    def open_uploads(self) -> int:
        """Return how many multipart uploads are neither complete nor aborted."""
        if isinstance(self.store, OssStore):
            return len(self.store.uploads)
        return len(s3_store.bucket_of().multiparts)


def delivered_session(store: SessionStore, video: Path) -> MattingSession:
    """Return a session that has delivered a file with its sidecar and a folder."""
    made = finished_session(store, video)
    sidecar_path(made.folder / "alpha.mp4").write_text("how it was made")
    (made.folder / "png").mkdir()
    (made.folder / "png" / "000000.png").write_bytes(noise(500))
    made.state.delivered["png"] = Delivered(path="png", mark="x")
    made.save()
    return made


def set_to(patch: pytest.MonkeyPatch, **settings: str) -> None:
    """Let settings be these from now on."""
    for name, value in settings.items():
        patch.setenv(f"SPLAZMATTE_{name}", value)
    get_settings.cache_clear()


def source(data: bytes, name: str = "Kugel ö #1 50%+.mp4", identity: str = "1") -> Source:
    """Return a file to upload."""

    def blocks() -> Generator[bytes]:
        for start in range(0, len(data), 10_000):
            yield data[start : start + 10_000]

    return Source(f"pre/fix/20260101-aa/{name}", name, "alpha", len(data), identity, "video/mp4", blocks)


def noise(size: int, seed: int = 1) -> bytes:
    """Return bytes that look like a video's."""
    return random.Random(seed).randbytes(size)


def r2_settings(store: S3Store, **more: str) -> dict[str, str]:
    """Return the environment that leads to a store that speaks S3."""
    return {
        "SPLAZMATTE_STORAGE_BACKEND": "r2",
        "SPLAZMATTE_R2_ENDPOINT": store.address,
        "SPLAZMATTE_R2_BUCKET": s3_store.BUCKET,
        "SPLAZMATTE_R2_ACCESS_KEY_ID": s3_store.KEY_ID,
        "SPLAZMATTE_R2_SECRET_ACCESS_KEY": s3_store.SECRET,
        "SPLAZMATTE_R2_PREFIX": "pre/fix",
        **more,
    }


def oss_settings(store: OssStore, *, named: bool) -> dict[str, str]:
    """Return the environment that leads to an OSS: by its address, or under the names of the real one."""
    return {
        "SPLAZMATTE_STORAGE_BACKEND": "oss",
        "SPLAZMATTE_OSS_ENDPOINT": oss_store.ENDPOINT if named else store.address,
        "SPLAZMATTE_OSS_BUCKET": oss_store.BUCKET,
        "SPLAZMATTE_OSS_ACCESS_KEY_ID": oss_store.KEY_ID,
        "SPLAZMATTE_OSS_ACCESS_KEY_SECRET": oss_store.SECRET,
        "SPLAZMATTE_OSS_PREFIX": "pre/fix",
        **({"http_proxy": store.address} if named else {}),
    }


@contextmanager
def cloud_of(kind: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    """Give a store: 'r2', 'oss' (signatures of version 4) or 'oss v1'."""
    folder.mkdir(parents=True, exist_ok=True)
    with s3_store.s3_store() if kind == "r2" else oss_store.oss_store() as store:
        settings = r2_settings(store) if isinstance(store, S3Store) else oss_settings(store, named=kind == "oss")
        for name, value in settings.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield Cloud(store, settings, folder)
    get_settings.cache_clear()


def small_parts(patch: pytest.MonkeyPatch) -> None:
    """Let files go in parts of 24 KiB, which the stores of the tests take and real ones do not."""
    patch.setattr("integrations.source.PART", PART)
    patch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", PART)


DATA = noise(4 * PART + 1234)
"""Five parts, the last one short."""


def wrong(response: Response) -> Response:
    """Say another checksum than what there is has."""
    headers = {
        name: '"00000000000000000000000000000000-5"' if name.lower() == "etag" else value
        for name, value in response.headers.items()
    }
    return Response(response.status, response.body, headers | {"x-oss-hash-crc64ecma": "1"})


def settled() -> None:
    """Wait for requests that were under way when another one failed."""
    for thread in threading.enumerate():
        if thread.name == "upload":
            thread.join(10)
