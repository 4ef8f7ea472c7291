"""Late interaction over what was found: its scores from stored token vectors, and which words matched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.search.index_protocol import PassageIndex, passage_of
from domain_embeddings.search.late_search import FIELDS, Match, Question, matches, scores
from domain_embeddings.systems.system import System
from domain_embeddings.text_matching.unicode_normalization import canonical

MISSING = "the index has no token vectors: ranked without late interaction (index the passages again)"
PARTLY = "some passages have no token vectors: ranked without late interaction (index the passages again)"
"""Why a second stage that was asked for is left out."""


@dataclass(frozen=True)
class SecondStage:
    """Late interaction over what was found."""

    codec: TokenCodec
    model: VersionedEmbeddings
    system: System

    def scores(
        self, place: PassageIndex, collection: str, question: Question, found: Sequence[str]
    ) -> dict[str, float]:
        """MeanMaxSim of the points that were found; of none where one has no token vectors, or is gone."""
        stored = place.payloads(collection, found, FIELDS)
        late = scores(self.codec, question, list(stored.values()))
        return {} if late is None or len(stored) < len(found) else dict(zip(stored, late, strict=True))

    def matches(self, question: Question, payload: Mapping[str, Any]) -> list[Match]:
        """What the question's words found in a passage, of which the payload has all fields and token vectors."""
        content = self.system.text(passage_of(payload))
        read = canonical(content)
        return matches(self.codec, question, payload, self.model.pieces(content, Role.PASSAGE), read, read == content)
