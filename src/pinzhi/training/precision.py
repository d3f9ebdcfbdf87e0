"""How a model is trained fast: short floats where the processor multiplies them, attention as plain products."""

from functools import cache
from typing import Any

import torch


@cache
def has_short_floats() -> bool:
    """Whether this machine multiplies bfloat16 in hardware. Elsewhere torch imitates it, at half the speed of single precision."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def short_floats() -> torch.autocast:
    """Layers multiply bfloat16 inside, where it is faster; what they return wants `.float()` before a loss is made of it."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(device, torch.bfloat16, enabled=has_short_floats())


def plain_attention(trunk: Any) -> None:
    """Let `trunk`, an encoder of `transformers`, multiply its attention out: on a processor the gradient of the fused form takes
    longer than that of the products, for texts as short as ours."""
    if not torch.cuda.is_available():
        trunk.set_attn_implementation("eager")
