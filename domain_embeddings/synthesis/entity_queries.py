"""Training queries that tie the names and aliases of an entity to the passages about it.

A general model knows no alias of a special field: "the grey nun" is a nun to it. Each name therefore gives queries of
three forms. General ones have the name alone ("what is the grey nun"), so that nothing but the name leads to the
article; all its passages are relevant. Aspects have the name and a phrase of one passage ("the grey nun re-tempering"),
statements and questions a sentence of it with this name in place of the one that stands there; that passage alone is
relevant.
"""

import random
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import zip_longest
from typing import Any

from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.entities import Article, articles
from domain_embeddings.core.text import without_repeats
from domain_embeddings.english.inflection import base_verb, is_base_verb
from domain_embeddings.english.lexicon import word_set
from domain_embeddings.english.sentence_filter import is_junk, key, prose_sentences, stands_alone
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.candidates import MOST_PASSAGES
from domain_embeddings.synthesis.entity_names import bare, is_person, names_in, renamed, resolved, spoken
from domain_embeddings.synthesis.keyphrases import Statistics, decapitalized, keyphrases, prose_of, statistics_of
from domain_embeddings.synthesis.queries import Drops, Synthesis
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

_EXAMPLES = 20
_PHRASES = 4
"""Keyphrases of a passage that are joined with a name."""
_LONGEST = 20
_MOST_ALIASES = 8
"""An entry with more aliases is a list ("Timeline": every year), and they name its items: only its own name is used."""
_ABOUT = ("{}", "tell me about {}", "{} explained", "what is known of {}", "information on {}", "the story of {}")
_THING = ("what is {}", "What is {}?", "what is meant by {}", "{} meaning", "all about {}", "history of {}")
_PERSON = ("who is {}", "Who was {}?", "life of {}", "what is {} known for", "what did {} do", "{} biography")
_OTHER_NAME = ("why is it called {}", "another name for {}", "what do people call {}")
_FACET = ("{name} {phrase}", "{phrase} of {name}", "{name}, {phrase}")
_PHRASE = ("{name} {phrase}", "{phrase} {name}", "{name} and {phrase}", "what has {name} to do with {phrase}")
_AUXILIARIES = word_set("is was are were must may can could should will would has had")
_STATES = word_set("the a an one")
_CLAUSE_END = re.compile(r"[,;:.!?]| and | but | because | so that | since | where | who | which | although ")


class Form(StrEnum):
    """What a query holds beside the name."""

    GENERAL = "general"
    ASPECT = "aspect"
    SENTENCE = "sentence"


@dataclass(frozen=True)
class Name:
    """A name or alias with the articles of all entities that are called so."""

    text: str
    is_alias: bool
    articles: tuple[Article, ...]

    @property
    def passages(self) -> list[str]:
        """The ids of the passages about its entities, the first few of a long article."""
        return [passage.id for article in self.articles for passage in article.passages][:MOST_PASSAGES]


@dataclass(frozen=True)
class Made:
    """A query about a name, and its relevant passages."""

    text: str
    form: Form
    name: Name
    relevant: tuple[str, ...]


@dataclass
class _Guard:
    """Refuses what was made before, fits a held-out passage or comes near a held-out question."""

    questions: Mapping[str, str]
    excluded: frozenset[str]
    taken: set[str]
    drops: Drops = field(default_factory=Drops)

    def __post_init__(self) -> None:
        self._near = NearEqualQueries(self.questions)

    def refuses(self, made: Made, seen: NearEqualQueries) -> bool:
        """Whether the query must not be used; counts why."""
        place = self._near.find(made.text)
        reason = ""
        if place is not None:
            reason = "near a held-out question"
            row = {"query": made.text, "place": place, "question": self.questions[place], "passage": made.relevant[0]}
            self.drops.held_out.append(row)
        elif self.excluded.intersection(made.relevant):
            reason = "fits a held-out passage"
        elif key(made.text) in self.taken:
            reason = "same text as another query"
        elif seen.find(made.text) is not None:
            reason = "near-equal to another of its name"
        self.drops.reasons[reason] += bool(reason)
        return bool(reason)


def alias_queries(
    corpus: Mapping[str, Passage],
    params: SynthesizeParams,
    held_out: Mapping[str, str],
    exclude: Collection[str] = (),
    others: Collection[Query] = (),
) -> Synthesis:
    """Make up to `synthetic_expansion_factor` queries for each name and alias of an entity with passages.

    `held_out` and `exclude` as for `queries.synthesize`; `others` are the training queries made so far, none of which
    is made again. At most `pairs_per_domain` queries a domain, shared out evenly over the names.
    """
    passages = [corpus[passage_id] for passage_id in sorted(corpus)]
    statistics = statistics_of(passages)
    guard = _Guard(held_out, frozenset(exclude), {key(query.text) for query in others})
    drawn = [list(_draw(name, statistics, guard, params)) for name in names_of(articles(passages))]
    kept = _capped(drawn, corpus, params, guard.drops)
    return _assemble(kept, corpus, len(drawn), guard.drops, params.seed)


def names_of(found: Sequence[Article]) -> list[Name]:
    """Every name and alias of the articles' entities once, sorted; one that several entities share has them all."""
    owners: dict[str, list[Article]] = {}
    written: dict[str, tuple[str, bool]] = {}
    for article in found:
        for number, name in enumerate(_names(article)):
            owners.setdefault(name.casefold(), []).append(article)
            text, is_alias = written.get(name.casefold(), (spoken(name, article), True))
            written[name.casefold()] = (text, is_alias and number > 0)
    return [Name(*written[folded], tuple(owners[folded])) for folded in sorted(owners)]


def _names(article: Article) -> tuple[str, ...]:
    """What an entity is called: its own name first."""
    return (article.entity, *(article.aliases if len(article.aliases) <= _MOST_ALIASES else ()))


def _draw(name: Name, statistics: Statistics, guard: _Guard, params: SynthesizeParams) -> Iterator[Made]:
    """The queries of one name: one of each form in turn, as long as there are any."""
    rng = random.Random(f"{params.seed}:{name.text}")
    seen = NearEqualQueries()
    queues = [_general(name, rng), _sentences(name, statistics, rng), _aspects(name, statistics, rng)]
    candidates = (made for turn in zip_longest(*queues) for made in turn if made is not None)
    left = params.synthetic_expansion_factor
    for made in candidates:
        if not left:
            return
        if not guard.refuses(made, seen):
            seen.add(made.text, made.text)
            guard.taken.add(key(made.text))
            left -= 1
            yield made


def _general(name: Name, rng: random.Random) -> list[Made]:
    person = is_person(name.articles[0])
    frames = [*_ABOUT, *(_PERSON if person else _THING), *(_OTHER_NAME if name.is_alias else ())]
    texts = [frame.format(name.text) for frame in rng.sample(frames, len(frames))]
    return [Made(text, Form.GENERAL, name, tuple(name.passages)) for text in texts]


def _aspects(name: Name, statistics: Statistics, rng: random.Random) -> list[Made]:
    """The name with what a passage's title says of it, then with its keyphrases; one of each passage in turn."""
    found = []
    for article, passage in _passages(name):
        called = _names(article)
        facet = renamed(passage.title, called, "").strip(" :,->()") if names_in(passage.title, called) else ""
        phrases = [p for p in keyphrases(prose_of(passage), statistics)[:_PHRASES] if not names_in(p, called)]
        filled = [(rng.choice(_FACET), facet)] if facet else []
        filled += [(rng.choice(_PHRASE), phrase) for phrase in phrases]
        texts = [f.format(name=rng.choice((name.text, bare(name.text))), phrase=p) for f, p in filled]
        found.append([Made(text, Form.ASPECT, name, (passage.id,)) for text in texts])
    return _in_turn(found, rng)


def _sentences(name: Name, statistics: Statistics, rng: random.Random) -> list[Made]:
    """The sentences that speak of the entity, with this name, as statements and questions; a passage's in turn."""
    found = []
    person = {article.entity: is_person(article) for article in name.articles}
    for article, passage in _passages(name):
        said = _said(name.text, article, passage, statistics, person=person[article.entity])
        asked = [question for sentence in said for question in _asked(sentence, name.text, rng)]
        mixed = [text for pair in zip_longest(asked, said) for text in pair if text]
        found.append([Made(text, Form.SENTENCE, name, (passage.id,)) for text in without_repeats(mixed)])
    return _in_turn(found, rng)


def _passages(name: Name) -> Iterator[tuple[Article, Passage]]:
    yield from ((article, passage) for article in name.articles for passage in article.passages)


def _in_turn(groups: Sequence[list[Made]], rng: random.Random) -> list[Made]:
    shuffled = rng.sample(list(groups), len(groups))
    return [made for turn in zip_longest(*shuffled) for made in turn if made is not None]


def _said(name: str, article: Article, passage: Passage, statistics: Statistics, *, person: bool) -> list[str]:
    """The usable sentences of a passage with `name` where they name the entity or open with its pronoun."""
    called = _names(article)
    found = []
    for sentence in prose_sentences(passage.text):
        subject = resolved(sentence.rstrip(" .!"), article.entity, person=person)
        short = len(subject.split()) <= _LONGEST and not is_junk(subject) and stands_alone(subject)
        if short and not sentence.endswith((":", "?")) and names_in(subject, called):
            found.append(decapitalized(renamed(subject, called, name), statistics.proper))
    return found


def _asked(sentence: str, name: str, rng: random.Random) -> list[str]:
    """The question to a statement that opens with the name: "the grey nun loses its temper …" → "why does it …?"."""
    if not sentence.casefold().startswith(f"{name.casefold()} "):
        return []
    predicate = _CLAUSE_END.split(sentence[len(name) + 1 :], maxsplit=1)[0].strip()
    if " between " in predicate:
        return []
    verb, _, rest = predicate.partition(" ")
    asking = rng.choice(("why", "how", "when"))
    if verb in _AUXILIARIES:
        return [f"{asking} {verb} {name} {rest}"] if rest and rest.split()[0] not in _STATES else []
    base = base_verb(verb)
    if base == verb or not is_base_verb(base) or not rest:
        return []
    return [f"{asking} {'does' if verb.endswith('s') else 'did'} {name} {base} {rest}"]


def _capped(
    drawn: Sequence[list[Made]], corpus: Mapping[str, Passage], params: SynthesizeParams, drops: Drops
) -> list[Made]:
    """At most `pairs_per_domain` a domain: first one of each name in random order, then a second, …"""
    order = random.Random(params.seed).sample(list(drawn), len(drawn))
    size: Counter[str] = Counter()
    kept: set[str] = set()
    for made in (made for turn in zip_longest(*order) for made in turn if made is not None):
        domain = corpus[made.relevant[0]].domain
        if size[domain] < params.pairs_per_domain:
            size[domain] += 1
            kept.add(made.text)
        else:
            drops.reasons["over pairs_per_domain"] += 1
    return [made for found in drawn for made in found if made.text in kept]


def _assemble(kept: Sequence[Made], corpus: Mapping[str, Passage], names: int, drops: Drops, seed: int) -> Synthesis:
    queries: list[Query] = []
    qrels: Qrels = {}
    numbers: Counter[str] = Counter()
    for made in kept:
        source = "alias" if made.name.is_alias else "entity"
        numbers[source] += 1
        first = corpus[made.relevant[0]]
        extra = {"source": source, "type": first.type, "form": str(made.form), "name": made.name.text}
        queries.append(Query(f"{source}-{numbers[source]}", made.text, first.domain, extra=extra))
        qrels[queries[-1].id] = dict.fromkeys(made.relevant, 1)
    return Synthesis(queries, {"train": qrels}, _statistics(queries, qrels, names, drops, seed))


def _statistics(queries: list[Query], qrels: Qrels, names: int, drops: Drops, seed: int) -> dict[str, Any]:
    rng = random.Random(seed)
    forms = {str(form): [query for query in queries if query.extra["form"] == form] for form in Form}
    return {
        "names": names,
        "queries": len(queries),
        "sources": dict(sorted(Counter(str(query.extra["source"]) for query in queries).items())),
        "forms": {form: len(found) for form, found in forms.items()},
        "several_relevant": sum(len(grades) > 1 for grades in qrels.values()),
        "dropped": dict(sorted((+drops.reasons).items())),
        "held_out": sorted(drops.held_out, key=lambda row: (row["place"], row["query"])),
        "examples": {
            form: [(q.text, next(iter(qrels[q.id]))) for q in rng.sample(found, min(_EXAMPLES, len(found)))]
            for form, found in forms.items()
        },
    }
