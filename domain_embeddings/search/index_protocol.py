"""What every place that passages are indexed in has in common: its words, its errors, and what it must be able to do.

A place holds collections. `<corpus>-<weights' SHA-256>-<dimension>` is the collection of one model, behind it its
recipe where it has one (`EncoderConfig.recipe`: prompts, pooling, …) and `-aliases` where passages are indexed with
theirs, so that the vectors of two models, prompts or texts never meet; an alias, `<corpus>`, leads to the one that is
live, and remembers the one before it.
"""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any, Protocol
from uuid import NAMESPACE_URL, uuid5

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.ranking import Scores
from domain_embeddings.search.late_search import Question
from domain_embeddings.search.sparse import Sparse

DENSE, SPARSE = "dense", "sparse"
"""The names of a passage's two vectors."""
OWN_FIELDS = ("id", "title", "text", "domain", "type")
PASSAGE = (*OWN_FIELDS, "extra")
"""Payload fields that a passage is made of."""
FILTERED = ("domain", "type")
"""Payload fields that have an index of their own. Others can be filtered by too, more slowly."""
UNKNOWN = "unknown"
"""The backend of what was indexed before that was recorded."""
RANGE = {"gte", "gt", "lte", "lt"}
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

Filters = Mapping[str, Any]
"""Field → value, list of allowed values, or a range such as {"gte": 3, "lt": 10}. All of them must hold."""
Hit = tuple[str, float]
"""A point's id and its score."""


class SearchError(RuntimeError):
    """Search cannot answer. The message names what is wrong and the remedy."""


class IndexMissingError(SearchError):
    """There is no finished index."""


class IndexModelError(SearchError):
    """The index was built with another model, so that its vectors mean something else."""


class IndexUnavailableError(SearchError):
    """The place of the index cannot be reached, or refuses to answer."""


@dataclass(frozen=True)
class ModelIdentity:
    """Which model made the vectors: only vectors of the same weights, dimension and recipe can be compared."""

    name: str
    """`<corpus>-embeddings-v<version>` or `base`."""
    sha256: str
    """Of its weights."""
    dimension: int
    backend: str
    """How it was run, which changes the last digits: `torch`, `bfloat16` or `openvino`; several joined by +."""
    recipe: str = ""
    """Prompts, pooling and what else decides a vector (`EncoderConfig.recipe`); empty for a text's mean as it is."""

    def collection(self, corpus: str) -> str:
        """Where its vectors of a corpus lie."""
        return "-".join([corpus, self.sha256[:12], str(self.dimension), *filter(None, [self.recipe])])

    def __str__(self) -> str:
        """For messages."""
        recipe = f", prompts and pooling {self.recipe}" if self.recipe else ""
        return f"{self.name} (SHA-256 {self.sha256[:12]}…, {self.dimension} dimensions{recipe})"


@dataclass(frozen=True)
class Metadata:
    """What is stored with a collection."""

    model: ModelIdentity
    average_length: float | None
    """Stems of a passage, on average, as the sparse weights assume; None while these are being made anew."""
    measured: int
    """How many passages it was measured on."""
    complete: bool
    """Whether an indexing has ever ended."""
    codec: Mapping[str, Any] | None = None
    """How token vectors are stored (`TokenCodec.as_json`); None where there are none."""

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> "Metadata":
        """The inverse; KeyError or TypeError if it is none. Early indexes do not tell the backend."""
        return cls(**{**values, "model": ModelIdentity(**{"backend": UNKNOWN, **values["model"]})})


@dataclass(frozen=True)
class Entry:
    """A passage as it is stored."""

    id: str
    dense: list[float]
    sparse: Sparse
    payload: dict[str, Any]


@dataclass(frozen=True)
class Wanted:
    """A query as the index sees it."""

    dense: list[float]
    sparse: Sparse
    question: Question | None = None
    """Its tokens, where there is a second stage."""


@dataclass(frozen=True)
class Rankings:
    """What was found by meaning (cosine) and by words (BM25), best first."""

    dense: list[Hit]
    sparse: list[Hit]


class PassageIndex(Protocol):
    """A place that passages are indexed in. Every method may raise an IndexUnavailableError."""

    place: str
    """For messages: a folder or a URL."""

    def live(self, corpus: str) -> tuple[str | None, str | None]:
        """The collections that the alias leads to, and led to before."""

    def switch(self, corpus: str, live: str, previous: str | None) -> None:
        """Let the alias lead elsewhere, at once for everybody."""

    def metadata(self, collection: str) -> Metadata | None:
        """What is stored with a collection; None if it does not exist."""

    def create(self, collection: str, metadata: Metadata) -> None:
        """Make an empty collection."""

    def describe(self, collection: str, metadata: Metadata) -> None:
        """Store other metadata."""

    def count(self, collection: str) -> int:
        """How many passages it holds."""

    def put(self, collection: str, entries: Sequence[Entry]) -> None:
        """Add passages or replace those of the same ids. When it returns, a kill of any process loses none of them."""

    def reweigh(self, collection: str, sparse: Mapping[str, Sparse]) -> None:
        """Replace the sparse vectors of these points."""

    def delete(self, collection: str, ids: Sequence[str]) -> None:
        """Remove points; ids that are not there are ignored."""

    def settle(self, collection: str) -> None:
        """Do what makes searching fast after many changes; may take minutes."""

    def payloads(self, collection: str, ids: Sequence[str], fields: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Point id → these fields of its payload; ids that are not there are left out."""

    def scan(self, collection: str, fields: Sequence[str]) -> Iterator[dict[str, dict[str, Any]]]:
        """All points, page by page, as `payloads` gives them."""

    def rank(self, collection: str, queries: Sequence[Wanted], filters: Filters, depth: int) -> list[Rankings]:
        """The best `depth` points of both kinds for each query; among equals in no order that can be relied on."""

    def similarities(self, collection: str, dense: list[float], ids: Sequence[str]) -> dict[str, float]:
        """The cosine of each of these points."""

    def close(self) -> None:
        """Free what is held."""


def point_id(passage_id: str) -> str:
    """A passage's point: UUIDv5 of its id, so that indexing it again replaces it."""
    return str(uuid5(NAMESPACE_URL, passage_id))


def passage_of(payload: Mapping[str, Any]) -> Passage:
    """The passage that a payload with the fields PASSAGE is of."""
    return Passage(**{field: payload[field] for field in OWN_FIELDS}, extra=payload.get("extra") or {})


def payload_filter(filters: Filters, types: ModuleType, range_type: type[Any]) -> Any:
    """Filters in the words of an engine: `qdrant_client.models` and `qdrant_edge` have the same ones but for the range.

    ValueError for a name that could be no field, and a value that is no string, whole number, boolean, list or range.
    """
    return types.Filter(must=[_condition(field, wanted, types, range_type) for field, wanted in filters.items()])


def _condition(field: str, wanted: Any, types: ModuleType, range_type: type[Any]) -> Any:
    if not _FIELD.fullmatch(field):
        raise ValueError(f"filter {field[:40]!r} is no field: letters, digits and '_', first no digit")
    key = field if field in OWN_FIELDS else f"extra.{field}"
    if isinstance(wanted, Mapping) and wanted and set(wanted) <= RANGE:
        if all(map(_bound, wanted.values())):
            return types.FieldCondition(key=key, range=range_type(**{name: float(b) for name, b in wanted.items()}))
    elif _text(wanted) or _whole(wanted):
        return types.FieldCondition(key=key, match=types.MatchValue(value=wanted))
    elif isinstance(wanted, list | tuple) and wanted and (all(map(_text, wanted)) or all(map(_number, wanted))):
        return types.FieldCondition(key=key, match=types.MatchAny(any=list(wanted)))
    raise ValueError(
        f"filter {field!r} is {wanted!r}: allowed are a string, a whole number, true, false, a list of strings or of "
        "whole numbers, and a range of numbers such as {'gte': 3, 'lt': 10}"
    )


def _bound(value: Any) -> bool:
    """Whether it is a number that an engine can compare with: one that a double holds."""
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _whole(value: Any) -> bool:
    """Whether an engine can take it as a whole number or a boolean: 64 bits."""
    return isinstance(value, int) and -(2**63) <= value < 2**63


def _number(value: Any) -> bool:
    return _whole(value) and not isinstance(value, bool)


def _text(value: Any) -> bool:
    """Whether it is a string that can be written: JSON can hold half a surrogate pair, UTF-8 cannot."""
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def rows_of(vectors: Scores) -> list[list[float]]:
    """Vectors as lists."""
    rows: list[list[float]] = vectors.tolist()
    return rows
