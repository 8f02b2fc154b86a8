"""A store that speaks S3: moto's server behind one that checks signatures and MD5s, and can be made to fail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from tests.faulty import Request, Response, Server, error

KEY_ID, SECRET = "AKIDTEST0123456789", "s3cr3t/TestKey+abcdefghijklmnop"
BUCKET = "results"


class S3Store(Server):
    """The front; what passes it goes on to moto."""

    def __init__(self, moto: tuple[str, int]) -> None:
        super().__init__(self._checked)
        self._moto = moto

    def _checked(self, request: Request) -> Response:
        refusal = self._refusal(request)
        if refusal:
            return error(403, refusal)
        digest = request.headers.get("content-md5")
        if digest and base64.b64encode(hashlib.md5(request.body).digest()).decode() != digest:
            return error(400, "BadDigest")
        return self.forward(request)

    def _refusal(self, request: Request) -> str:
        """Check the signature (AWS Signature Version 4) of a request, in its header or in its link."""
        query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
        parameters = dict(query)
        if "X-Amz-Signature" in parameters:
            credential, names = parameters["X-Amz-Credential"], parameters["X-Amz-SignedHeaders"]
            moment, signature = parameters["X-Amz-Date"], parameters["X-Amz-Signature"]
            query = [(name, value) for name, value in query if name != "X-Amz-Signature"]
            payload = "UNSIGNED-PAYLOAD"
            begun = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            if datetime.now(UTC) > begun + timedelta(seconds=int(parameters["X-Amz-Expires"])):
                return "AccessDenied"
        else:
            scheme, _, rest = request.headers.get("authorization", "").partition(" ")
            if scheme != "AWS4-HMAC-SHA256":
                return "AccessDenied"
            fields = dict(part.strip().split("=", 1) for part in rest.split(","))
            credential, names, signature = fields["Credential"], fields["SignedHeaders"], fields["Signature"]
            moment, payload = request.headers["x-amz-date"], request.headers["x-amz-content-sha256"]
            if payload != "UNSIGNED-PAYLOAD" and payload != hashlib.sha256(request.body).hexdigest():
                return "XAmzContentSHA256Mismatch"
        key_id, *scope = credential.split("/")
        if key_id != KEY_ID:
            return "InvalidAccessKeyId"
        signed = "".join(f"{name}:{' '.join(request.headers[name].split())}\n" for name in names.split(";"))
        encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
        canonical = "\n".join(
            [
                request.method,
                request.raw_path,
                "&".join(f"{name}={value}" for name, value in encoded),
                signed,
                names,
                payload,
            ]
        )
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        key = f"AWS4{SECRET}".encode()
        for part in scope:
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        wanted = hmac.new(
            key, f"AWS4-HMAC-SHA256\n{moment}\n{'/'.join(scope)}\n{digest}".encode(), hashlib.sha256
        ).hexdigest()
        return "" if hmac.compare_digest(wanted, signature) else "SignatureDoesNotMatch"

    def forward(self, request: Request) -> Response:
        """Let moto answer."""
        connection = http.client.HTTPConnection(*self._moto, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name not in ("expect", "connection")}
        try:
            connection.request(request.method, request.target, request.body or None, headers)
            answer = connection.getresponse()
            found = {name: value for name, value in answer.getheaders() if name.lower() != "transfer-encoding"}
            return Response(answer.status, answer.read(), found)
        finally:
            connection.close()


@cache
def _moto() -> tuple[str, int]:
    """Start moto's server, once for all tests of this process; its threads end with it."""
    from moto.moto_server.threaded_moto_server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    moto.start()
    return moto.get_host_and_port()


@contextmanager
def s3_store(bucket: str = BUCKET) -> Iterator[S3Store]:
    """Give a store with an empty bucket."""
    store = S3Store(_moto())
    with store.running():
        store.forward(Request("POST", "/moto-api/reset", {}))
        made = store.forward(Request("PUT", f"/{bucket}", {"host": "s3.amazonaws.com"}))
        assert made.status == 200, made
        yield store


def bucket_of(name: str = BUCKET) -> Any:
    """Return what moto keeps of a bucket."""
    from moto.s3.models import s3_backends

    return next(
        backend.buckets[name]
        for account in s3_backends.values()
        for backend in account.values()
        if name in backend.buckets
    )
