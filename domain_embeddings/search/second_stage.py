"""The second stage of a search: late interaction puts what meaning and words found in a new order.

That order is the evaluation's `late_hybrid`: scores of late interaction, of the single vectors and of BM25, each
brought to 0..1 by its lowest and highest, weighted and added; over the candidates, not over all passages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.ranking import fuse_scores
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.encoding.unicode_normalization import canonical
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.params.search import LateParams, LateWeights
from domain_embeddings.search.index_protocol import PassageIndex
from domain_embeddings.search.late_search import FIELDS, Match, Question, matches, scores

MISSING = "the index has no token vectors: ranked without late interaction (index the passages again)"
PARTLY = "some passages have no token vectors: ranked without late interaction (index the passages again)"
"""Why a second stage that was asked for is left out."""


@dataclass(frozen=True)
class SecondStage:
    """Late interaction over what was found."""

    params: LateParams
    codec: TokenCodec
    model: VersionedEmbeddings

    def scores(
        self, place: PassageIndex, collection: str, question: Question, found: Sequence[str]
    ) -> dict[str, float]:
        """MeanMaxSim of the first `candidates` that were found, best first; empty where one has no token vectors."""
        stored = place.payloads(collection, found[: self.params.candidates], FIELDS)
        late = scores(self.codec, question, list(stored.values())) or []
        place_of = {point: i for i, point in enumerate(found)}
        return dict(sorted(zip(stored, late, strict=False), key=lambda row: (-row[1], place_of[row[0]])))

    def ordered(
        self, late: Mapping[str, float], dense: Mapping[str, float], sparse: Mapping[str, float]
    ) -> dict[str, float]:
        """Those that `late` holds, best first, by the weighted sum of scores; of equals, the one nearer by `late`."""
        counts = self.params.weights or LateWeights()
        runs, weights = [{"": dict(each)} for each in (late, dense, sparse)], [counts.late, counts.dense, counts.sparse]
        every = fuse_scores(runs, weights, len(late) + len(dense) + len(sparse))[""]
        return dict(sorted(((point, every.get(point, 0.0)) for point in late), key=lambda row: -row[1]))

    def matches(self, question: Question, payload: Mapping[str, Any]) -> list[Match]:
        """What the question's words found in a passage, of which the payload has title, text and token vectors."""
        content = Passage(payload["id"], payload["title"], payload["text"]).content
        read = canonical(content)
        return matches(self.codec, question, payload, self.model.pieces(content), read, read == content)
