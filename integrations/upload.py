"""Files into a bucket: in parts, gone on with after a cut, tried again, checked part by part and as a whole."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from typing import TypeVar

from errors import StorageError, UploadError
from integrations.ledger import Begun, Ledger, Uploaded, now
from integrations.sending import Amount, Meter, Requests, Retry
from integrations.source import Source, cut
from integrations.storage import Body, Bucket, Forgotten, Part, Passing, Stored

Answer = TypeVar("Answer")
AT_ONCE = 3
"""Parts under way at the same time ..."""
_MEMORY = 96 << 20
"""... as far as they fit in here."""
_BEGINNINGS = 4
"""Times that a file is begun anew: its upload was forgotten, or it came damaged."""
_DAMAGED = 2


class Uploader:
    """Uploads the files of one session.

    Args:
        bucket: where to.
        ledger: remembers what is up, and what was begun.
        on_progress: called several times a second.
        should_stop: asked as often.
        retry: how to try requests again.
    """

    def __init__(
        self,
        bucket: Bucket,
        ledger: Ledger,
        *,
        on_progress: Callable[[Amount], None] | None = None,
        should_stop: Callable[[], bool] | None = None,
        retry: Retry | None = None,
    ) -> None:
        self._bucket = bucket
        self._ledger = ledger
        self._meter = Meter(on_progress)
        self._should_stop = should_stop
        self._retry = retry or Retry()

    def upload(self, sources: Iterable[Source]) -> list[Uploaded]:
        """Upload files one after the other, and return what is up. One that is up already is not sent again.

        Raises:
            UploadError: a file could not be uploaded; those before it are up, its parts are kept for the next time.
            StorageError: a file could not be read, or the disk is full.
            Cancelled: the user wants to stop; likewise.
        """
        wanted = list(sources)
        self._meter.total = sum(source.size for source in wanted)
        done, before = [], 0
        for source in wanted:
            made = self._known(source) or self._anew(source)
            before += source.size
            self._meter.there(before - self._meter.done)  # what is made while it is sent may be smaller than foreseen
            done.append(made)
        self._meter.tell()
        return done

    def _requests(self) -> Requests:
        return Requests(self._retry, self._should_stop, self._meter)

    def _known(self, source: Source) -> Uploaded | None:
        """Return what is up of the very same file, as far as the store still has it."""
        noted = self._ledger.read()
        known, begun = noted.done.get(source.key), noted.begun.get(source.key)
        if known is None or (known.identity, known.place) != (source.identity, self._bucket.settings.place):
            return None
        with self._requests() as requests:
            stored = requests(partial(self._bucket.head, source.key))
            if not _is_whole(stored, known.size, known.checksum):
                return None
            if begun:
                _give_up(self._bucket, self._ledger, requests, source.key, begun)
        return known

    def _anew(self, source: Source) -> Uploaded:
        """Send a file, again where its upload was forgotten or it came damaged."""
        damaged, before = 0, self._meter.done
        for _ in range(_BEGINNINGS):
            with suppress(Forgotten), self._requests() as requests:
                size, checksum = _Sending(source, self._bucket, self._ledger, self._meter, requests).run()
                stored = requests(partial(self._bucket.head, source.key))
                if _is_whole(stored, size, checksum):
                    return self._finish(source, size, stored.checksum if stored else "")
                requests(partial(self._bucket.delete, source.key))
                self._ledger.forget(source.key, self._bucket.settings.place)
                damaged += 1
            self._ledger.give_up(source.key)
            self._meter.take_back(before)
            if damaged == _DAMAGED:
                raise UploadError(f"{source.name} came damaged {damaged} times and was deleted there; try again")
        raise UploadError(f"the cloud store forgot the upload of {source.name} again and again; try again later")

    def _finish(self, source: Source, size: int, checksum: str) -> Uploaded:
        made = Uploaded(
            key=source.key,
            name=source.name,
            label=source.label,
            size=size,
            checksum=checksum,
            identity=source.identity,
            place=self._bucket.settings.place,
            at=now(),
        )
        self._ledger.finish(made)
        return made


def _emptied(ahead: deque[bytes], rest: Iterator[bytes]) -> Iterator[bytes]:
    """Yield what was read ahead and then the rest; nothing yielded is held: each piece has 8 MiB or more."""
    while ahead:
        yield ahead.popleft()
    yield from rest


class _Sending:
    """One file on its way."""

    def __init__(self, source: Source, bucket: Bucket, ledger: Ledger, meter: Meter, requests: Requests) -> None:
        self._source = source
        self._bucket = bucket
        self._ledger = ledger
        self._meter = meter
        self._requests = requests
        self._size = 0
        self._parts: list[Part] = []
        self._under_way: set[Future[Part]] = set()
        self._most = max(1, min(AT_ONCE, _MEMORY // source.part_size))

    def run(self) -> tuple[int, str]:
        """Send all that is missing, and return the size and the checksum that the object must have."""
        begun = self._usable_begun()
        with closing(self._source.blocks()) as blocks:
            pieces = self._readable(cut(blocks, self._source.part_size))
            ahead = deque(islice(pieces, 2))
            if len(ahead) < 2:
                if begun:
                    _give_up(self._bucket, self._ledger, self._requests, self._source.key, begun)
                data = ahead.popleft() if ahead else b""
                return len(data), self._requests(partial(self._put, data))
            return self._send(begun, _emptied(ahead, pieces))

    def _readable(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        """Yield `pieces`; an error in reading the file is not one of the network."""
        try:
            yield from pieces
        except OSError as error:
            raise StorageError(f"cannot read {self._source.name}: {error.strerror or error}") from error

    def _usable_begun(self) -> Begun | None:
        """Return what was begun of this very file; what was begun of another one is given up."""
        begun = self._ledger.read().begun.get(self._source.key)
        wanted = (self._source.identity, self._source.part_size, self._bucket.settings.place)
        if begun and (begun.identity, begun.part_size, begun.place) != wanted:
            _give_up(self._bucket, self._ledger, self._requests, self._source.key, begun)
            return None
        return begun

    def _send(self, begun: Begun | None, pieces: Iterator[bytes]) -> tuple[int, str]:
        """Send the parts that the store has not, and make the object of all."""
        key = self._source.key
        upload_id = begun.upload_id if begun else self._begin()
        there = self._there(upload_id) if begun else {}
        for number, data in enumerate(pieces, 1):
            self._size += len(data)
            md5 = _md5(data)
            known = there.get(number)
            if known and (known.size, known.md5) == (len(data), md5.hex()):
                self._parts.append(known)
                self._meter.there(len(data))
                self._requests.look()
                continue
            while len(self._under_way) >= self._most:
                self._collect()
            self._under_way.add(self._requests.start(partial(self._put_part, upload_id, number, data, md5)))
        while self._under_way:
            self._collect()
        self._parts.sort(key=lambda part: part.number)
        checksum = self._requests(partial(self._bucket.checksum, self._parts))
        try:
            self._requests(partial(self._bucket.complete, key, upload_id, self._parts))
        except Forgotten:  # its answer may have been lost on the way: then the object is there
            if not _is_whole(self._requests(partial(self._bucket.head, key)), self._size, checksum):
                raise
        return self._size, checksum

    def _begin(self) -> str:
        source, place = self._source, self._bucket.settings.place
        upload_id = self._requests(partial(self._bucket.begin, source.key, source.content_type))
        begun = Begun(
            upload_id=upload_id,
            identity=source.identity,
            part_size=source.part_size,
            place=place,
            label=source.label,
        )
        self._ledger.begin(source.key, begun)
        return upload_id

    def _there(self, upload_id: str) -> dict[int, Part]:
        parts = self._requests(partial(self._bucket.parts, self._source.key, upload_id))
        return {part.number: part for part in parts}

    def _collect(self) -> None:
        """Take in the parts that have arrived; wait for one."""
        for future in self._requests.first(self._under_way):
            self._under_way.discard(future)
            self._parts.append(future.result())

    def _put_part(self, upload_id: str, number: int, data: bytes, md5: bytes) -> Part:
        """Send a part, in a thread of its own."""
        part = self._sent(
            number, data, lambda body: self._bucket.put_part(self._source.key, upload_id, number, body, md5)
        )
        if part.md5 and part.md5 != md5.hex():
            raise Passing(f"part {number} came damaged")
        self._meter.there(len(data), number)
        return part

    def _put(self, data: bytes) -> str:
        """Send the whole file, in a thread of its own."""
        checksum = self._sent(
            0, data, lambda body: self._bucket.put(self._source.key, body, _md5(data), self._source.content_type)
        )
        self._size = len(data)
        self._meter.there(len(data), 0)
        return checksum

    def _sent(self, number: int, data: bytes, request: Callable[[Body], Answer]) -> Answer:
        """Run a request that sends `data`, counting what goes out."""

        def count(position: int) -> None:
            self._requests.check()
            self._meter.under_way(number, position)

        try:
            return request(Body(data, count))
        except BaseException:
            self._meter.drop(number)
            raise


def _give_up(bucket: Bucket, ledger: Ledger, requests: Requests, key: str, begun: Begun) -> None:
    """Give a multipart upload up, there and here; stores clear what is left away in the end."""
    if begun.place == bucket.settings.place:
        with suppress(Forgotten, UploadError):
            requests(partial(bucket.abort, key, begun.upload_id))
    ledger.give_up(key)


def check(bucket: Bucket, key: str, retry: Retry | None = None) -> None:
    """Try what an upload needs, with a tiny object under `key`: write, read, delete, begin a multipart upload.

    Raises:
        UploadError: something of it does not work.
    """
    data = b"SplazMatte tries whether it may write here."
    hint = f"check {bucket.settings.variable('endpoint')} and the network, or try again later"
    with Requests(retry or Retry(tries=2), None, Meter(), hint) as requests:
        requests(lambda: bucket.put(key, Body(data), _md5(data), "text/plain"))
        same = requests(lambda: bucket.read(key)) == data
        requests(lambda: bucket.delete(key))
        upload_id = requests(lambda: bucket.begin(key, "text/plain"))
        requests(lambda: bucket.parts(key, upload_id))
        requests(lambda: bucket.abort(key, upload_id))
    if not same:
        raise UploadError("the cloud store gave something else back than was written; check what is in between")


def _is_whole(stored: Stored | None, size: int, checksum: str) -> bool:
    """Tell whether an object has the size and, where both sides tell one, the checksum that it must have."""
    if stored is None or stored.size != size:
        return False
    return not checksum or not stored.checksum or stored.checksum == checksum


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()
