"""Whether the CPU computes in bf16 itself. Light: the models of memory and time ask too."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")


@cache
def cpu_has_bf16() -> bool:
    """Tell whether the CPU multiplies bf16 itself; where that is not known, it does not.

    Elsewhere bf16 is emulated, and slower than fp32.
    """
    try:
        text = _CPUINFO.read_text()
    except OSError:
        return False
    flags = {flag for line in text.splitlines() if line.startswith(("flags", "Features")) for flag in line.split()}
    return bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
