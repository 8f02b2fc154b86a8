"""Attention to memories that weighs memories instead of values: the same numbers, as exact as the library's."""

from __future__ import annotations

import copy
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="neural engines are not installed: just setup")

from engines.sam import attention  # noqa: E402

SIDE, FRAMES, POINTERS = 8, 3, 4


def layers(family: str) -> Any:
    """Return a random attention to memories."""
    from tests.random_weights import lively

    if family == "sam2":
        from transformers.models.sam2_video.modeling_sam2_video import Sam2VideoConfig, Sam2VideoMemoryAttention

        config, kind = Sam2VideoConfig(memory_attention_rope_feat_sizes=[SIDE, SIDE]), Sam2VideoMemoryAttention
    else:
        from transformers.models.sam3_tracker_video import modeling_sam3_tracker_video as sam3

        config = sam3.Sam3TrackerVideoConfig()
        config.memory_attention_rope_feat_sizes = [SIDE, SIDE]  # set late: the class sets it from its picture's size
        kind = sam3.Sam3TrackerVideoMemoryAttention
    config._attn_implementation = "sdpa"
    torch.manual_seed(0)
    made = kind(config).eval()
    lively(made)
    return made


def answer(made: Any) -> Any:
    generator = torch.Generator().manual_seed(2)
    places, remembered = SIDE * SIDE, FRAMES * SIDE * SIDE + POINTERS
    seen, where = (torch.randn(places, 1, 256, generator=generator) for _ in range(2))
    memory, encoding = (torch.randn(remembered, 1, 64, generator=generator) for _ in range(2))
    with torch.inference_mode():
        return made(seen, memory, where, encoding, num_object_pointer_tokens=POINTERS).float()


@pytest.mark.parametrize("family", ["sam2", "sam3"])
def test_the_same_numbers(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "PART", 5 * (FRAMES * SIDE * SIDE + POINTERS))  # odd parts, the last one smaller
    plain = layers(family)
    light = copy.deepcopy(plain)
    attention.lighten(light)
    changed = [module for module in light.modules() if "forward" in vars(module)]
    assert len(changed) == len(plain.layers)
    exact = answer(plain)
    assert (answer(light) - exact).abs().max() < 1e-5
    with torch.autocast("cpu", torch.bfloat16):
        ours, library = ((answer(made) - exact).abs().mean() for made in (light, plain))
    assert 0 < ours < 1.2 * library < 0.05


def test_only_in_bf16_on_the_cpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    from engines.neural import loading
    from engines.neural.compute import Compute
    from engines.sam import family
    from engines.sam2_engine import SAM2

    monkeypatch.setattr(family, "load_transformers", lambda *_, **__: layers("sam2"))
    for precision, count in (("fp32", 0), ("bf16", 4), ("fp32", 0)):
        held = family.Network(SAM2, tmp_path, Compute("cpu", precision)).video()
        assert sum("forward" in vars(module) for module in held.modules()) == count
    loading.release()
