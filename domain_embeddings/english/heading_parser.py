"""What a heading says: its grammatical form, and the phrases and questions that grammar allows to make of it.

"SERVICE BRAKE BLEEDING" is verb and object ("bleed the service brake"), "No picture" a symptom, "Overview" nothing
without its parent. A slot that a heading does not fill stays empty, so that no template can misuse it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain_embeddings.english import heading_cleaning
from domain_embeddings.english.heading_cleaning import clean
from domain_embeddings.english.inflection import as_asker, base_verb, gerund, is_base_verb, is_mass, is_plural
from domain_embeddings.english.lexicon import IMPERATIVES, ING_MODIFIERS, ING_NOUNS, Tag, readings, word_set
from domain_embeddings.english.pos_tagger import Token, noun_phrases, tag

_LONGEST = 400
"""Characters of a heading."""
_NO_OBJECT = word_set("of as after before when while during")


class Form(StrEnum):
    """The grammatical form of a heading."""

    HOW_TO = "how-to"
    IMPERATIVE = "imperative"
    GERUND = "gerund"
    NOMINALIZATION = "nominalization"
    QUESTION = "question"
    SYMPTOM = "symptom"
    NOUN_PHRASE = "noun phrase"
    GENERIC = "generic"
    OTHER = "other"


@dataclass(frozen=True)
class Heading:
    """A heading's form and whatever slots it fills; an empty slot must not be used.

    `phrase` is the cleaned heading as a keyword query; `verb_phrase` starts with a base verb ("bleed the service
    brake"); `noun_phrase` is the thing spoken of, without an article ("service brake"), `the_noun_phrase` with the one
    that a sentence needs; `clause` is a symptom as
    a sentence ("the engine overheats") and `symptom` one as a noun phrase ("an oil leak").
    """

    form: Form
    phrase: str = ""
    verb_phrase: str = ""
    noun_phrase: str = ""
    the_noun_phrase: str = ""
    clause: str = ""
    symptom: str = ""
    question: str = ""
    plural: bool = False

    @property
    def gerund_phrase(self) -> str:
        """The verb phrase as "bleeding the service brake"."""
        match = re.match(r"(\w+)(?: (and|or) (\w+))?\b(.*)", self.verb_phrase)
        if not match:
            return ""
        second = f" {match[2]} {gerund(match[3]) if is_base_verb(match[3]) else match[3]}" if match[2] else ""
        return f"{gerund(match[1])}{second}{match[4]}"


def read_heading(text: str, proper: frozenset[str] = frozenset()) -> Heading:
    """Find the form of one heading. `proper` holds the names (as written) that keep their capitals.

    One of more than 400 characters is running text and says nothing.
    """
    if len(text) > _LONGEST:
        return Heading(Form.GENERIC)
    phrase = as_asker(clean(text, proper))
    if not phrase or heading_cleaning.is_generic(phrase):
        return Heading(Form.GENERIC, phrase)
    for read in (_question, _how_to, _symptom, _nominalization, _gerund, _imperative, _noun_phrase):
        found = read(phrase)
        if found is not None:
            return found
    return Heading(Form.OTHER, phrase)


def read_path(title: str, proper: frozenset[str] = frozenset()) -> Heading:
    """Read a heading path ("Document > Chapter > Section"); a generic last part is combined with what is above it."""
    parts = [part for part in title.split(" > ") if part.strip()]
    if not parts:
        return Heading(Form.GENERIC)
    lone_title = len(parts) == 1 and len(parts[0].split()) > 3
    own = read_heading(heading_cleaning.without_kind(parts[0]) if lone_title else parts[-1], proper)
    if own.form != Form.GENERIC:
        return own
    for parent in reversed(parts[:-1]):
        above = read_heading(heading_cleaning.without_kind(parent), proper)
        if above.form != Form.GENERIC:
            return _combined(above, own.phrase)
    return own


def _combined(above: Heading, own: str) -> Heading:
    """ "Brake system" and "specifications" → "brake system specifications"; words such as "step 3" add nothing."""
    kind = heading_cleaning.generic_noun(own)
    if not kind or above.form == Form.QUESTION:
        return above
    if kind == "overview":
        return replace(above, phrase=f"{above.phrase} overview")
    subject = above.noun_phrase if above.form == Form.NOUN_PHRASE else above.phrase
    phrase = subject if subject.endswith(f" {kind}") else f"{subject} {kind}"
    if above.form != Form.NOUN_PHRASE or len(tag(phrase)) > 8:
        return Heading(Form.OTHER, phrase)
    return replace(_as_noun(phrase), form=Form.NOUN_PHRASE)


def with_article(noun_phrase: str) -> str:
    """The noun phrase as the subject or object of a sentence: "brake pedal" → "the brake pedal"; names stay bare."""
    first = noun_phrase.split(" ", 1)[0]
    if first.lower() in heading_cleaning.DETERMINERS:
        return noun_phrase
    name = heading_cleaning.is_name(noun_phrase)
    return noun_phrase if name else f"the {noun_phrase}"


def _as_noun(phrase: str) -> Heading:
    tokens = tag(phrase)
    head = phrase[: tokens[_head(tokens)].end]
    many = is_plural(head)
    bare = is_mass(head) and not many and head.split(" ")[-1].lower() not in heading_cleaning.QUANTITIES
    article = phrase if bare or many else with_article(phrase)
    return Heading(Form.NOUN_PHRASE, phrase, noun_phrase=phrase, the_noun_phrase=article, plural=many)


def _head(tokens: Sequence[Token]) -> int:
    """The index of the head noun: the last word before the first preposition, or the last word."""
    stop = next((i for i, token in enumerate(tokens) if i and token.tag in (Tag.PREP, Tag.TO)), len(tokens))
    return stop - 1


def _question(phrase: str) -> Heading | None:
    first, _, rest = phrase.lower().partition(" ")
    asks = first in heading_cleaning.QUESTION_STARTS and (
        phrase.endswith("?") or rest.split(" ")[0] in heading_cleaning.INVERTED
    )
    if not asks and not (phrase.endswith("?") and len(phrase.split()) > 2):
        return None
    text = phrase.rstrip("? ")
    return Heading(Form.QUESTION, text, question=f"{text[0].upper()}{text[1:]}?")


def _how_to(phrase: str) -> Heading | None:
    match = re.match(r"how to (\w.+)$", phrase, re.IGNORECASE)
    if not match or not is_base_verb(match[1].split()[0]):
        return None
    return Heading(Form.HOW_TO, match[1], verb_phrase=match[1])


def _imperative(phrase: str) -> Heading | None:
    first, _, rest = phrase.partition(" ")
    if first.lower().endswith("ly") and rest and (plain := _imperative(rest)):
        return replace(plain, phrase=phrase, verb_phrase=phrase)
    if not rest or rest.split(" ")[0].lower() in _NO_OBJECT or not is_base_verb(first) or _compound_noun(first, rest):
        return None
    opens = rest.split()[0].lower() in heading_cleaning.DETERMINERS | {"it"}
    directed = first.lower() in heading_cleaning.DIRECTED and rest.split()[0].lower() in heading_cleaning.PARTICLES
    if (
        first.lower() not in IMPERATIVES
        and not opens
        and not directed
        and (readings(first) != {Tag.VERB} or first.istitle())
    ):
        return None
    return Heading(Form.IMPERATIVE, phrase, verb_phrase=phrase) if _is_object(rest) else None


def _compound_noun(first: str, rest: str) -> bool:
    """Whether verb and noun are a name together ("check valve", "drain plug"), not verb and object."""
    second = rest.split()[0].lower()
    return second in heading_cleaning.COMPOUNDS.get(first.lower(), ()) or first.lower() in heading_cleaning.NOUN_FIRST


def _is_object(rest: str) -> bool:
    """Whether the words after a verb can be its object or adverbial, with no other sentence in them."""
    tokens = tag(f"of {rest}")[1:]
    return tokens[-1].tag not in (Tag.DET, Tag.CONJ, Tag.SUB, Tag.AUX, Tag.BE, Tag.PUNCT)


def _gerund(phrase: str) -> Heading | None:
    first, _, rest = phrase.partition(" ")
    verb = base_verb(first)
    if not first.lower().endswith("ing") or not rest or verb == first.lower() or first.lower() in ING_NOUNS:
        return None
    second = tag(rest)[0]
    if first.lower() in ING_MODIFIERS and second.low not in heading_cleaning.DETERMINERS and second.tag != Tag.PREP:
        return None
    if second.low in _NO_OBJECT | {"and", "with"} or not _is_object(rest):
        return None
    return Heading(Form.GERUND, phrase, verb_phrase=f"{verb} {rest}")


def _nominalization(phrase: str) -> Heading | None:
    """Object and action ("oil filter replacement", "removal of the hub", "pump removal and installation")."""
    match = heading_cleaning.ACTION_LAST.match(phrase) or heading_cleaning.ACTION_FIRST.match(phrase)
    if not match:
        return None
    verbs = [heading_cleaning.verb_of(match[name]) for name in ("action", "second") if match[name]]
    target = match["object"].strip()
    first_part = target.partition(" and ")[0].split(" ")[-1].lower() if " and " in target else ""
    if (
        not all(verbs)
        or first_part in heading_cleaning.QUANTITIES
        or not _is_noun_phrase(target)
        or any(token.tag == Tag.PREP for token in tag(target))
        or target.lower() in heading_cleaning.NOT_OBJECTS
    ):
        return None
    target = heading_cleaning.usual_number(target, match["action"])
    verb_phrase = f"{' and '.join(verbs)} {with_article(target)}"
    thing = replace(_as_noun(target), the_noun_phrase=with_article(target))
    return replace(thing, form=Form.NOMINALIZATION, phrase=phrase, verb_phrase=verb_phrase)


def _is_noun_phrase(text: str) -> bool:
    tokens = tag(f"the {text}")[1:]
    allowed = {Tag.NOUN, Tag.ADJ, Tag.NUMBER, Tag.PREP, Tag.CONJ, Tag.DET, Tag.TO}
    starts_well = tokens[0].tag in (Tag.NOUN, Tag.ADJ, Tag.NUMBER, Tag.DET)
    return starts_well and tokens[-1].tag in (Tag.NOUN, Tag.NUMBER) and all(t.tag in allowed for t in tokens)


def _symptom(phrase: str) -> Heading | None:
    low = phrase.lower()
    if heading_cleaning.LACK.match(low):
        return _lack(phrase)
    if heading_cleaning.LACKING.match(low) and _is_noun_phrase(phrase):
        return Heading(Form.SYMPTOM, phrase, symptom=phrase)
    if low.split(" ")[0] in heading_cleaning.FAILING and _is_noun_phrase(rest := phrase.partition(" ")[2] or "-"):
        return Heading(
            Form.SYMPTOM, phrase, symptom=phrase if is_plural(rest) or is_mass(rest) else _with_indefinite(phrase)
        )
    match = heading_cleaning.CLAUSE.match(phrase)
    if match and _is_noun_phrase(match["subject"]):
        subject = with_article(match["subject"])
        clause = f"{subject} {heading_cleaning.full_predicate(match['predicate'], is_plural(match['subject']))}"
        return Heading(Form.SYMPTOM, phrase, clause=clause)
    if heading_cleaning.BAD_NOUN.search(low) and _is_noun_phrase(phrase):
        return replace(_as_noun(phrase), form=Form.SYMPTOM, symptom=_with_indefinite(phrase))
    return _third_person(phrase)


def _lack(phrase: str) -> Heading | None:
    rest = phrase.split(" ", 1)[1] if " " in phrase else ""
    if not rest or not _is_noun_phrase(rest):
        return None
    many = is_plural(rest.split(" ")[-1])
    if phrase.lower().startswith("no "):
        return Heading(Form.SYMPTOM, phrase, clause=f"there {'are' if many else 'is'} {phrase}")
    return replace(_as_noun(phrase), form=Form.SYMPTOM, symptom=_with_indefinite(phrase))


def _with_indefinite(phrase: str) -> str:
    head = phrase[: (tokens := tag(phrase))[_head(tokens)].end]
    if is_plural(head) or is_mass(head) or heading_cleaning.UNCOUNTED.match(phrase):
        return phrase
    return f"{'an' if phrase[0].lower() in 'aeiou' else 'a'} {phrase}"


def _third_person(phrase: str) -> Heading | None:
    """ "Engine overheats", "brake pedal feels spongy": subject and a verb of misbehaviour in the present."""
    tokens = tag(phrase)
    place = next((i for i, t in enumerate(tokens) if i and t.low in heading_cleaning.MISBEHAVES), None)
    if place is None:
        return None
    subject = phrase[: tokens[place - 1].end]
    if (
        not _is_noun_phrase(subject)
        or any(t.tag == Tag.PREP for t in tokens[:place])
        or not _agrees(subject, tokens[place].low)
    ):
        return None
    return Heading(Form.SYMPTOM, phrase, clause=f"{with_article(subject)} {phrase[tokens[place].start :]}")


def _agrees(subject: str, verb: str) -> bool:
    return is_plural(subject) == (base_verb(verb) == verb)


def _noun_phrase(phrase: str) -> Heading | None:
    if not _is_noun_phrase(phrase) or not noun_phrases(tag(f"the {phrase}")):
        return None
    about = heading_cleaning.topic(phrase)
    return replace(_as_noun(about if _is_noun_phrase(about) else phrase), phrase=phrase)


def questions(heading: Heading) -> list[str]:
    """The plain questions that a heading answers, by its form; empty for a generic one."""
    if heading.question:
        return [heading.question]
    if heading.clause:
        return [f"What should I do if {heading.clause}?"]
    if heading.symptom:
        return [f"What causes {heading.symptom}?"]
    if heading.verb_phrase:
        return [f"How do I {heading.verb_phrase}?"]
    if heading.noun_phrase and not re.search(r" (?:and|or|&|vs) |,", heading.noun_phrase):
        return [f"What {'are' if heading.plural else 'is'} {heading.the_noun_phrase}?"]
    return []
