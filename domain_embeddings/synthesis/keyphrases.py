"""What of a passage's own words makes a query: salient sentences, runs of words and distinctive noun phrases.

Salience is TF-IDF over the corpus (Spärck Jones, 1972), for noun phrases weighted with their length as C-value does
(Frantzi et al., 2000), so that "wheel nut torque" stands before "torque".
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import STOPWORDS, content_words, without_repeats, words
from domain_embeddings.english.inflection import as_asker, is_base_verb
from domain_embeddings.english.lexicon import Tag, is_known, readings, word_set
from domain_embeddings.english.pos_tagger import Token, noun_phrases, tag, tag_sentence
from domain_embeddings.english.sentence_filter import cells, is_junk, key, prose_sentences, stands_alone
from domain_embeddings.english.word_lists import word_list
from domain_embeddings.synthesis.sentence_questions import questions_of

_MID_CAPITAL = re.compile(r"(?<=[a-z,] )[A-Z][\w+-]*")
_BOUNDARY = re.compile(r", | ?[;:] | – | - ")
_JOINING = word_list("joining_prepositions")
_LABELS = re.compile(r"^[a-z]\S* (?:[A-Z]\S* )+[A-Z]\S*$")
"""A word and the names of menus that follow it ("component Standard Custom")."""
_PLAIN_NUMBER = re.compile(r"^[\d.,/-]+$")
_VERBS = (Tag.VERB, Tag.BE, Tag.AUX)
_OPEN_ENDS = (Tag.DET, Tag.PREP, Tag.CONJ, Tag.SUB, Tag.AUX, Tag.BE, Tag.TO, Tag.NEG, Tag.PRON, Tag.PUNCT)
_NO_OPENING = ((Tag.DET, Tag.DET), (Tag.PREP, Tag.PREP))
_PARTICLES = word_set("on off in out up down over through back away")
_CLAUSE_ENDS = (Tag.PUNCT, Tag.SUB, Tag.CONJ)
_LONG_SENTENCE, _LONGEST = 20, 26
_SHORTEST_RUN, _LONGEST_RUN = 5, 12
_VAGUE = word_list("vague_nouns")


@dataclass(frozen=True)
class Statistics:
    """What the corpus says about words: in how many passages a stem stands, and which words are names."""

    passages: int
    postings: Mapping[str, frozenset[int]]
    proper: frozenset[str]

    def idf(self, stem: str) -> float:
        """Inverse document frequency, ln((N + 1) / (df + 0.5))."""
        return math.log((self.passages + 1) / (len(self.postings.get(stem, ())) + 0.5))

    def fits(self, text: str) -> int:
        """The number of passages that hold every content word of a text."""
        found = sorted((self.postings.get(stem, frozenset()) for stem in content_words(text)), key=len)
        return len(frozenset.intersection(*found)) if found else self.passages

    def salience(self, text: str) -> float:
        """The summed idf of a text's content words over the root of their number."""
        stems = content_words(text)
        return sum(map(self.idf, stems)) / math.sqrt(len(stems)) if stems else 0.0


def statistics_of(corpus: Iterable[Passage]) -> Statistics:
    """Count stems and find names: words that stand capitalized inside sentences and never in lower case."""
    postings: dict[str, set[int]] = {}
    capitals: Counter[str] = Counter()
    lower: set[str] = set()
    count = 0
    for count, passage in enumerate(corpus, start=1):
        for stem in content_words(passage.content):
            postings.setdefault(stem, set()).add(count)
        capitals.update(_MID_CAPITAL.findall(passage.text))
        lower.update(word for word in passage.text.split() if word.islower())
    names = frozenset(word for word, n in capitals.items() if n > 1 and word.lower() not in lower and len(word) > 1)
    return Statistics(count, {stem: frozenset(found) for stem, found in postings.items()}, names)


@dataclass(frozen=True)
class Prose:
    """A passage's sentences with their words' classes, computed once for all sources."""

    sentences: tuple[str, ...]
    tokens: tuple[tuple[Token, ...], ...]
    cells: tuple[str, ...]


def prose_of(passage: Passage) -> Prose:
    """Split a passage into sentences and tag them."""
    found = prose_sentences(passage.text)
    return Prose(tuple(found), tuple(tag_sentence(sentence) for sentence in found), tuple(cells(passage.text)))


def decapitalized(text: str, proper: frozenset[str]) -> str:
    """The text without the capital that only marks the start of its sentence."""
    first = re.split(r"[\s,]", text, maxsplit=1)[0]
    second = text[len(first) :].lstrip()[:1]
    keeps = (
        first in proper
        or second.isupper()
        or first[1:] != first[1:].lower()
        or first == "I"
        or any(c.isdigit() for c in first)
    )
    return text if keeps else text[0].lower() + text[1:]


def salient_sentences(prose: Prose, statistics: Statistics) -> list[str]:
    """The sentences that say most about the passage, best first; long ones cut to their main clause."""
    scored: dict[str, float] = {}
    for place, (sentence, tokens) in enumerate(zip(prose.sentences, prose.tokens, strict=True)):
        clause = _main_clause(sentence, tokens)
        if not clause or not _is_salient(clause):
            continue
        weight = 1 - 0.3 * place / len(prose.sentences)
        scored.setdefault(decapitalized(clause, statistics.proper), weight * statistics.salience(clause))
    return sorted(scored, key=lambda text: (-scored[text], text))


def _is_salient(clause: str) -> bool:
    first, second, *_ = (*(token.tag for token in tag(clause)[:2]), Tag.PUNCT, Tag.PUNCT)
    if (
        (first, second) in _NO_OPENING
        or (first == Tag.NUMBER and ":" in clause.split(" ")[0])
        or clause.lower().startswith("of ")
        or re.search(r"\b(?:e\.g|i\.e|etc)$", clause)
    ):
        return False
    enough = 4 <= len(clause.split()) <= _LONGEST and len(content_words(clause)) >= 3
    return enough and stands_alone(clause) and not is_junk(clause)


def _main_clause(sentence: str, tokens: Sequence[Token]) -> str:
    """A sentence without its full stop, cut at the first clause boundary when long; empty where it has no verb."""
    text = re.sub(r", (?:however|though|too|also)$", "", sentence.rstrip(" .!:;,"))
    unfinished = sentence.endswith((":", "?", ",")) or not _is_clause(
        _without_marks(tokens), ended=sentence.endswith(".")
    )
    if unfinished:
        return ""
    if len(text.split()) <= _LONG_SENTENCE:
        return text
    for match in _BOUNDARY.finditer(text):
        head = [token for token in tokens[: _LONG_SENTENCE + 1] if token.end <= match.start()]
        if len(head) > _LONG_SENTENCE:
            break
        starts_whole = head and head[0].tag not in (Tag.SUB, Tag.PREP, Tag.GERUND, Tag.TO, Tag.PARTICIPLE)
        if len(head) >= 6 and starts_whole and _is_clause(head, ended=False):
            return text[: match.start()]
    return text if len(text.split()) <= _LONGEST else ""


def _without_marks(tokens: Sequence[Token]) -> Sequence[Token]:
    end = len(tokens)
    while end and tokens[end - 1].tag == Tag.PUNCT:
        end -= 1
    return tokens[:end]


def _is_clause(tokens: Sequence[Token], *, ended: bool) -> bool:
    """Whether words have a verb, also after their last "that" or "which", and do not stop in the middle of a phrase."""
    last = max((i for i, token in enumerate(tokens) if token.tag == Tag.SUB), default=-1)
    whole = any(token.tag in _VERBS or token.tag == Tag.TO for token in tokens[last + 1 :])
    verb = any(token.tag in _VERBS and (not i or tokens[i - 1].tag != Tag.TO) for i, token in enumerate(tokens))
    if _lacks_main_verb(tokens):
        return False
    opens = next((i for i, token in enumerate(tokens[:3]) if token.tag == Tag.SUB), None)
    if opens is not None and not any(token.text in (",", "then") for token in tokens[opens:]):
        return False
    if len(tokens) > 1 and tokens[-1].tag == Tag.VERB and tokens[-2].low in ("and", "then", "to", "or", ","):
        return False
    if len(tokens) > 1 and tokens[-2].tag == Tag.PREP and Tag.ADJ in readings(tokens[-1].text):
        return False
    particle = ended and tokens[-1].low in _PARTICLES if tokens else False
    return verb and whole and (particle or tokens[-1].tag not in _OPEN_ENDS)


def _lacks_main_verb(tokens: Sequence[Token]) -> bool:
    """Whether the only verb belongs to a relative clause: "the method, which uses approximate distributions"."""
    verbs = {i: token for i, token in enumerate(tokens) if token.tag in _VERBS}
    relative = next((i for i, token in enumerate(tokens) if i and token.low in ("which", "who", "that")), None)
    if relative is None or not verbs or min(verbs) < relative:
        return False
    chains = sum(1 for i in verbs if i - 1 not in verbs)
    return chains < 2


def spans(prose: Prose, statistics: Statistics) -> list[str]:
    """Questions that sentences answer, then runs of 5 to 12 words that are whole phrases; best of each first."""
    asked = without_repeats(question for sentence in prose.sentences for question in questions_of(sentence))
    runs: dict[str, float] = {}
    for sentence, tokens in zip(prose.sentences, prose.tokens, strict=True):
        for start, end in (*_noun_runs(tokens), *_verb_runs(tokens)):
            text = sentence[tokens[start].start : tokens[end - 1].end]
            if not is_junk(text) and stands_alone(text) and len(content_words(text)) >= 3:
                runs.setdefault(as_asker(decapitalized(text, statistics.proper)), statistics.salience(text))
    ranked = sorted(runs, key=lambda text: (-runs[text], text))
    asked.sort(key=lambda text: (-statistics.salience(text), text))
    return [text for pair in _interleave(asked, ranked) for text in pair]


def _interleave(first: Sequence[str], second: Sequence[str]) -> list[tuple[str, ...]]:
    longest = max(len(first), len(second))
    return [tuple(items[i] for items in (first, second) if i < len(items)) for i in range(longest)]


def _noun_runs(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """Noun phrases joined by prepositions: "stress distribution in a thin cylinder under axial load"."""
    phrases = noun_phrases(tokens)
    longest: dict[int, int] = {}
    for place, (start, end) in enumerate(phrases):
        if tokens[end - 1].low in _VAGUE or _inside_larger(tokens, start):
            continue
        for following_start, following_end in phrases[place + 1 :]:
            gap = tokens[end:following_start]
            if not _joins(gap) or tokens[following_end - 1].low in _VAGUE:
                break
            end = following_end
            if end - start > _LONGEST_RUN:
                break
            if end - start >= _SHORTEST_RUN:
                longest[start] = end
    return [run for run in longest.items() if not _continues(tokens, run[1])]


def _inside_larger(tokens: Sequence[Token], start: int) -> bool:
    """Whether a phrase continues one before it: "(effect of) viscosity on the sonic line"."""
    before = start - 1
    while before >= 0 and tokens[before].tag in (Tag.DET, Tag.ADJ, Tag.NUMBER):
        before -= 1
    return before >= 0 and tokens[before].low == "of"


def _joins(gap: Sequence[Token]) -> bool:
    """Whether what stands between two noun phrases ties them together: "of the", not "with the" (done with it)."""
    if not 1 <= len(gap) <= 3 or gap[0].tag != Tag.PREP or gap[0].low not in _JOINING:
        return False
    if gap[0].low == "with" and gap[-1].low in ("the", "its", "their", "your"):
        return False
    rest = [token for token in gap[1:] if token.low not in ("other", "such", "following")]
    return all(token.tag in (Tag.DET, Tag.ADJ, Tag.NUMBER) for token in rest)


def _continues(tokens: Sequence[Token], end: int) -> bool:
    """Whether a run stops inside "X and Y" or before a hyphen or slash."""
    return end < len(tokens) and (tokens[end].tag == Tag.CONJ or tokens[end].text in "-/–(")


def _verb_runs(tokens: Sequence[Token]) -> list[tuple[int, int]]:
    """An instruction up to the end of its clause: "disconnect the negative terminal of the battery"."""
    runs = []
    for start, token in enumerate(tokens):
        opens = start == 0 or tokens[start - 1].tag in (Tag.TO, Tag.PUNCT) or tokens[start - 1].low in ("and", "then")
        if token.tag != Tag.VERB or not is_base_verb(token.text) or not opens or start + 1 >= len(tokens):
            continue
        within = tokens[start : start + _LONGEST_RUN + 1]
        end = start + next((i for i, each in enumerate(within) if each.tag in _CLAUSE_ENDS), len(within))
        if any(each.tag in _VERBS for each in tokens[start + 1 : end]):
            continue
        if tokens[start + 1].low.endswith("ing"):
            continue
        objects = tokens[start + 1].tag in (Tag.DET, Tag.ADJ, Tag.NOUN, Tag.NUMBER)
        if (
            objects
            and _SHORTEST_RUN <= end - start <= _LONGEST_RUN
            and tokens[end - 1].tag == Tag.NOUN
            and not _continues(tokens, end)
        ):
            runs.append((start, end))
    return runs


def keyphrases(prose: Prose, statistics: Statistics) -> list[str]:
    """The passage's distinctive noun phrases of 2 to 6 words, best first, and pairs of them as keyword queries."""
    groups = _phrases(prose)
    counts = Counter(key(text) for group in groups for text in group)
    form = {key(text): decapitalized(text, statistics.proper) for group in reversed(groups) for text in reversed(group)}
    scores = {form[k]: _phrase_score(form[k], n, statistics) for k, n in counts.items()}
    ranked = sorted(scores, key=lambda text: (-scores[text], text))
    singles = [text for text in ranked if 2 <= len(text.split()) <= 6]
    pairs = _pairs([[form[key(text)] for text in group] for group in groups], scores)
    return [text for pair in _interleave(singles, pairs) for text in pair]


def _phrase_score(text: str, count: int, statistics: Statistics) -> float:
    return statistics.salience(text) * (1 + math.log(count)) * _length_bonus(text)


def _length_bonus(text: str) -> float:
    return math.log2(1 + min(4, len(text.split())))


def _phrases(prose: Prose) -> list[list[str]]:
    """The usable noun phrases of each sentence, and of all table rows together."""
    found = [usable_phrases(*pair) for pair in zip(prose.sentences, prose.tokens, strict=True)]
    return [*found, [cell for cell in prose.cells if _all_nominal(cell) and _is_phrase(cell)]]


def usable_phrases(sentence: str, tokens: Sequence[Token]) -> list[str]:
    """The noun phrases of a sentence that say something by themselves."""
    texts = [sentence[tokens[start].start : tokens[end - 1].end] for start, end in noun_phrases(tokens)]
    return [text for text in texts if _is_phrase(text)]


@cache
def _all_nominal(text: str) -> bool:
    tokens = tag(f"the {text}")[1:]
    return bool(tokens) and tokens[-1].tag == Tag.NOUN and all(t.tag in (Tag.NOUN, Tag.ADJ) for t in tokens)


def _is_phrase(text: str) -> bool:
    found = words(text)
    content = [w for w in found if w not in STOPWORDS and w not in _VAGUE and not w[0].isdigit() and len(w) > 1]
    if not content or len(found) > 6 or found[-1] in _VAGUE or _PLAIN_NUMBER.match(found[0]):
        return False
    labels = bool(_LABELS.search(text)) and all(map(is_known, text.split()))
    return not labels and not is_junk(text)


def _pairs(groups: Sequence[Sequence[str]], scores: Mapping[str, float]) -> list[str]:
    """Two phrases of one sentence side by side, as people type keywords ("brake pedal spongy air"); best first."""
    found: dict[str, float] = {}
    for group in groups:
        for first, second in pairwise(without_repeats(group)):
            text = f"{first} {second}"
            distinct = not set(content_words(first)) & set(content_words(second))
            plain = all(" " in part or is_plain_noun(part) for part in (first, second))
            participle = second.split(" ")[0].endswith("ed")
            if distinct and plain and not participle and 3 <= len(text.split()) <= 7 and not is_junk(text):
                found.setdefault(text, scores[first] + scores[second])
    return sorted(found, key=lambda text: (-found[text], text))


def is_plain_noun(word: str) -> bool:
    """Whether a single word can only be a noun, so that it carries a keyword query with a phrase beside it."""
    return len(word) > 3 and readings(word) == {Tag.NOUN}
