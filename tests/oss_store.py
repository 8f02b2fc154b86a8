"""A store that speaks Aliyun OSS, after its public documentation: objects, multipart uploads, signatures of both kinds.

It is asked in two ways, as the real one: by its address, with the bucket in the path; or as a proxy, under the names
that the real one has, as http://results.oss-cn-hangzhou.aliyuncs.com. Nothing in here comes from oss2.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from tests.faulty import Request, Response, Server, error

KEY_ID, SECRET = "LTAITEST0123456789", "OssSecretKeyOfTheTest0123456789"
BUCKET, REGION = "results", "cn-hangzhou"
ENDPOINT = f"http://oss-{REGION}.aliyuncs.com"
"""Reached with http_proxy set to the store's address."""
SUBRESOURCES = {"uploads", "uploadId", "partNumber", "response-content-type", "response-content-disposition"}


def _table() -> list[int]:
    rows = []
    for byte in range(256):
        row = byte
        for _ in range(8):
            row = row >> 1 ^ (0xC96C5795D7870F42 if row & 1 else 0)
        rows.append(row)
    return rows


_ROWS = _table()


def crc64(data: bytes) -> int:
    """Return the CRC-64 of ECMA-182, reflected, as OSS has it."""
    crc = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        crc = _ROWS[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFFFFFFFFFF


class OssStore(Server):
    """The store, with one bucket."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.objects: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.uploads: dict[str, dict[int, bytes]] = {}
        self.page = 1000
        """Parts that are listed at once."""
        self.versions: set[str] = set()
        """Of the signatures that were accepted."""
        self._numbers = itertools.count(1)

    def _answer(self, request: Request) -> Response:
        bucket, key = _place(request)
        refusal = self._refusal(request, bucket, key)
        if refusal:
            return error(403, refusal)
        if bucket != BUCKET:
            return error(404, "NoSuchBucket")
        digest = request.headers.get("content-md5")
        if digest and base64.b64encode(hashlib.md5(request.body).digest()).decode() != digest:
            return error(400, "InvalidDigest")
        if "uploads" in request.query:
            return self._begin(request, key)
        return self._multipart(request, key) if "uploadId" in request.query else self._object(request, key)

    def _object(self, request: Request, key: str) -> Response:
        if request.method == "PUT":
            self.objects[key], self.types[key] = request.body, request.headers.get("content-type", "")
            return Response(200, headers=_facts(request.body))
        if request.method == "DELETE":
            self.objects.pop(key, None)
            return Response(204)
        data = self.objects.get(key)
        if data is None:
            return error(404, "NoSuchKey")
        headers = {**_facts(data), "Content-Type": self.types[key], "Content-Length": str(len(data))}
        return Response(200, b"" if request.method == "HEAD" else data, headers)

    def _begin(self, request: Request, key: str) -> Response:
        upload_id = f"UPLOAD{next(self._numbers)}"
        self.uploads[upload_id], self.types[key] = {}, request.headers.get("content-type", "")
        return _xml(f"<InitiateMultipartUploadResult><UploadId>{upload_id}</UploadId></InitiateMultipartUploadResult>")

    def _multipart(self, request: Request, key: str) -> Response:
        upload_id = request.query["uploadId"]
        parts = self.uploads.get(upload_id)
        if parts is None:
            return error(404, "NoSuchUpload")
        if request.method == "PUT":
            parts[int(request.query["partNumber"])] = request.body
            return Response(200, headers=_facts(request.body))
        if request.method == "GET":
            return self._list(parts, int(request.query.get("part-number-marker") or 0))
        del self.uploads[upload_id]
        if request.method == "DELETE":
            return Response(204)
        wanted = [
            (int(row.findtext("PartNumber") or 0), (row.findtext("ETag") or "").strip('"'))
            for row in ElementTree.fromstring(request.body).iter("Part")
        ]
        if any(_tag(parts.get(number, b"?")) != tag for number, tag in wanted) or wanted != sorted(wanted):
            return error(400, "InvalidPart")
        self.objects[key] = data = b"".join(parts[number] for number, _ in wanted)
        body = f"<CompleteMultipartUploadResult><Key>{escape(key)}</Key></CompleteMultipartUploadResult>"
        return _xml(body, {"x-oss-hash-crc64ecma": str(crc64(data))})

    def _list(self, parts: dict[int, bytes], marker: int) -> Response:
        left = [number for number in sorted(parts) if number > marker]
        shown = left[: self.page]
        rows = "".join(
            f"<Part><PartNumber>{number}</PartNumber><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f'<ETag>"{_tag(parts[number])}"</ETag><Size>{len(parts[number])}</Size>'
            f"<HashCrc64ecma>{crc64(parts[number])}</HashCrc64ecma></Part>"
            for number in shown
        )
        more = "true" if len(left) > len(shown) else "false"
        last = shown[-1] if shown else marker
        return _xml(
            f"<ListPartsResult><NextPartNumberMarker>{last}</NextPartNumberMarker><IsTruncated>{more}</IsTruncated>"
            f"{rows}</ListPartsResult>"
        )

    def _refusal(self, request: Request, bucket: str, key: str) -> str:
        query = request.query
        authorization = request.headers.get("authorization", "")
        if "x-oss-signature" in query or authorization.startswith("OSS4-HMAC-SHA256 "):
            version, refusal = "v4", _check_v4(request, bucket, key, authorization)
        elif "Signature" in query or authorization.startswith("OSS "):
            version, refusal = "v1", _check_v1(request, bucket, key, authorization)
        else:
            return "AccessDenied"
        if not refusal:
            self.versions.add(version)
        return refusal


def _check_v1(request: Request, bucket: str, key: str, authorization: str) -> str:
    """Return what is wrong with a signature of version 1, HMAC-SHA1, in the header or the link."""
    query, headers = request.query, request.headers
    if "Signature" in query:
        key_id, signature, date = query["OSSAccessKeyId"], query["Signature"], query["Expires"]
        if time.time() > int(date):
            return "AccessDenied"
    else:
        key_id, _, signature = authorization.removeprefix("OSS ").partition(":")
        date = headers.get("x-oss-date") or headers["date"]
    own = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers) if name.startswith("x-oss-"))
    subs = sorted((name, value) for name, value in query.items() if name in SUBRESOURCES)
    resource = f"/{bucket}/{key}" + (
        "?" + "&".join(f"{name}={value}" if value else name for name, value in subs) if subs else ""
    )
    text = "\n".join(
        [
            request.method,
            headers.get("content-md5", ""),
            headers.get("content-type", ""),
            date,
            own + resource,
        ]
    )
    wanted = base64.b64encode(hmac.new(SECRET.encode(), text.encode(), hashlib.sha1).digest()).decode()
    return _verdict(key_id, wanted, signature)


def _check_v4(request: Request, bucket: str, key: str, authorization: str) -> str:
    """Return what is wrong with a signature of version 4, HMAC-SHA256, in the header or the link."""
    headers = request.headers
    query = parse_qsl(urlsplit(request.target).query, keep_blank_values=True)
    if authorization:
        fields = dict(part.strip().split("=", 1) for part in authorization.partition(" ")[2].split(","))
        credential, signature, moment = fields["Credential"], fields["Signature"], headers["x-oss-date"]
        more, payload = fields.get("AdditionalHeaders", ""), headers["x-oss-content-sha256"]
    else:
        given = dict(query)
        credential, signature, moment = given["x-oss-credential"], given["x-oss-signature"], given["x-oss-date"]
        more, payload = given.get("x-oss-additional-headers", ""), "UNSIGNED-PAYLOAD"
        begun = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if datetime.now(UTC) > begun + timedelta(seconds=int(given["x-oss-expires"])):
            return "AccessDenied"
        query = [(name, value) for name, value in query if name != "x-oss-signature"]
    key_id, *scope = credential.split("/")
    if scope[1:] != [REGION, "oss", "aliyun_v4_request"]:
        return "SignatureDoesNotMatch"
    signed = {"content-type", "content-md5", *more.split(";")}
    rows = "".join(
        f"{name}:{headers[name].strip()}\n" for name in sorted(headers) if name.startswith("x-oss-") or name in signed
    )
    encoded = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in query)
    pairs = "&".join(f"{name}={value}" if value else name for name, value in encoded)
    canonical = "\n".join([request.method, quote(f"/{bucket}/{key}", safe="/-_.~"), pairs, rows, more, payload])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"OSS4-HMAC-SHA256\n{moment}\n{'/'.join(scope)}\n{digest}"
    signing = f"aliyun_v4{SECRET}".encode()
    for part in scope:
        signing = hmac.new(signing, part.encode(), hashlib.sha256).digest()
    return _verdict(key_id, hmac.new(signing, text.encode(), hashlib.sha256).hexdigest(), signature)


def _verdict(key_id: str, wanted: str, signature: str) -> str:
    if key_id != KEY_ID:
        return "InvalidAccessKeyId"
    return "" if hmac.compare_digest(wanted, signature) else "SignatureDoesNotMatch"


def _place(request: Request) -> tuple[str, str]:
    host, path = request.headers["host"].partition(":")[0], unquote(request.raw_path).removeprefix("/")
    if host.endswith(".aliyuncs.com"):
        return host.partition(".")[0], path
    bucket, _, key = path.partition("/")
    return bucket, key


def _tag(data: bytes) -> str:
    return hashlib.md5(data).hexdigest().upper()


def _facts(data: bytes) -> dict[str, str]:
    return {"ETag": f'"{_tag(data)}"', "x-oss-hash-crc64ecma": str(crc64(data)), "x-oss-request-id": "1"}


def _xml(body: str, headers: dict[str, str] | None = None) -> Response:
    return Response(200, body.encode(), {"Content-Type": "application/xml", **(headers or {})})


@contextmanager
def oss_store() -> Iterator[OssStore]:
    """Give a store with an empty bucket."""
    store = OssStore()
    with store.running():
        yield store
