"""Texts of like length together, few enough at once for a processor's caches."""

from collections.abc import Sequence

TOKENS = {"cpu": 2048}
"""Tokens that run at once, padding counted: few fit a CPU's caches, and too few keep it waiting."""
TOKENS_ELSEWHERE = 65_536


def by_length(lengths: Sequence[int], device: str) -> list[list[int]]:
    """Rows in micro-batches of like length, the shortest first; of rows as long, the first comes first.

    `lengths` are in tokens. A micro-batch holds as many tokens, padding counted, as suit `device`, or a single row.
    """
    most = TOKENS.get(device, TOKENS_ELSEWHERE)
    parts: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if parts and (len(parts[-1]) + 1) * lengths[row] <= most:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts
