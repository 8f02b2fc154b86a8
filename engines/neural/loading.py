"""Load a network from a folder of weights, strictly, and keep one at a time."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.neural.compute import free_memory, kept_random_state, no_memory
from errors import EngineFailedError


@dataclass
class _Held:
    key: object
    network: Any


_held: list[_Held] = []
"""The network that was used last; networks are large, so there is no second one."""


def hold(key: object, load: Callable[[], Any]) -> Any:
    """Return the network of that key, loading it where it is not the one that was used last.

    Args:
        key: says all that the network depends on, the folder of its weights and the device among it.
        load: makes it; random states stay as they are.

    Raises:
        ResourceError: it does not fit into the device's memory.
    """
    if not _held or _held[0].key != key:
        release()
        with kept_random_state(), no_memory("choose a smaller model, or device=cpu"):
            _held.append(_Held(key, load()))
    return _held[0].network


def release() -> None:
    """Forget the network that is held."""
    if _held:
        _held.clear()
        gc.collect()
        free_memory()


def channels_last(network: Any) -> Any:
    """Return a network with its convolutions' weights laid out channels last, as CPUs want them in bf16.

    What a convolution gives is laid out like its weights, and so is what follows, up to the next one. VideoMaMa takes
    two thirds of the time so; in fp32 it makes no difference.
    """
    import torch

    layouts = {4: torch.channels_last, 5: torch.channels_last_3d}
    for parameter in network.parameters():
        if parameter.dim() in layouts:
            parameter.data = parameter.data.contiguous(memory_format=layouts[parameter.dim()])
    return network


def _hush() -> None:
    """Keep the library's progress bars and advice out of our own output; what matters is raised as an error."""
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()


def load_transformers(module: str, name: str, folder: Path, **options: Any) -> Any:
    """Return a model of the transformers library with exactly the weights in `folder`, ready for inference.

    Args:
        module: of the class, as in 'transformers.models.sam2'.
        name: of the class.
        folder: holds config.json and model.safetensors.
        options: for `from_pretrained`.

    Raises:
        EngineFailedError: the weights are damaged, or they are those of another model.
    """
    kind = getattr(importlib.import_module(module), name)
    _hush()
    mend = f"fetch them again: run.py models remove {folder.name}, then run.py models download {folder.name}"
    try:
        model, told = kind.from_pretrained(folder, local_files_only=True, output_loading_info=True, **options)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        first = (str(error).splitlines() or [repr(error)])[0]
        raise EngineFailedError(f"the weights in {folder} cannot be loaded ({first}); {mend}") from error
    except Exception as error:  # safetensors raises a class of its own that derives from Exception alone
        raise EngineFailedError(f"the weights in {folder} are damaged ({error}); {mend}") from error
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if told.get(what):
            some = sorted(str(key) for key in told[what])[0]
            count = f"{len(told[what])} {what.replace('_', ' ')}"
            raise EngineFailedError(f"the weights in {folder} do not fit {name}: {count}, as {some}; {mend}")
    return model.eval()
