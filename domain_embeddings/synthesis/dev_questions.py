"""Questions about a passage in the words of somebody who has not read it, to choose a model by.

A question names an action and a thing, or two things, of one region of the passage and not of its heading: the later
first, without most of what describes them, and by another word where English has one. Its words alone lead to a few
passages. So it shares with its answer about as many words as people's questions do (`benchmarks.dev_overlap`). The
frames are not those of `templates`: to have seen those in training gains nothing here.
"""

import random
from collections.abc import Iterator, Sequence, Set
from itertools import combinations, product
from typing import NamedTuple

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import content_words
from domain_embeddings.english.inflection import as_asker, gerund, is_base_verb
from domain_embeddings.english.lexicon import IMPERATIVES, Tag, readings
from domain_embeddings.english.other_words import other_gerund, other_noun
from domain_embeddings.english.pos_tagger import Token, noun_phrases, tag
from domain_embeddings.english.sentence_filter import is_junk, prose_sentences
from domain_embeddings.english.word_lists import word_list
from domain_embeddings.synthesis.keyphrases import Statistics, usable_phrases

_REGION = 3
"""Sentences that a question draws its words from."""
_MOST_QUESTIONS = 2
_MOST_SHARED = 2
"""Words of a question, without its frame, that stand in the passage."""
SEVERAL = range(2, 6)
"""Passages that hold these words: one alone is found by them, and of many a question could not mean this one."""
_MOST_THINGS = 12
_SHORTEST = 4
"""Letters of a noun that says something alone."""
_NO_ACTION = word_list("no_action")
_DOING = (
    "anyone tried {} before, with {} involved",
    "stuck on {}, has to do with {}",
    "my colleague mentioned {} and something about {}, any pointers",
    "is there a catch with {} when it comes to {}",
    "got a question on {}, also on {}",
    "hi, what's the deal with {} and {}",
    "not sure about {} here, or about {}",
    "customer asks about {}, and something with {}",
)
_ABOUT = (
    "there was something about {} and {}",
    "can't remember what it said regarding {} or {}",
    "{}, {}, what was that about",
    "hi, what's the deal with {} and {}",
    "customer asks about {} and {}",
    "what have {} and {} got to do with each other",
    "where did it mention {} together with {}",
    "not sure about {} or {}",
)


class Term(NamedTuple):
    """An action or a thing: as the passage says it, and as the question does."""

    text: str
    said: str


Pair = tuple[Term, Term]


class Told(NamedTuple):
    """What a question must reckon with."""

    statistics: Statistics
    fits: range
    """How many passages may hold its words."""
    known: Set[str]
    """Stems of the passage."""
    barred: Set[str]
    """Stems of its heading and of the questions that it has."""


def questions(passage: Passage, statistics: Statistics, fits: range, rng: random.Random) -> list[str]:
    """Up to two questions, of two regions where there are two, whose words so many passages of the corpus hold."""
    found = [text for text in prose_sentences(passage.text) if not is_junk(text.rstrip(".!?:"))]
    regions = [found[i : i + _REGION] for i in range(0, len(found), _REGION)]
    rng.shuffle(regions)
    told = Told(statistics, fits, set(content_words(passage.content)), set(content_words(passage.title)))
    asked: list[str] = []
    for region in regions * _MOST_QUESTIONS:
        question = _question(region, told, rng)
        if question and len(asked) < _MOST_QUESTIONS:
            asked.append(question)
            told = told._replace(barred=told.barred | set(content_words(question)))
    return asked


def _question(region: Sequence[str], told: Told, rng: random.Random) -> str:
    """A frame around two terms; empty where no two will do."""
    tagged = [(sentence, tag(sentence)) for sentence in region]
    phrases = [phrase for pair in tagged for phrase in usable_phrases(*pair)]
    things = _kept((thing for phrase in phrases for thing in _things(phrase, told)), told)[:_MOST_THINGS]
    actions = _kept((action for pair in tagged for action in _actions(*pair, told)), told)
    doing = _chosen(list(product(actions, things)), told)
    about = _chosen([(later, earlier) for earlier, later in combinations(things, 2)], told)
    choices = [(frames, pair) for frames, pair in ((_DOING, doing), (_ABOUT, about)) if pair]
    if not choices:
        return ""
    frames, (first, second) = rng.choice(choices)
    return rng.choice(frames).format(first.said, second.said)


def _kept(terms: Iterator[Term], told: Told) -> list[Term]:
    """The terms without a barred word, each once."""
    return [term for term in dict.fromkeys(terms) if not told.barred & _stems(term) and not is_junk(term.text)]


def _chosen(pairs: Sequence[Pair], told: Told) -> Pair | None:
    """The most distinctive of the pairs that share few words with the passage, and lead to as many as are wanted."""
    distinct = [pair for pair in pairs if not _stems(pair[0]) & _stems(pair[1])]
    shared = {pair: _shared(pair, told.known) for pair in distinct}
    wanted = [
        pair
        for pair, text in shared.items()
        if len(content_words(text)) <= _MOST_SHARED and told.statistics.fits(text) in told.fits
    ]
    return max(wanted, key=lambda pair: sum(map(told.statistics.idf, content_words(shared[pair]))), default=None)


def _shared(pair: Pair, known: Set[str]) -> str:
    """The words of two terms, as a question says them, that stand in the passage."""
    return " ".join(word for term in pair for word in term.said.split(" ") if set(content_words(word)) <= known)


def _stems(term: Term) -> set[str]:
    return set(content_words(f"{term.text} {term.said}"))


def _things(phrase: str, told: Told) -> Iterator[Term]:
    """The last noun of a phrase, said otherwise, and the word before it too: "big engine" → "motor", "big motor"."""
    *_, before, noun = ["", *phrase.split(" ")]
    if len(noun) >= _SHORTEST and noun.replace("-", "").isalpha() and Tag.NOUN in readings(noun):
        said = _unknown(other_noun(noun), told) or noun
        yield Term(phrase, said)
        if before:
            yield Term(phrase, f"{before} {said}")


def _unknown(word: str, told: Told) -> str:
    """The word, or nothing if it stands in the passage too."""
    return "" if told.known & set(content_words(word)) else word


def _actions(sentence: str, tokens: Sequence[Token], told: Told) -> Iterator[Term]:
    """What the reader does in a sentence, as gerund and object: "remove the fork pin" → "taking off the pin"."""
    for start, end in noun_phrases(tokens):
        verb = start - 1
        while verb > 0 and tokens[verb].tag == Tag.DET:
            verb -= 1
        if verb >= 0 and _is_action(tokens, verb):
            low, between = tokens[verb].low, as_asker(sentence[tokens[verb].end : tokens[start].start])
            doing = _unknown(other_gerund(low), told) or gerund(low)
            for thing in _things(sentence[tokens[start].start : tokens[end - 1].end], told):
                yield Term(f"{low} {thing.text}", f"{doing}{between}{thing.said}")


def _is_action(tokens: Sequence[Token], place: int) -> bool:
    """Whether a word is an instruction, or a verb after "to"."""
    verb = tokens[place]
    if verb.tag != Tag.VERB or verb.low in _NO_ACTION:
        return False
    if place and tokens[place - 1].tag == Tag.TO:
        return is_base_verb(verb.text)
    return verb.low in IMPERATIVES and (place == 0 or tokens[place - 1].tag == Tag.PUNCT)
