"""How the Hugging Face hub and its mirrors are spoken to: facts about a file, its bytes, and what refusals mean.

Bytes come over plain HTTP and not over Xet, the hub's own protocol: its library keeps nothing of a file that was cut
off, and a gigabyte that has come is not to come twice. The hub serves every file both ways.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from engines.weights_table import WeightSet
from errors import EngineUnavailableError, ParameterError
from machine import RECIPES

REVISION = "main"
PASSING = (408, 429, 500, 502, 503, 504)
"""Answers after which another try may do."""
MAX_WAIT = 60.0
"""Seconds that the hub can make us wait before the next try."""


@dataclass(frozen=True)
class Facts:
    """A file as the hub announces it."""

    etag: str
    """SHA-256 of a large file, git's hash of a small one; mirrors may say something else."""
    size: int | None
    """Bytes; None where the server does not tell."""
    revision: str
    """The commit, so that all files are of one."""


def get_facts(entry: WeightSet, path: str, revision: str = REVISION) -> Facts:
    """Return what the hub announces about a file, without fetching it."""
    from huggingface_hub import get_hf_file_metadata

    found = get_hf_file_metadata(_url(entry, path, revision), endpoint=endpoint())
    return Facts(found.etag or "", found.size, found.commit_hash or revision)


@contextmanager
def stream(entry: WeightSet, path: str, revision: str, start: int) -> Iterator[tuple[int, Iterator[bytes]]]:
    """Fetch a file from byte `start` on.

    Yields:
        the byte from which on the server really sends (`start` or 0), and the blocks of bytes; none at all where what
        it answered does not fit, and the next try has to begin anew.
    """
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import build_hf_headers, hf_raise_for_status, httpx

    headers = {**build_hf_headers(), "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    timeout = httpx.Timeout(constants.HF_HUB_DOWNLOAD_TIMEOUT)
    url = _url(entry, path, revision)
    with get_session().stream("GET", url, headers=headers, timeout=timeout, follow_redirects=True) as answer:
        if answer.status_code == 416:
            yield 0, iter(())
            return
        if answer.is_error:
            answer.read()
            hf_raise_for_status(answer)
        if answer.status_code != 206:
            yield 0, answer.iter_bytes()
        elif answer.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
            yield start, answer.iter_bytes()
        else:
            yield 0, iter(())


def endpoint() -> str | None:
    """Return the mirror that HF_ENDPOINT names, as it is set now.

    Raises:
        ParameterError: it is no address.
    """
    address = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    if address and (urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).hostname):
        raise ParameterError(f"HF_ENDPOINT is no address: '{address}'; as in HF_ENDPOINT=https://huggingface.co")
    return address or None


def errors() -> tuple[type[Exception], ...]:
    """Return what talking to the hub raises."""
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import httpx

    return (httpx.HTTPError, HfHubHTTPError, ConnectionError, TimeoutError)


def is_passing(error: Exception) -> bool:
    """Tell whether another try may do: a connection that ended, a server that is busy."""
    from huggingface_hub.errors import HfHubHTTPError, OfflineModeIsEnabled
    from huggingface_hub.utils import httpx

    if isinstance(error, HfHubHTTPError):
        return error.response is not None and error.response.status_code in PASSING
    return isinstance(error, httpx.TransportError | ConnectionError | TimeoutError) and not isinstance(
        error, OfflineModeIsEnabled | httpx.UnsupportedProtocol
    )


def is_unreachable(error: Exception) -> bool:
    """Tell whether there was no connection at all."""
    from huggingface_hub.utils import httpx

    return isinstance(error, httpx.ConnectError)


def wanted_wait(error: Exception | None) -> float:
    """Return the seconds that a server asks to wait before the next try, within reason; 0 where it does not."""
    response = getattr(error, "response", None)
    value = response.headers.get("Retry-After", "") if response is not None else ""
    return min(float(value), MAX_WAIT) if value.isdigit() else 0.0


def _url(entry: WeightSet, path: str, revision: str) -> str:
    from huggingface_hub import hf_hub_url

    return str(hf_hub_url(entry.repository, path, revision=revision, endpoint=endpoint()))


@contextmanager
def explained(entry: WeightSet) -> Iterator[None]:
    """Turn what talking to the hub raises into one line that says what to do.

    Raises:
        EngineUnavailableError: see there.
    """
    try:
        from huggingface_hub import errors as known
    except ImportError:
        raise EngineUnavailableError(f"downloading needs huggingface_hub; run: {RECIPES} setup") from None
    where = endpoint() or "huggingface.co"
    try:
        yield
    except known.GatedRepoError as error:
        raise EngineUnavailableError(_gated(entry)) from error
    except known.RepositoryNotFoundError as error:  # the hub says so of private ones to who is not logged in, too
        raise EngineUnavailableError(
            f"{entry.page} is not there, or not for you; where it has moved, report it; else run: hf auth login"
        ) from error
    except known.EntryNotFoundError as error:
        raise EngineUnavailableError(f"{entry.page} lacks a file that '{entry.name}' needs; report it") from error
    except known.OfflineModeIsEnabled as error:
        raise EngineUnavailableError("downloads are switched off by HF_HUB_OFFLINE; unset it") from error
    except known.HfHubHTTPError as error:
        code = error.response.status_code if error.response is not None else 0
        if code in (401, 403):
            raise EngineUnavailableError(_gated(entry)) from error
        raise EngineUnavailableError(f"{where} answers {code}; try again later, or set HF_ENDPOINT") from error
    except errors() as error:
        raise EngineUnavailableError(
            f"no connection to {where}, or it was cut; check the network, or set HF_ENDPOINT to a mirror; "
            "the next download goes on from there"
        ) from error


def _gated(entry: WeightSet) -> str:
    terms = f"accept its terms at {entry.page}, then run: hf auth login" if entry.gated else "run: hf auth login"
    return f"the hub does not let you have '{entry.name}': {terms}"
