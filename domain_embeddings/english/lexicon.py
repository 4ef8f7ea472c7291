"""What classes an English word can have: the small closed classes by list, the open ones by dictionary.

The dictionary is lemminflect's, which lies inside its package, so nothing is downloaded. The lists speak for technical
prose: in manuals "steering" is a noun and "check" at the start of a sentence a verb.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import cache

from lemminflect import getAllLemmas, getInflection


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: how the lists of this package are written."""
    return frozenset(text.split())


class Tag(StrEnum):
    """What a word does in its sentence."""

    DET = "det"
    PREP = "prep"
    CONJ = "conj"
    SUB = "sub"
    PRON = "pron"
    AUX = "aux"
    BE = "be"
    TO = "to"
    NEG = "neg"
    VERB = "verb"
    GERUND = "gerund"
    PARTICIPLE = "participle"
    NOUN = "noun"
    ADJ = "adj"
    ADV = "adv"
    NUMBER = "number"
    PUNCT = "punct"


_WORDS_OF: dict[Tag, str] = {
    Tag.DET: """the a an this these those each every any some all both no another either neither my your his her its
        our their several many few most more enough what""",
    Tag.PREP: """of in on at by for with from into onto over under above below between through during against about
        around after before behind beside beyond near off out per since than toward towards until till up down upon via
        within without across along among amongst despite except inside outside unlike throughout underneath beneath
        like past alongside due""",
    Tag.CONJ: "and or but nor & plus and/or",
    Tag.SUB: """if when while because although though whereas unless whether where why how that which who whose whom
        whenever once as so wherever lest whereby wherein vs""",
    Tag.PRON: """i you he she it we they me him them us itself yourself themselves itself one something anything
        everything nothing others everyone someone anyone there myself ourselves yours himself herself
        i've you've we've they've i'm you're it's that's there's i'll you'll we'll they'll it'll i'd you'd""",
    Tag.AUX: """can could may might must shall should will would cannot can't won't couldn't shouldn't wouldn't mustn't
        do does did don't doesn't didn't has have had having hasn't haven't hadn't let's""",
    Tag.BE: "be is are was were been being am isn't aren't wasn't weren't",
    Tag.TO: "to",
    Tag.NEG: "not never",
    Tag.ADV: """also always often already again soon then now here very too quite rather only just even still yet
        however therefore thus hence otherwise instead together away almost nearly approximately further furthermore
        moreover sometimes usually perhaps maybe ever forever twice afterwards beforehand clockwise counterclockwise
        counter-clockwise anticlockwise forward backward upward downward upwards downwards upright first next
        finally lastly firstly secondly later earlier sooner elsewhere anyway e.g i.e etc else apart ahead aside
        well little much far up-to-date indoors outdoors overnight somewhat largely mainly mostly below well-known""",
    Tag.ADJ: """other such same own certain various following available able necessary possible new old good bad main
        full different additional specific special proper correct appropriate suitable due important high
        low small large big short long easy hard hot cold warm cool dry wet clean dirty upper lower front
        rear left right top bottom inner outer open smart remote worn loose tight empty faulty flat
        mutual total steady slow quick fast equal identical thick thin wide deep straight better worse
        best comparable present sideways heavy weak""",
    Tag.NUMBER: "zero two three four five six seven eight nine ten eleven twelve hundred thousand half",
}
CLOSED = {word: tag for tag, text in _WORDS_OF.items() for word in text.split()}
"""The words of the closed classes, and adjectives and adverbs that must not be taken for something else."""
SOFT = (Tag.ADJ,)
"""Classes whose listed words may still be something else (the adjective and verb "clean")."""
IMPERATIVES = word_set(
    """activate add adjust align allow answer apply assemble attach avoid bend bleed block blow burn calculate
    calibrate call carry change check choose clean click close compare compile compute configure confirm
    connect create crimp customize deactivate define delete depress determine diagnose disable disassemble
    discharge disconnect disengage display dispose download drag drain dry edit enable engage enlarge ensure
    enter evacuate feel fill find fit flush follow give go hide hold identify insert inspect install isolate
    keep lay let listen load locate lock lockout look loosen lower lubricate maintain make manage measure mix
    monitor move mute note observe open operate pack paint pair pause perform place play plug polish position
    pour preheat press prevent protect pry pull purge push put raise re-install read reassemble reconnect
    record refer refill refit register reinstall reject remove repair repeat replace reset restart restore
    retighten rinse rotate route run sand save scan schedule secure see select send set set-up share show
    slacken slide smell specify splice squeeze store straighten strip swap swipe sync tag take tap tighten
    toggle torque troubleshoot tune turn unblock unbolt unclip undo unhook unload unlock unpack unpair unplug
    unscrew unwind update upgrade upload use vacuum vent verify view visit wait warm wash wipe write"""
)
"""Verbs that instructions start with and that are hardly ever a noun before another noun."""
ING_NOUNS = word_set(
    """spring string ring king ceiling wing during nothing something anything everything sling bearing housing
    bushing building railing tubing piping plumbing clothing lightning evening morning ding"""
)
ING_MODIFIERS = ING_NOUNS | word_set(
    """steering wiring cooling heating lighting operating mounting mixing parking warning fitting coupling timing
    tuning opening braking driving starting charging switching bonding casing winding packing lining grinding
    cutting welding training setting pending rolling rotating locking sliding running working meaning lifting
    loading hearing probing printing writing reading marking drawing spacing idling sensing supporting
    remaining recurring existing interesting floating swinging ranging tracking shipping hoisting holding
    sealing breaking landing leading trailing falling missing outstanding incoming outgoing recording
    streaming gaming messaging banking buckling vibrating yawing pitching blowing following tightening
    oscillating pulsating converging diverging expanding accelerating decelerating reacting radiating ablating
    ringing lowering levelling leveling tilting swirling spinning hovering charring"""
)
"""-ing words that are nouns beside a noun ("steering wheel"), not actions done to it."""
ING_NEVER_HEADS = word_set(
    """operating ranging being breaking closing coming driving existing falling finding floating following going
    governing hanging having holding including incoming leading lifting loading locking making meaning missing
    moving outgoing outstanding pending recurring remaining rolling rotating running sliding starting
    supporting swinging taking trailing turning using working writing"""
)
"""-ing words that stand before a noun but are none themselves."""
UNITS = word_set(
    """mm cm m km in ft kg g lb lbs nm v kv mv a ma w kw mw hp hz khz mhz ghz bar mbar pa kpa mpa psi l ml litre
    litres liter liters c f k rpm ohm ohms °c °f vac vdc db dbm sec s min h metre metres meter meters inch
    inches degree degrees percent cent volts amps watts hours minutes seconds days weeks months years miles
    times turns quarts gallons grams micron µm"""
)
"""Units of measure and time."""
EXTRA_VERBS = word_set("decrypt reflash unpair unmute reboot livestream retighten refit recalibrate")
"""Verbs of manuals that the dictionary lacks."""
_MOSTLY_VERBS = word_set(
    """lie lies pertain pertains suits allow allows amounts appear appears become becomes begin begins calls climb
    climbs closes come comes concerns consist consists costs deals depend depends differ differs ends exist
    exists falls get gets give gives go goes helps implements keep keeps let lets looks make makes moves needs
    obtain obtains occur occurs opens permits remain remains require requires say says seem seems serves show
    shows shuts stay stays take takes tries try use uses want wants yields"""
)
_ADJECTIVE_SUFFIX = re.compile(r"(?:al|ous|ive|ic|able|ible|less|ful|ary|ant|ent|ar)$")


@cache
def readings(word: str) -> frozenset[Tag]:
    """The open classes that a word can have; an unknown word is judged by its ending, else a noun."""
    low = word.lower().replace("’", "'")
    if "-" in low and low not in CLOSED:
        return _compound_readings(low)
    found: set[Tag] = set()
    for pos, lemmas in getAllLemmas(low).items():
        if pos == "VERB":
            found.add(_verb_reading(low, lemmas))
        elif pos in ("NOUN", "PROPN"):
            found.add(Tag.NOUN)
        elif pos in ("ADJ", "ADV"):
            found.add(Tag(pos.lower()))
    found = found or _guess(low)
    if low in _MOSTLY_VERBS | EXTRA_VERBS:
        found = {Tag.VERB}
    if low == "lug":  # the dictionary has only the verb
        found = {Tag.NOUN}
    if low in ING_MODIFIERS:
        found = (found | {Tag.NOUN}) - ({Tag.GERUND} if low in ING_NOUNS else set())
    return frozenset(found)


def _verb_reading(low: str, lemmas: Sequence[str]) -> Tag:
    if low in lemmas or any(low == form for lemma in lemmas for form in getInflection(lemma, "VBZ")):
        return Tag.VERB
    if low.endswith("ing"):
        return Tag.GERUND
    past = any(low == form for lemma in lemmas for form in getInflection(lemma, "VBN"))
    return Tag.PARTICIPLE if past or low.endswith("ed") else Tag.VERB


def _guess(low: str) -> set[Tag]:
    if low.endswith("ly") and len(low) > 4:
        return {Tag.ADV}
    if low.endswith("ing") and len(low) > 5:
        return {Tag.GERUND}
    if low.endswith("ed") and len(low) > 4:
        return {Tag.PARTICIPLE}
    if _ADJECTIVE_SUFFIX.search(low) and len(low) > 5:
        return {Tag.ADJ, Tag.NOUN}
    return {Tag.NOUN}


def _compound_readings(low: str) -> frozenset[Tag]:
    last = readings(low.rsplit("-", 1)[1] or "x")
    if last & {Tag.PARTICIPLE, Tag.GERUND, Tag.ADJ}:
        return frozenset({Tag.ADJ})
    if low.startswith("re-") and Tag.VERB in last:
        return last
    return frozenset({Tag.NOUN, Tag.ADJ}) if Tag.NOUN in last else frozenset({Tag.ADJ})


def is_known(word: str) -> bool:
    """Whether the dictionary holds the word, in any form; names and part numbers are not in it."""
    low = word.lower()
    return low in CLOSED or low in EXTRA_VERBS or bool(getAllLemmas(low))
