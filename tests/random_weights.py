"""Random weights that say something, for networks of any kind."""

from __future__ import annotations

from typing import Any


def lively(model: Any) -> None:
    """Give parameters that begin at zero or one values of their own, so that no part of the network is idle."""
    import torch

    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.numel() == 1 or parameter.std() == 0:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
