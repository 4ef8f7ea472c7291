"""How near a model's export comes to the model, and how near it must come to be packaged.

Judged by vectors alone. nDCG@10 on some hundred dev questions cannot judge it: it turns on the few questions where two
passages change places, for better or worse, so that noise without a direction of cosine 0.999 lost more than 0.5% of it
in up to one draw of five on the sample corpora, and none on average.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from domain_embeddings.core.ranking import Scores, top_k
from domain_embeddings.encoding.roles import Role
from domain_embeddings.evaluation.report_model import Span
from domain_embeddings.evaluation.significance import Values, interval

MIN_COSINE, MIN_LOW_COSINE, MIN_OVERLAP = 0.995, 0.99, 0.9
"""Noise without a direction costs at most 0.5% of nDCG@10 on average at cosine 0.99, on each sample corpus, and leaves
0.91 of the first ten results; at 0.98, up to 1.1% and 0.88. At 0.999 it leaves 0.97, with intervals that begin above
0.95: noise that does no harm passes, with room for a corpus whose passages are more alike."""
LOW = 1
"""Percentile of the cosines that `MIN_LOW_COSINE` is for: what is loaded is checked text by text (`probe`)."""
FIRST = 10
PASSAGES, QUERIES = 128, 256
_RESAMPLES, _SEED, _DIGITS = 2000, 0, 4


def evenly(texts: Sequence[str], most: int) -> list[str]:
    """So many of the texts, spread over all of them."""
    return [texts[row] for row in np.linspace(0, len(texts) - 1, min(most, len(texts)), dtype=int)]


class Texts(NamedTuple):
    """What both are asked to encode."""

    passages: Sequence[str]
    queries: Sequence[str]

    @classmethod
    def of(cls, passages: Sequence[str], queries: Sequence[str]) -> "Texts":
        """So many of a corpus's as can be encoded twice in half a minute; without queries, passages ask."""
        some = evenly(passages, PASSAGES)
        return cls(some, evenly(queries, QUERIES) or some)


class Vectors(NamedTuple):
    """Unit vectors of `Texts`, (texts, dimensions) each."""

    passages: Scores
    queries: Scores

    @classmethod
    def of(cls, texts: Texts, encode: Callable[[Sequence[str], Role], Scores]) -> "Vectors":
        """What `encode` makes of the texts."""
        return cls(encode(texts.passages, Role.PASSAGE), encode(texts.queries, Role.QUERY))


@dataclass(frozen=True)
class Fidelity:
    """An export's vectors against those of float32, on the same texts."""

    quantized: str
    """`weights and activations`, or `weights`."""
    passages: int
    queries: int
    cosine: float
    """Mean over passages and queries."""
    cosine_low: float
    """The first percentile."""
    overlap: float
    """Share of float32's first ten passages that are among the export's first ten, mean over queries."""
    overlap_ci95: Span
    """Over draws of the queries."""

    def problem(self) -> str | None:
        """Why the export is refused, if it is."""
        least = self.overlap_ci95[0]
        if not (self.cosine >= MIN_COSINE and self.cosine_low >= MIN_LOW_COSINE):  # so is what is no number
            return (
                f"the cosine to float32 is {self.cosine} on average and {self.cosine_low} at the first percentile, "
                f"asked for are {MIN_COSINE} and {MIN_LOW_COSINE}"
            )
        if least < MIN_OVERLAP:
            return (
                f"{self.overlap} of the first {FIRST} results are float32's (95% interval from {least}, "
                f"{self.queries} queries), the interval must begin at {MIN_OVERLAP}"
            )
        return None


def measure(quantized: str, found: Vectors, expected: Vectors) -> Fidelity:
    """Compare vectors of the same texts; at least one passage and one query."""
    cosines = np.concatenate([(ours * theirs).sum(axis=1) for ours, theirs in zip(found, expected, strict=True)])
    overlaps = _overlaps(_first(found), _first(expected))
    low, high = interval(overlaps, _RESAMPLES, _SEED)
    return Fidelity(
        quantized=quantized,
        passages=len(found.passages),
        queries=len(found.queries),
        cosine=round(float(cosines.mean()), _DIGITS),
        cosine_low=round(float(np.percentile(cosines, LOW)), _DIGITS),
        overlap=round(float(overlaps.mean()), _DIGITS),
        overlap_ci95=(round(low, _DIGITS), round(high, _DIGITS)),
    )


def _first(vectors: Vectors) -> list[set[int]]:
    """The first passages for each query."""
    return [set(row) for row in top_k(vectors.queries @ vectors.passages.T, FIRST).tolist()]


def _overlaps(found: Sequence[set[int]], expected: Sequence[set[int]]) -> Values:
    return np.array([len(ours & theirs) / len(theirs) for ours, theirs in zip(found, expected, strict=True)])
