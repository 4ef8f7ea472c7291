"""Texts of like length together, few enough at once for a processor's caches."""

from collections.abc import Sequence

_TOKENS = {"cpu": 2048}
_TOKENS_ELSEWHERE = 65_536


def at_once(device: str) -> int:
    """Tokens that PyTorch runs at once: few fit a CPU's caches, and too few keep it waiting."""
    return _TOKENS.get(device, _TOKENS_ELSEWHERE)


def by_length(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Rows in batches of like length, the shortest first; of rows as long, the first comes first.

    `lengths` are in tokens. A batch holds at most `most` tokens, padding counted, or a single row.
    """
    parts: list[list[int]] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if parts and (len(parts[-1]) + 1) * lengths[row] <= most:
            parts[-1].append(row)
        else:
            parts.append([row])
    return parts
