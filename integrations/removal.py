"""What a ledger has in a bucket, taken away again: objects, and multipart uploads that were never completed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial

from integrations.ledger import Ledger
from integrations.sending import Meter, Requests, Retry
from integrations.storage import Bucket, Forgotten

TRIES = 3
"""Of each request: somebody waits for it."""


def remove(bucket: Bucket, ledger: Ledger, keys: Iterable[str], retry: Retry | None = None) -> None:
    """Delete what there is under keys in a bucket; the ledger forgets each when it is gone there.

    What is not there any more is no error. An upload that was begun may have been completed without an answer: what
    is under its key goes too.

    Args:
        bucket: that the keys are of.
        ledger: has them; who calls holds the session's lock.
        keys: nothing else is touched.
        retry: how to try requests again.

    Raises:
        UploadError: the store does not do it, or cannot be reached; the keys before that one are gone.
    """
    place = bucket.settings.place
    with Requests(retry or Retry(tries=TRIES), None, Meter(), hint="try again later") as requests:
        for key in keys:
            begun = ledger.read().begun.get(key)
            if begun and begun.place == place:
                with suppress(Forgotten):
                    requests(partial(bucket.abort, key, begun.upload_id))
            requests(partial(bucket.delete, key))
            ledger.forget(key, place)
