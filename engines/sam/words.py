"""A text as SAM 3 reads it: CLIP's tokens, of a fixed number."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch

from errors import EngineFailedError, PromptError

LENGTH = 32
"""Tokens that the network reads, begin and end among them."""


def tokens(folder: Path, text: str, device: str) -> dict[str, Any]:
    """Return a text as `input_ids` and `attention_mask`, int64 [1, 32].

    Args:
        folder: holds tokenizer.json and tokenizer_config.json.
        text: a short noun phrase.
        device: where the tensors shall be.

    Raises:
        PromptError: the text is empty or too long.
        EngineFailedError: the tokenizer's files are damaged.
    """
    words = " ".join(text.split())
    if not words:
        raise PromptError("the text is empty; name what to find, as in 'person' or 'red car'")
    given = _tokenizer(folder)(words, padding="max_length", max_length=LENGTH)
    if len(given["input_ids"]) > LENGTH:
        raise PromptError(f"the text is too long: '{words[:40]}…'; name what to find in a few words, as in 'red car'")
    return {name: torch.tensor([given[name]], device=device) for name in ("input_ids", "attention_mask")}


@lru_cache(maxsize=1)
def _tokenizer(folder: Path) -> Any:
    from transformers import CLIPTokenizer

    try:
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # the tokenizers library raises bare Exceptions
        first = (str(error).splitlines() or [repr(error)])[0]
        raise EngineFailedError(
            f"the tokenizer in {folder} cannot be loaded ({first}); fetch it again: "
            f"run.py models remove {folder.name}, then run.py models download {folder.name}"
        ) from error
