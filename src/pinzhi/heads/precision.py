"""Short floats where the processor multiplies them in hardware, twice as fast as single precision; elsewhere torch imitates
them at half its speed."""

from functools import cache

import torch


@cache
def has_short_floats() -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def short_floats(is_wanted: bool) -> torch.autocast:
    """Layers multiply bfloat16 inside, where that `is_wanted` and faster; what they return wants `.float()`."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.autocast(device, torch.bfloat16, enabled=is_wanted and has_short_floats())
