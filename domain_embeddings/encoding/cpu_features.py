"""What this machine's processor can do besides float32, as Linux tells it."""

import functools
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")
BFLOAT16 = {"avx512_bf16", "amx_bf16"}


@functools.cache
def features() -> frozenset[str]:
    """The processor's flags; none where there is no /proc/cpuinfo or it lists none, as on ARM."""
    if not CPUINFO.is_file():
        return frozenset()
    rows = (line.partition(":") for line in CPUINFO.read_text(encoding="utf-8").splitlines())
    return frozenset(next((value.split() for key, _, value in rows if key.strip() == "flags"), []))


def has_bfloat16() -> bool:
    """Whether bfloat16 is faster here than float32."""
    return not BFLOAT16.isdisjoint(features())
