"""Questions as people type them, by the type of a section, each with the grammatical slot that it needs.

A template is used only when the heading gives its slot, and only when the frame does not repeat a word of the slot
("troubleshooting procedure procedure").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain_embeddings.core.text import content_words
from domain_embeddings.english.heading_cleaning import QUANTITIES
from domain_embeddings.english.heading_parser import Form, Heading
from domain_embeddings.english.lexicon import word_set
from domain_embeddings.english.word_lists import word_list, word_table


class Slot(StrEnum):
    """What of a heading stands in a template's braces."""

    VERB = "verb phrase"
    """ "bleed the service brake" """
    CASUAL = "colloquial verb phrase"
    """ "swap the front brake pads", where the verb has an everyday synonym """
    GERUND = "gerund phrase"
    """ "bleeding the service brake" """
    ACTION = "action as a noun"
    """ "service brake bleeding" """
    THING = "noun phrase with article"
    """ "the service brake" """
    NOUN = "noun phrase without article"
    """ "service brake" """
    VALUE = "noun phrase with article that names a quantity"
    """ "the wheel nut torque" """
    CLAUSE = "symptom as a sentence"
    """ "the engine overheats" """
    SYMPTOM = "symptom as a noun phrase"
    """ "excessive tire wear" """


@dataclass(frozen=True)
class Template:
    """A frame with one pair of braces for its slot."""

    slot: Slot
    frame: str

    def fill(self, text: str) -> str:
        """The frame around the text; a full question starts with a capital whatever the text does."""
        filled = self.frame.format(text)
        return filled[0].upper() + filled[1:] if filled.endswith("?") else filled


def _templates(frames: Mapping[Slot, str]) -> tuple[Template, ...]:
    return tuple(Template(slot, line.strip()) for slot, text in frames.items() for line in text.strip().splitlines())


_DOING = {
    Slot.VERB: """How do I {}?
        how to {}
        What are the steps to {}?
        What is the right way to {}?
        What do I have to do to {}?
        I want to {}, where do I start
        can someone tell me how to {}""",
    Slot.CASUAL: """need to {}, what's the procedure
        how do you {}
        first time I have to {}, what comes first""",
    Slot.GERUND: """steps for {}
        guide to {}
        walk me through {}
        is there a trick to {}
        instructions for {}""",
    Slot.ACTION: """{} procedure
        {} step by step
        {} instructions""",
}
_FAILING = {
    Slot.CLAUSE: """What should I do if {}?
        {}, what could it be
        {}, how do I fix it
        What should I check when {}?
        What are the possible causes when {}?
        {}, any ideas
        help, {}
        {} and I can't find the reason""",
    Slot.SYMPTOM: """What causes {}?
        how to fix {}
        How do I find the cause of {}?
        dealing with {}
        I have {}, what should I check
        What can I do about {}?""",
    Slot.THING: """What can go wrong with {}?
        problems with {}
        How do I find out what is wrong with {}?
        something is wrong with {}, what should I check first
        common faults of {}""",
    Slot.NOUN: """{} troubleshooting
        {} fault finding
        {} problem causes and remedies""",
    Slot.VERB: """How do I {}?
        how to {} when something is wrong
        where do I start to {}""",
}
TEMPLATES: dict[str, tuple[Template, ...]] = {
    "procedure": _templates({**_DOING, Slot.NOUN: "{} how-to"}),
    "diagnostic": _templates(_FAILING),
    "parts": _templates(
        {
            Slot.THING: """What is the part number for {}?
                Which parts do I order for {}?
                where can I find the part numbers for {}
                need spares for {}, what do I order""",
            Slot.NOUN: """{} part number
                {} spare parts list
                {} replacement parts
                order number {}
                {} parts""",
            Slot.VERB: """Which parts do I need to {}?""",
            Slot.GERUND: "parts needed for {}",
        }
    ),
    "specification": _templates(
        {
            Slot.THING: """What are the specifications for {}?
                specs for {}
                What are the limits for {}?
                looking for the technical data of {}""",
            Slot.VALUE: """What should {} be?
                what is the correct value for {}
                How do I find {}?""",
            Slot.NOUN: """{} specs
                {} specification
                {} technical data
                {} values""",
            Slot.GERUND: "values needed for {}",
        }
    ),
    "safety": _templates(
        {
            Slot.VERB: """Is it dangerous to {}?
                How do I {} safely?""",
            Slot.GERUND: """What should I watch out for when {}?
                precautions before {}
                risks when {}""",
            Slot.THING: """What safety precautions apply to {}?
                What are the hazards of {}?
                what do I have to be careful about with {}
                is there anything dangerous about {}""",
            Slot.NOUN: """{} safety precautions
                {} warnings
                {} hazards
                {} safety rules""",
        }
    ),
    "other": _templates(
        {
            Slot.THING: """What do I need to know about {}?
                tell me about {}
                explain {}
                What does the manual say about {}?
                looking for information on {}
                where can I read about {}""",
            Slot.NOUN: """{} explained
                {} basics
                {} info""",
            **_DOING,
        }
    ),
}
_CASUAL = word_table("casual_verbs")


_PREPOSITIONS = word_set("with to on in for from at by of into over under without")


def slots(heading: Heading) -> dict[Slot, tuple[str, ...]]:
    """The texts that a heading gives for each slot; a slot it does not give is missing."""
    verb, _, rest = heading.verb_phrase.partition(" ")
    direct = rest.split(" ")[0] not in _PREPOSITIONS
    casual = tuple(
        f"{synonym} {rest}"
        for synonym in _CASUAL.get(verb, ())
        if direct and (" " not in synonym or len(rest.split()) < 6)
    )
    is_value = heading.noun_phrase.split(" ")[-1].lower() in QUANTITIES and not heading.plural
    thing = heading.the_noun_phrase if len(heading.noun_phrase.split()) <= 8 else ""
    found = {
        Slot.VERB: (heading.verb_phrase,),
        Slot.CASUAL: casual,
        Slot.GERUND: (heading.gerund_phrase,),
        Slot.ACTION: (heading.phrase,) if heading.form == Form.NOMINALIZATION else (),
        Slot.THING: (thing,) if heading.form in (Form.NOUN_PHRASE, Form.NOMINALIZATION) else (),
        Slot.NOUN: (heading.noun_phrase,)
        if len(heading.noun_phrase.split()) <= 6 and heading.form in (Form.NOUN_PHRASE, Form.NOMINALIZATION)
        else (),
        Slot.VALUE: (thing,) if is_value and heading.form == Form.NOUN_PHRASE else (),
        Slot.CLAUSE: (heading.clause,),
        Slot.SYMPTOM: (heading.symptom,),
    }
    return {slot: kept for slot, texts in found.items() if (kept := tuple(filter(None, texts)))}


def fill(heading: Heading, kind: str) -> list[str]:
    """Every query that the templates of a section type make of a heading, in the templates' order.

    A heading that names a symptom takes the diagnostic ones and an action the procedural ones, whatever the type;
    an unknown type ("" too) counts as "other".
    """
    given = slots(heading)
    if kind == "parts" and _PREPOSITIONS & set(heading.noun_phrase.split()):
        given = {slot: texts for slot, texts in given.items() if slot not in (Slot.THING, Slot.NOUN)}
    kinds = [kind if kind in TEMPLATES else "other"]
    if heading.form == Form.SYMPTOM:
        kinds.append("diagnostic")
    if heading.verb_phrase:
        kinds.append("procedure")
    found = [
        template.fill(text)
        for each in dict.fromkeys(kinds)
        for template in TEMPLATES[each]
        for text in given.get(template.slot, ())
        if not _repeats(template.frame, text) and not (each != kinds[0] and template.slot in (Slot.THING, Slot.NOUN))
    ]
    return list(dict.fromkeys(found))


_ALIKE = [set(content_words(group)) for group in word_list("same_meaning")]
"""Words that mean the same in a frame and in a heading: "specs for tire specifications" says it twice."""


def _repeats(frame: str, text: str) -> bool:
    frame_words, text_words = set(content_words(frame.replace("{}", " "))), set(content_words(text))
    return bool(frame_words & text_words) or any(frame_words & alike and text_words & alike for alike in _ALIKE)
