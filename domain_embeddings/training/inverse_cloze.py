"""Inverse cloze: a passage without the sentence that a query was made from.

A query taken word for word from a passage is found by the words in common, and that is all a model learns from the two.
Without the sentence it has to learn what the passage is about (the inverse cloze task: Lee, Chang and Toutanova, Latent
Retrieval for Weakly Supervised Open Domain Question Answering, ACL 2019, who take it out in nine of ten cases).
"""

import random
import re

from domain_embeddings.core.dataset import Passage, Query
from domain_embeddings.core.text import words

MADE_OF_SENTENCES = frozenset({"sentence", "span", "keyphrase"})
"""Sources of synthetic queries whose words stand together in one sentence; headings and names do not."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_SHARED = 0.6
_FEWEST_WORDS = 20


def positive_of(passage: Passage, query: Query, share: float, seed: int) -> str:
    """What a query is trained to find: the passage, or, for a `share` of queries made of sentences, what else it says.

    Which queries those are depends on the seed and the query's id alone.
    """
    chosen = query.extra.get("source") in MADE_OF_SENTENCES and random.Random(f"{seed}:{query.id}").random() < share
    return (without_sentence(passage, query.text) if chosen else None) or passage.content


def without_sentence(passage: Passage, query: str) -> str | None:
    """Title and text without the sentences that hold most of the query's words.

    None where no sentence holds 60% of them, or where fewer than 20 words would be left.
    """
    asked = set(words(query))
    found = [(sentence, len(asked.intersection(words(sentence)))) for sentence in _SENTENCE_END.split(passage.text)]
    most = max(shared for _, shared in found)
    rest = " ".join(sentence for sentence, shared in found if shared < most)
    if most < _SHARED * len(asked) or len(rest.split()) < _FEWEST_WORDS:
        return None
    return f"{passage.title} {rest}".strip()
