"""Does this machine give a packaged model's vectors? A few texts with their float32 vectors lie in its folder.

A processor may lack the instructions that an export was made for, a library may have changed: what is loaded is
compared with what was packaged, where it runs. The texts are nobody's: a model may be given away when its corpus may
not.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.roles import Role

PROBE = "probe.json"
MIN_COSINE = 0.99
"""For every text: what the export's own rule asks of 99 texts in 100 (`fidelity`)."""
_DIGITS = 3
"""Of a vector's numbers: takes 0.00002 off a cosine, and CPUs that differ in the last digits write the same file."""

_SHORT = (
    "brake",
    "P/N 0452-A",
    "how do I bleed the brakes",
    "What is the torque of the wheel nuts?",
    "Who founded the northern colony, and when?",
    "her favourite tea",
    "error E-17 on the display",
    "The contract ends on 31 March unless both sides agree to renew it.",
    "Replace the filter every 10,000 km or once a year, whichever comes first.",
    "We met in Lisbon in spring and talked about the garden until midnight.",
    "Warning: never open the cap while the engine is hot, or steam at 110 °C will escape.",
    "SELECT name, price FROM parts WHERE stock < 5 ORDER BY price DESC;",
)
TEXTS = (*_SHORT, " ".join(_SHORT * 3))
"""Twelve short ones and a long one, of 256 tokens and more."""


class Encodes(Protocol):
    """What is checked."""

    def encode(self, texts: Sequence[str], role: Role) -> Scores:
        """Texts, all of one role → float32 (n, dimension), each row of length 1."""


@dataclass(frozen=True)
class Probe:
    """Texts, and what float32 makes of them, as passages, where the model was packaged."""

    texts: Sequence[str]
    vectors: Scores

    def problem(self, encoder: Encodes) -> str | None:
        """Why an encoder is not the packaged model's, if it is not.

        The last text, which is long, alone: an encoder may go about one text and several in different ways.
        """
        parts = (encoder.encode(some, Role.PASSAGE) for some in (self.texts[:-1], self.texts[-1:]))
        found = np.concatenate(list(parts))
        expected = self.vectors
        if found.shape != expected.shape:
            return f"vectors of {found.shape[1]} numbers, packaged are {expected.shape[1]}"
        lowest = float(((found * expected).sum(axis=1) / np.linalg.norm(expected, axis=1)).min())
        if lowest >= MIN_COSINE:
            return None
        return f"a cosine of {lowest:.3f} to the packaged vectors, {MIN_COSINE} is asked for"


def write_probe(folder: Path, vectors: Scores) -> None:
    """Write probe.json; `vectors` are those of `TEXTS` as passages, in float32."""
    rows = [[round(float(value), _DIGITS) for value in row] for row in vectors]
    content = json.dumps({"texts": TEXTS, "vectors": rows}, ensure_ascii=False)
    (folder / PROBE).write_text(f"{content}\n", encoding="utf-8")


def read_probe(folder: Path) -> Probe | None:
    """A folder's probe, None where it has none; an IntegrityError for a file that is none."""
    path = folder / PROBE
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        probe = Probe([str(text) for text in content["texts"]], np.array(content["vectors"], dtype=np.float32))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise IntegrityError(path, f"is no probe: {error!r}") from error
    if len(probe.texts) < 2 or probe.vectors.ndim != 2 or len(probe.vectors) != len(probe.texts):
        raise IntegrityError(path, "has not one vector for each text")
    return probe
