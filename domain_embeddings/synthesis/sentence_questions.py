"""Questions that a sentence answers, made only where its grammar is sure."""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from domain_embeddings.english.heading_parser import with_article
from domain_embeddings.english.inflection import as_asker, is_base_verb, is_plural
from domain_embeddings.english.lexicon import Tag, word_set
from domain_embeddings.english.pos_tagger import Token, tag
from domain_embeddings.english.sentence_filter import is_junk, stands_alone
from domain_embeddings.english.word_lists import any_of, word_list

_OBJECT_YOU = re.compile(rf"\b(?:{any_of(word_list('object_you'))}) you\b", re.I)
_NOT_ASKED = word_list("not_asked")
_VERB_AFTER = (Tag.TO, Tag.CONJ, Tag.SUB, Tag.AUX)
_NOT_NEEDED = word_set("used noted taken made able provided specified given done avoided")
_END = re.compile(
    r"[,;:!?]|\.(?!\d)| - | and (?:then )?(?=\w)| until | so that | when | if | because | while | or else "
    r"| in order to | for more "
)
_MODAL_PASSIVE = re.compile(
    r"^(?P<subject>.{3,70}?) (?P<modal>should|must) (?P<neg>not )?be (?P<verb>\w+(?:ed|en|t|n))\b(?P<rest>[^,;:.]*)"
)
_VALUE = re.compile(
    r"^(?P<subject>.{3,60}?) (?P<be>is|are|should be|must be) (?:about |under |over |between |at least "
    r"|at most |set to )?\d"
)
_CAUSE = re.compile(
    r"^(?P<cause>.{3,70}?) (?:causes?|(?:can|may|could|will) cause|points? to) (?P<effect>[^,;:.]{4,70})(?=[,;:.]|$)"
)
_DEFINED = re.compile(r"^(?P<subject>(?:The |An? )?.{4,50}?) (?P<be>is|are) (?:an?|the|used|designed|defined)\b")
_PURPOSE = re.compile(r"^(?:In order )?to (?P<action>[^,;:]{6,80}),", re.I)
_WANT = re.compile(r"^If you(?: want| wish|'d like| would like| need)? to (?P<action>[^,;:]{6,80}),", re.I)
_CAN = re.compile(
    r"^(?:\w+ing [^,]{3,40}, )?you can (?:also |easily |then )?(?P<action>(?:[^;:.]|\.(?=\d)){6,90})(?=[;:.]|$)", re.I
)
_IF = re.compile(r"^(?:If|When) (?P<clause>[^,;:]{8,90}),", re.I)
_BEFORE = re.compile(r"^(?P<when>before|after) (?P<action>\w+ing\b[^,;:]{4,60}),", re.I)


def questions_of(sentence: str) -> list[str]:
    """The questions that one sentence answers, none where it is unsure how to ask."""
    if is_junk(sentence.rstrip(".!")):
        return []
    makers: tuple[Callable[[str], list[str]], ...] = (
        _purpose, _wanted, _possible, _condition, _moment, _value, _needed, _cause, _definition, _instruction,
    )  # fmt: skip
    found = [question for make in makers for question in make(sentence)]
    return [question for question in dict.fromkeys(found) if _is_whole(question)]


def _is_whole(question: str) -> bool:
    body = re.sub(r"^(?:how (?:do|can) I|what should I do|what happens|what) ", "", question, flags=re.I)
    return 4 <= len(question.split()) <= 20 and not is_junk(question) and stands_alone(body) and question.count(",") < 2


def _verb_phrase(action: str) -> str:
    """The action up to the end of its clause, seen from the asker; empty where it does not start with a plain verb."""
    action = _END.split(action.strip(), maxsplit=1)[0].strip()
    tokens = tag(f"to {action}")[1:] if action else ()
    if not tokens or not is_base_verb(tokens[0].text) or _OBJECT_YOU.search(action) or not _has_object(tokens):
        return ""
    return as_asker(action[0].lower() + action[1:])


def _has_object(tokens: Sequence[Token]) -> bool:
    content = [token for token in tokens[1:] if token.tag in (Tag.NOUN, Tag.NUMBER)]
    ends_open = tokens[-1].tag in (Tag.DET, Tag.PREP, Tag.CONJ, Tag.SUB, Tag.AUX, Tag.BE, Tag.TO, Tag.ADJ, Tag.VERB)
    particle = tokens[-1].low in ("on", "off", "in", "out", "up", "down")
    subordinate = any(token.tag == Tag.SUB for token in tokens)
    if not subordinate and any(token.tag in (Tag.AUX, Tag.BE) for token in tokens):
        return False
    allowed = (*_VERB_AFTER, Tag.NOUN, Tag.PRON, Tag.ADV) if subordinate else _VERB_AFTER
    if any(token.tag == Tag.VERB and before.tag not in allowed for before, token in pairwise(tokens)):
        return False
    if len(tokens) == 2 and not is_plural(tokens[1].text):
        return False
    return bool(content) and (not ends_open or particle)


def _how(action: str, *frames: str) -> list[str]:
    phrase = _verb_phrase(action)
    verb = phrase.split(" ")[0]
    return [frame.format(phrase) for frame in frames] if phrase and verb not in _NOT_ASKED else []


def _purpose(sentence: str) -> list[str]:
    match = _PURPOSE.match(sentence)
    return _how(match["action"], "How do I {}?", "how to {}") if match else []


def _wanted(sentence: str) -> list[str]:
    match = _WANT.match(sentence)
    return _how(match["action"], "How can I {}?", "how to {}") if match else []


def _possible(sentence: str) -> list[str]:
    match = _CAN.match(sentence)
    return _how(match["action"], "How can I {}?", "is it possible to {}") if match else []


def _instruction(sentence: str) -> list[str]:
    tokens = tag(sentence)
    if not tokens or tokens[0].tag != Tag.VERB or not is_base_verb(tokens[0].text):
        return []
    following = tokens[1].tag if len(tokens) > 1 else Tag.PUNCT
    opens = (Tag.DET, Tag.ADJ, Tag.NOUN, Tag.NUMBER)
    return _how(sentence, "How do I {}?", "how to {}") if following in opens else []


def _clause(text: str) -> str:
    """A whole clause (subject, then verb) seen from the asker, or empty."""
    tokens = tag(text)
    verb = next((i for i, t in enumerate(tokens) if t.tag in (Tag.VERB, Tag.BE, Tag.AUX)), 0)
    head = [token for token in tokens[:verb] if token.tag in (Tag.NOUN, Tag.PRON)]
    if (
        not verb
        or not head
        or not stands_alone(text)
        or tokens[-1].tag in (Tag.DET, Tag.PREP, Tag.CONJ, Tag.SUB, Tag.AUX)
    ):
        return ""
    if tokens[0].tag == Tag.NOUN and not is_plural(tokens[verb - 1].text) and tokens[0].text.islower():
        text = with_article(text)
    asked = as_asker(text)
    return "" if _OBJECT_YOU.search(text) else asked


def _condition(sentence: str) -> list[str]:
    match = _IF.match(sentence)
    if not match or _WANT.match(sentence) or not (clause := _clause(match["clause"])):
        return []
    if sentence.lower().startswith("if"):
        return [f"What should I do if {clause}?", f"{clause}, what now", f"what if {clause}"]
    return [f"What happens when {clause}?"]


def _moment(sentence: str) -> list[str]:
    match = _BEFORE.match(sentence)
    return [f"What should I do {match['when'].lower()} {as_asker(match['action'])}?"] if match else []


def _subject(text: str) -> str:
    """A simple noun phrase as the subject of a question, or empty."""
    tokens = tag(text)
    allowed = (Tag.NOUN, Tag.ADJ, Tag.DET, Tag.NUMBER, Tag.PREP)
    nouns = [token for token in tokens if token.tag == Tag.NOUN]
    if not nouns or tokens[-1].tag != Tag.NOUN or any(token.tag not in allowed for token in tokens):
        return ""
    if tokens[0].tag == Tag.PREP or not stands_alone(text) or len(tokens) > 8:
        return ""
    starts_name = tokens[0].text[1:] != tokens[0].text[1:].lower() or (len(tokens) > 1 and tokens[1].text[:1].isupper())
    return as_asker(text if starts_name and tokens[0].tag != Tag.DET else text[0].lower() + text[1:])


def _head_is_plural(subject: str) -> bool:
    tokens = tag(subject)
    stop = next((i for i, token in enumerate(tokens) if i and token.tag == Tag.PREP), len(tokens))
    return is_plural(tokens[stop - 1].text)


def _value(sentence: str) -> list[str]:
    match = _VALUE.match(sentence)
    if not match or not (subject := _subject(match["subject"])):
        return []
    if match["be"].endswith(" be"):
        return [f"What {match['be'].split()[0]} {_definite(subject)} be?"]
    return [f"What {match['be']} {_definite(subject)}?"] if (match["be"] == "are") == _head_is_plural(subject) else []


def _definite(subject: str) -> str:
    bare = re.sub(r"^(?:an?|the) ", "", subject)
    return subject if _head_is_plural(subject) and bare == subject else with_article(bare)


def _needed(sentence: str) -> list[str]:
    match = _MODAL_PASSIVE.match(sentence)
    if not match or not (subject := _subject(match["subject"])):
        return []
    done = match["verb"]
    if match["neg"] or done in _NOT_NEEDED or tag(f"is {done}")[1].tag != Tag.PARTICIPLE:
        return []
    return [f"{'Do' if _head_is_plural(subject) else 'Does'} {_definite(subject)} need to be {done}?"]


def _cause(sentence: str) -> list[str]:
    match = _CAUSE.match(sentence)
    if not match:
        return []
    effect = re.split(r" (?:and|or|which|that|if|when|by|in|at|on|during) ", match["effect"])[0].strip()
    tokens = tag(f"of {effect}")[1:]
    simple = bool(tokens) and all(token.tag in (Tag.NOUN, Tag.ADJ, Tag.DET, Tag.PREP) for token in tokens)
    return [f"What causes {as_asker(effect)}?"] if simple and tokens[-1].tag == Tag.NOUN and len(tokens) > 1 else []


def _definition(sentence: str) -> list[str]:
    match = _DEFINED.match(sentence)
    if not match or not (subject := _subject(match["subject"])) or len(subject.split()) < 2:
        return []
    if (match["be"] == "are") != _head_is_plural(subject):
        return []
    used = re.match(r".* (?:is|are) used (?:to|for)\b", sentence)
    return [f"What {match['be']} {subject}{' used for' if used else ''}?"]
