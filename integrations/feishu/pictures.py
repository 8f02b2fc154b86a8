"""An app of the user's that uploads pictures: a custom bot cannot, and a card names pictures by a key of Feishu's."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable

import httpx

from errors import NoticeError
from integrations.feishu.webhook import answer_of, ask, judge, unreachable

TOKEN_PATH = "/open-apis/auth/v3/tenant_access_token/internal"
IMAGE_PATH = "/open-apis/im/v1/images"
MOST_BYTES = 10_000_000
"""Of a picture, as Feishu documents it."""
_EARLY = 300.0
"""Seconds before its end that a token is not used any more."""
_KEPT = 200
"""Keys of pictures that are remembered."""


class Pictures:
    """Uploads pictures, each once.

    Args:
        http: what sends requests; its base is the service's address.
        app_id: of the app.
        app_secret: of the app.
        clock: seconds, monotonic; tests bring their own.
    """

    def __init__(
        self, http: httpx.Client, app_id: str, app_secret: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._http = http
        self._app_id = app_id
        self._app_secret = app_secret
        self._clock = clock
        self._token, self._until = "", 0.0
        self._keys: OrderedDict[str, str] = OrderedDict()

    def key(self, jpeg: bytes) -> str:
        """Return Feishu's key of a picture, which is uploaded where it was not yet.

        Raises:
            NoticeError: Feishu does not take it.
        """
        digest = hashlib.sha256(jpeg).hexdigest()
        if digest not in self._keys:
            if len(jpeg) > MOST_BYTES:
                raise NoticeError("the thumbnail is too large for Feishu")
            self._keys[digest] = self._upload(jpeg)
            while len(self._keys) > _KEPT:
                self._keys.popitem(last=False)
        return self._keys[digest]

    def _upload(self, jpeg: bytes) -> str:
        headers = {"Authorization": f"Bearer {self._valid_token()}"}
        files = {"image": ("frame.jpg", jpeg, "image/jpeg")}
        response = self._post(IMAGE_PATH, headers=headers, data={"image_type": "message"}, files=files)
        data = answer_of(response).get("data")
        key = data.get("image_key") if isinstance(data, dict) else None
        if not isinstance(key, str) or not key:
            raise NoticeError("Feishu gave no key for the thumbnail")
        return key

    def _valid_token(self) -> str:
        if self._clock() >= self._until:
            response = self._post(TOKEN_PATH, json={"app_id": self._app_id, "app_secret": self._app_secret})
            answer = answer_of(response)
            token, seconds = answer.get("tenant_access_token"), answer.get("expire")
            if not isinstance(token, str) or not token or not isinstance(seconds, int | float):
                raise NoticeError("Feishu gave the app no token: check SPLAZMATTE_FEISHU_APP_ID and _APP_SECRET")
            self._token, self._until = token, self._clock() + max(0.0, float(seconds) - _EARLY)
        return self._token

    def _post(self, path: str, **more: object) -> httpx.Response:
        try:
            response = ask(self._http, path, **more)
        except httpx.HTTPError as error:
            raise NoticeError(f"no thumbnail: {unreachable(error).reason}") from None
        if refusal := judge(response):
            self._until = 0.0  # another token may help the next time
            raise NoticeError(f"no thumbnail: {refusal.reason}")
        return response
