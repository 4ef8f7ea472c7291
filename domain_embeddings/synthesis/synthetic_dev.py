"""Where no labelled dev questions exist: passages held out of training, and questions about them to choose by.

The questions come from a source that training does not use: an action or two things of one region of the passage, none
of their words in its heading, as a gerund or in reverse order, within frames that `templates` does not have. Choosing a
model by them thus rewards what it learned of the field's words, not the frames that it was trained on.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.text import content_words
from domain_embeddings.english.inflection import as_asker, gerund, is_base_verb
from domain_embeddings.english.lexicon import Tag, word_set
from domain_embeddings.english.pos_tagger import Token, noun_phrases, tag
from domain_embeddings.english.sentence_filter import is_junk, prose_sentences
from domain_embeddings.synthesis.keyphrases import Statistics, is_plain_noun, statistics_of, usable_phrases
from domain_embeddings.text_matching.near_duplicates import near_copies
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

_FEWEST, _MOST = 50, 300
_NEAR_COPY = 0.8
_REGION = 3
"""Sentences that a dev question draws its words from."""
_MOST_PASSAGES = 5
_NO_ACTION = word_set("let go do have be get see use allow make need want take keep note ensure refer follow")
_DOING = (
    "anyone tried {} before",
    "stuck on {}",
    "my colleague mentioned {}, any pointers",
    "is there a catch with {}",
    "got a question on {}",
    "hi, what's the deal with {}",
    "not sure about {} here",
    "customer asks about {}",
)
_ABOUT = (
    "there was something about {} and {}",
    "can't remember what it said regarding {} or {}",
    "{}, {}, what was that about",
    "hi, what's the deal with {} and {}",
    "customer asks about {} and {}",
    "what have {} and {} got to do with each other",
    "where did it mention {} together with {}",
    "not sure about {} and {}",
)


def hold_out(corpus: Mapping[str, Passage], share: float, seed: int) -> set[str]:
    """Draw about `share` of the passages, at least 50 and at most 300 but never more than half, by whole groups.

    A group is what must not stand on both sides: the pieces of one section (same file and heading path) and near-copies
    of each other.
    """
    groups = _groups(corpus)
    half = len(corpus) // 2
    target = min(half, max(_FEWEST, min(_MOST, round(share * len(corpus)))))
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    chosen: set[str] = set()
    for name in names:
        if len(chosen) + len(groups[name]) <= target:
            chosen |= groups[name]
    return chosen


def _groups(corpus: Mapping[str, Passage]) -> dict[str, set[str]]:
    """The passages that belong together, under the first of their ids."""
    ordered = sorted(corpus)
    leader: dict[str, str] = {passage_id: passage_id for passage_id in ordered}

    def find(passage_id: str) -> str:
        while leader[passage_id] != passage_id:
            passage_id = leader[passage_id]
        return passage_id

    first_of: dict[tuple[str, str, str], str] = {}
    links = []
    for passage_id in ordered:
        passage = corpus[passage_id]
        section = (passage.domain, str(passage.extra.get("file", "")), passage.title or passage_id)
        links.append((passage_id, first_of.setdefault(section, passage_id)))
    copies = near_copies({passage_id: corpus[passage_id].content for passage_id in ordered}, _NEAR_COPY)
    for one, other in (*links, *copies.items()):
        low, high = sorted((find(one), find(other)))
        leader[high] = low
    groups: dict[str, set[str]] = {}
    for passage_id in ordered:
        groups.setdefault(find(passage_id), set()).add(passage_id)
    return groups


def dev_queries(
    corpus: Mapping[str, Passage], passages: Collection[str], held_out: Mapping[str, str], seed: int
) -> tuple[list[Query], Qrels]:
    """One or two conversational questions about each of `passages`, with their judgements.

    None is near-equal to a held-out question or to another dev question; a passage without enough distinctive words
    outside its heading gets none.
    """
    statistics = statistics_of(corpus[passage_id] for passage_id in sorted(corpus))
    taken = NearEqualQueries(held_out)
    queries: list[Query] = []
    for passage_id in sorted(passages):
        passage = corpus[passage_id]
        rng = random.Random(f"{seed}:dev:{passage_id}")
        for text in _questions(passage, statistics, rng):
            if taken.find(text) is None:
                taken.add(text, text)
                extra = {"source": "dev", "type": passage.type, "passage": passage_id}
                queries.append(Query(f"dev-{len(queries) + 1}", text, passage.domain, extra=extra))
    return queries, {query.id: {str(query.extra["passage"]): 1} for query in queries}


def _questions(passage: Passage, statistics: Statistics, rng: random.Random) -> list[str]:
    """Up to two questions, from different regions of the passage."""
    found = [text for text in prose_sentences(passage.text) if not is_junk(text.rstrip(".!?:"))]
    regions = [found[i : i + _REGION] for i in range(0, len(found), _REGION)]
    rng.shuffle(regions)
    barred = set(content_words(passage.title))
    asked: list[str] = []
    for region in regions:
        question = _question(region, statistics, barred, rng)
        if question and len(asked) < 2:
            asked.append(question)
            barred |= set(content_words(question))
    return asked


def _question(region: Sequence[str], statistics: Statistics, barred: set[str], rng: random.Random) -> str:
    """A frame around an action or two things of the region, the later first; empty where neither is distinctive."""
    tagged = [(sentence, tag(sentence)) for sentence in region]
    actions = [text for sentence, tokens in tagged for text in _actions(sentence, tokens)]
    things = [text for sentence, tokens in tagged for text in usable_phrases(sentence, tokens)]
    best_actions = [
        text for text in _distinctive(actions, statistics, barred) if statistics.fits(text) <= _MOST_PASSAGES
    ]
    doing = [frame.format(text) for text in best_actions[:1] for frame in _DOING]
    best = _distinctive([text for text in things if " " in text or is_plain_noun(text)], statistics, barred)
    pair = _pair(best, statistics)
    about = [frame.format(*sorted(pair, key=things.index, reverse=True)) for frame in _ABOUT] if pair else []
    choices = [group for group in (doing, about) if group]
    return rng.choice(rng.choice(choices)) if choices else ""


def _actions(sentence: str, tokens: Sequence[Token]) -> list[str]:
    """What the reader does in a sentence, as gerund and object: "remove the fork pin" → "removing the fork pin"."""
    found = []
    for start, end in noun_phrases(tokens):
        verb = start - 1
        while verb > 0 and tokens[verb].tag == Tag.DET:
            verb -= 1
        opens = verb == 0 or (verb > 0 and tokens[verb - 1].tag in (Tag.TO, Tag.PUNCT))
        if verb >= 0 and opens and tokens[verb].tag == Tag.VERB and _is_action(tokens[verb]):
            rest = as_asker(sentence[tokens[verb].end : tokens[end - 1].end])
            found.append(f"{gerund(tokens[verb].low)}{rest}")
    return found


def _is_action(token: Token) -> bool:
    return is_base_verb(token.text) and token.low not in _NO_ACTION


def _distinctive(texts: Sequence[str], statistics: Statistics, barred: set[str]) -> list[str]:
    """The texts without a barred word, most distinctive first."""
    kept = {text for text in texts if not barred & set(content_words(text)) and not is_junk(text)}
    return sorted(kept, key=lambda text: (-statistics.salience(text), text))


def _pair(things: Sequence[str], statistics: Statistics) -> tuple[str, str] | None:
    """The two most distinctive things that share no word and stand together in few passages."""
    for first, second in combinations(things[:5], 2):
        shared = set(content_words(first)) & set(content_words(second))
        if not shared and statistics.fits(f"{first} {second}") <= _MOST_PASSAGES:
            return first, second
    return None
