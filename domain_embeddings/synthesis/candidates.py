"""The queries that one passage could give, by source, best first."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import content_words, without_repeats
from domain_embeddings.english.heading_cleaning import topic, without_kind
from domain_embeddings.english.heading_parser import Form, Heading, questions, read_heading, read_path
from domain_embeddings.english.sentence_filter import is_junk, stands_alone
from domain_embeddings.synthesis.keyphrases import Statistics, keyphrases, prose_of, salient_sentences, spans
from domain_embeddings.synthesis.query_sources import Source
from domain_embeddings.synthesis.templates import fill


@dataclass(frozen=True)
class Candidate:
    """A possible query. Passages that give candidates about the same `subject` are all relevant to it."""

    text: str
    source: Source
    subject: tuple[str, ...]


MOST_PASSAGES = 5
"""A query that fits more passages than this is too generic to train on."""
_STARTS_INSIDE = re.compile(r"(?:of|and|or|with|to|by) ", re.I)
Candidates = Mapping[Source, tuple[Candidate, ...]]


def candidates_of(passage: Passage, statistics: Statistics) -> Candidates:
    """Every candidate of a passage; a source that finds nothing has none."""
    prose = prose_of(passage)
    about = [(source, texts) for source, texts in _of_heading(passage, statistics)]
    texts: dict[Source, list[Candidate]] = {source: [] for source in Source}
    for source, found in about:
        texts[source].extend(found)
    for source, strings in (
        (Source.SENTENCE, salient_sentences(prose, statistics)),
        (Source.SPAN, spans(prose, statistics)),
        (Source.KEYPHRASE, keyphrases(prose, statistics)),
    ):
        texts[source].extend(Candidate(text, source, (text.casefold(),)) for text in strings)
    return {source: tuple(found) for source, found in texts.items()}


def _of_heading(passage: Passage, statistics: Statistics) -> Iterator[tuple[Source, list[Candidate]]]:
    heading = read_path(passage.title, statistics.proper)
    if (
        heading.form == Form.GENERIC
        or is_junk(heading.phrase)
        or not stands_alone(heading.phrase)
        or _STARTS_INSIDE.match(heading.phrase)
    ):
        return
    subject = content_words(heading.phrase)
    lone = len(subject) < 2 and statistics.fits(heading.phrase) > MOST_PASSAGES
    short = len(heading.phrase.split()) <= 20
    filled = [] if lone and not heading.verb_phrase else fill(heading, passage.type)
    plain = (
        []
        if lone or not short or not _says_enough(heading.phrase)
        else [*questions(heading), heading.phrase, topic(heading.phrase)]
    )
    placed = _with_document(heading, passage.title, statistics.proper)
    yield Source.TEMPLATE, _typeable(filled, Source.TEMPLATE, subject)
    yield Source.HEADING, _typeable(plain, Source.HEADING, subject)
    if placed:
        yield Source.HEADING, _typeable([placed], Source.HEADING, content_words(placed))


def _says_enough(phrase: str) -> bool:
    """Whether a phrase is a query by itself: more than one word, or the name of a command or setting."""
    return " " in phrase or any(character in "_/" or character.isdigit() for character in phrase)


def _typeable(texts: list[str], source: Source, subject: tuple[str, ...]) -> list[Candidate]:
    kept = [text for text in without_repeats(texts) if len(text.split()) <= 24 and not is_junk(text)]
    return [Candidate(text, source, subject) for text in kept]


def _with_document(heading: Heading, title: str, proper: frozenset[str]) -> str:
    """The heading with the machine or field that its document is about, where the path names one."""
    document, *below = title.split(" > ")
    if not below or heading.form not in (Form.NOUN_PHRASE, Form.NOMINALIZATION):
        return ""
    field = read_heading(without_kind(document), proper)
    if field.form != Form.NOUN_PHRASE or len(field.phrase.split()) + len(heading.phrase.split()) > 12:
        return ""
    overlap = set(content_words(field.phrase)) & set(content_words(heading.phrase))
    return "" if overlap else f"{field.phrase} {heading.phrase}"
