"""The channel between the queue and a worker: few, small messages, each one JSON object.

Whoever runs jobs elsewhere has to carry these and nothing else.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from queue_logic.job import JobProgress, Needs


class Control(StrEnum):
    """What the queue says to a worker."""

    CANCEL = "cancel"
    """Stop after this frame and keep what is done."""
    PAUSE = "pause"
    """Wait before the next frame: a user is waiting for something on the same device."""
    RESUME = "resume"


class Progressed(BaseModel):
    """The job is this far; also a sign of life when nothing has changed."""

    type: Literal["progress"] = "progress"
    progress: JobProgress


class Planned(BaseModel):
    """What the job will need, said before it begins."""

    type: Literal["needs"] = "needs"
    needs: Needs


class Ended(BaseModel):
    """The last message of a worker that ends by itself."""

    type: Literal["ended"] = "ended"
    how: Literal["done", "failed", "cancelled"]
    error: str = ""
    result: dict[str, JsonValue] = {}


class Crashed(BaseModel):
    """What an executor says of a worker that ended without a word: killed, out of memory, crashed in native code."""

    type: Literal["crashed"] = "crashed"
    error: str


Message = Annotated[Progressed | Planned | Ended | Crashed, Field(discriminator="type")]
_MESSAGE: TypeAdapter[Message] = TypeAdapter(Message)


def encode(message: BaseModel) -> bytes:
    """Return `message` as JSON."""
    return message.model_dump_json().encode()


def decode(data: bytes) -> Message:
    """Return the message in `data`.

    Raises:
        ValueError: it is not one.
    """
    return _MESSAGE.validate_json(data)
