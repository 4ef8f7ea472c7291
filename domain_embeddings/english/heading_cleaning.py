"""The words of headings: how a heading is cleaned, and the word lists by which `phrasing` tells its form."""

import re

from domain_embeddings.english.inflection import plural
from domain_embeddings.english.lexicon import Tag, is_known, readings, word_set

DETERMINERS = word_set("the a an your my our its their his her this that these those all any each every no")
QUESTION_STARTS = word_set(
    """how what why when where which who whose is are do does did can could should will would may must"""
)
INVERTED = word_set(
    """is are do does did can could should will would may must was were am i you we the it my your much many often
    long to-do if about else happens causes makes"""
)
COMPOUNDS: dict[str, frozenset[str]] = {
    verb: frozenset(nouns.split())
    for verb, nouns in {
        "check": "valve valves list engine lamp light ball",
        "drain": "plug plugs pan valve valves line lines hose cock tap hole pump pipe tray trap time",
        "test": "port point points lamp light equipment results mode bench stand data lead leads report gauge setup",
        "set": "screw screws point points value values",
        "lift": "arm arms pump gate truck chain cylinder mast capacity table point points force",
        "start": "button relay page screen menu position sequence",
        "stop": "button lamp lamps light lights valve switch position",
        "lock": "screen nut nuts ring washer plate pin pins bolt cylinder mode button",
        "press": "fit brake",
        "fill": "port cap plug valve level tube hole rate pattern density",
        "feed": "pump rate water line roller belt screw",
        "release": "valve lever button bearing cable notes date bar handle",
        "drive": """belt belts shaft shafts chain motor motors gear gears unit axle axles
             wheel wheels train mode coupling roller""",
        "cut": "sheet off",
        "mount": "point points",
        "park": "brake position lock pawl lamp",
        "crank": "angle sensor shaft pulley handle",
        "clamp": "force ring meter bolt load plate",
        "spray": "nozzle nozzles gun pattern arm",
        "power": "supply steering cable button saving unit",
        "reset": "button switch key menu",
        "home": "screen page button position tab",
        "search": "bar results engine screen",
        "screen": "saver protector lock",
        "support": "bearing bracket leg",
        "load": "cell cells test chart capacity rating sensing sensor moment",
        "run": "time capacitor current",
        "probe": "points count offset calibration",
        "cool": "down",
        "shift": "lever cable fork solenoid knob pattern",
        "seal": "kit kits ring rings",
        "brush": "seal seals holder holders wear length",
        "thread": "size pitch",
        "supply": "voltage fan air pressure line pump water",
        "return": "spring line filter air oil",
        "turn": "signal signals table",
        "move": "splitting queue commands",
        "use": "case cases",
        "play": "store list button back music services",
        "call": "log settings history",
        "sound": "mode output quality settings",
        "record": "keeping sheet",
    }.items()
}
NOUN_FIRST = word_set(
    """brake fan pump motor filter wheel tire belt oil engine water air fuel battery bed page type power time phase
    tool control transfer contact pressure flow force torque steam gas mesh stress side front surface wing
    shock flame shape boundary design note notes report screen home sound picture display step group hand face
    head back top scan vacuum pull call pinpoint touch rate home"""
)
_ACTIONS: dict[str, str] = {
    noun: verb
    for verb, nouns in {
        "replace": "replacement replacing renewal",
        "remove": "removal removing",
        "install": "installation install installing",
        "adjust": "adjustment adjustments adjusting",
        "inspect": "inspection inspections inspecting",
        "check": "check checks checking",
        "lubricate": "lubrication lubricating",
        "grease": "greasing",
        "rotate": "rotation",
        "bleed": "bleeding",
        "clean": "cleaning cleanup",
        "measure": "measurement measurements measuring",
        "calibrate": "calibration calibrating",
        "align": "alignment",
        "disassemble": "disassembly dismantling teardown",
        "reassemble": "reassembly",
        "change": "change changing changes",
        "repair": "repair repairs repairing",
        "set up": "setup set-up",
        "configure": "configuration configuring",
        "drain": "draining",
        "fill": "filling",
        "refill": "refilling refill",
        "flush": "flushing flush",
        "charge": "charging recharging",
        "maintain": "maintenance upkeep",
        "troubleshoot": "troubleshooting",
        "diagnose": "diagnosis diagnostics diagnosing",
        "tension": "tensioning",
        "tighten": "tightening",
        "test": "testing test tests",
        "connect": "connection connecting",
        "disconnect": "disconnection",
        "isolate": "isolation",
        "store": "storage",
        "overhaul": "overhaul",
        "rebuild": "rebuild rebuilding",
        "balance": "balancing",
        "synchronize": "synchronization",
        "activate": "activation",
        "update": "updating",
        "upgrade": "upgrading",
        "wire": "rewiring",
        "jack up": "jacking",
        "verify": "verification",
        "service": "servicing",
        "operate": "operation",
        "shut down": "shutdown",
        "jump start": "jump-starting",
        "top up": "topping-up",
        "purge": "purging",
        "select": "selection",
        "prepare": "preparation",
        "purify": "purification",
        "lock out": "lockout",
        "sharpen": "sharpening",
        "winterize": "winterization winterizing",
    }.items()
    for noun in nouns.split()
}
_ACTION = "|".join(sorted(map(re.escape, _ACTIONS), key=lambda noun: (-len(noun), noun)))
ACTION_LAST = re.compile(
    rf"(?P<object>\S.*?)\s+(?P<action>{_ACTION})(?:(?:,| and| &| or|/)\s*(?P<second>{_ACTION}))?(?:\s+procedures?)?$",
    re.I,
)
ACTION_FIRST = re.compile(
    rf"(?P<action>{_ACTION})(?:(?: and| &|/)\s*(?P<second>{_ACTION}))? of (?:the )?(?P<object>\S.*)$", re.I
)
NOT_OBJECTS = word_set(
    """routine preventive periodic daily weekly monthly yearly annual seasonal general initial visual manual
    automatic first final basic common standard safe new complete quick fast wireless normal emergency special
    extended safety software field user safe-storage long-term self remote network state phase unit
    system-wide current cold hot load road pressure leak smoke bench function spin stall spark voltage
    continuity ohm wind tunnel"""
)
_PLURAL_OBJECTS = frozenset({"tire", "tyre"})
LACKING = re.compile(r"(?:poor|missing|weak|erratic|intermittent|uneven) (?:or|and) \w")
LACK = re.compile(
    r"(?:no|insufficient|poor|excessive|loss of|lack of|unusual|abnormal|intermittent|erratic|uneven) (?!or |and )\w"
)
_PREDICATE = (
    r"(?:won't|will not|does not|doesn't|do not|don't|cannot|can't|can not|fails? to|failed to|keeps?|is not"
    r"|isn't|are not"
    r"|aren't|has no|have no|is|are|not) \w.*|not \w+ing\b.*"
)
CLAUSE = re.compile(rf"(?P<subject>\S.*?) (?P<predicate>(?:\w+s? but )?(?:{_PREDICATE}))$", re.I)
UNCOUNTED = re.compile(
    r"(?:no|insufficient|poor|excessive|loss of|lack of) |.* (?:leakage|overheating|damage|wear|corrosion|slippage)$",
    re.I,
)
QUANTITIES = word_set(
    """torque pressure temperature speed voltage current level clearance gap resistance capacity tension travel
    thickness weight viscosity size length width height rating ratio value interval alignment sequence timing
    distance depth angle setting limit load force rate density frequency flow"""
)
"""Heads of noun phrases that ask for a value."""
BAD_NOUN = re.compile(
    r" (?:noises?|leaks?|leakage|failures?|malfunctions?|overheating|vibrations?|problems?|issues?|errors?"
    r"|faults?|damage"
    r"|wear|corrosion|slippage|surge|chatter|squeal|knock)$"
)
MISBEHAVES = word_set(
    """overheats overheat leaks leak stalls stall slips slip squeals squeal vibrates vibrate sticks stick fails fail
    jams jam trips trip freezes freeze drifts drift hunts hunt smokes smoke misfires misfire rattles rattle
    grinds grind cranks crank drags drag pulls pull wanders wander flickers flicker drops drop feels feel
    sounds smells blows shuts cuts loses lose runs run stops stop turns starts crashes crash hangs hang"""
)
DIRECTED = word_set(
    """switch turn sign log set back connect go return reply respond listen scroll zoom link move power start shut
    jump clean plug subscribe"""
)
PARTICLES = word_set("to in on off up out down into from")
"""A verb of DIRECTED before one of these opens an instruction: "switch to headset"."""
FAILING = word_set(
    """overheating leaking sticking slipping squealing squeaking rattling stalling misfiring smoking vibrating
    dripping jammed stuck seized cracked frozen noisy broken blown worn clogged blocked burnt corroded leaky
    bent"""
)
"""Words before a noun that make it a symptom."""
_GENERIC = word_set(
    """overview introduction general description descriptions notes note step steps page pages specification
    specifications specs details information summary contents content figure figures table tables appendix
    index preface foreword background conclusion conclusions results discussion procedure procedures
    instructions instruction parts tools materials requirements required equipment troubleshooting maintenance
    safety warning warnings caution cautions danger notice important tip tips examples example references
    reference components component features feature operation operations installation configuration settings
    setting options usage use using basic basics advanced other misc miscellaneous more about section chapter
    part main intro limitations commands parameters definitions purpose scope symptoms symptom causes cause
    remedy remedies solution solutions faq faqs questions data values diagnosis diagnostics inspection
    replacement removal cleaning adjustment adjustments testing test tests repair service preparation before
    you begin start getting started quick guide guides additional related topics caveats errors error
    documentation signs sign failure failures ratings rating pre-requisites prerequisite requisites pre next
    finally prerequisites setup hardware software menu home tab system systems list standard common terms
    terminology history status events event key functions function types type apps issues contacts accounts"""
)
_DROPPED = word_set("""step page note figure table section chapter part tip item example appendix main more other""")
_FUNCTION = word_set("and & or of the a an to for in on - with you your this")
_KIND = re.compile(
    r"[\s,:-]*\b(?:(?:operation|operating|operator'?s|owner'?s|user|users|maintenance|service|repair|workshop"
    r"|installation|"
    r"technical|field|shop|parts|instruction|reference|comprehensive|training|troubleshooting|overhaul)\s*(?:,"
    r"|and|&)?\s*)*"
    r"(?:manual|handbook|guide|book|bulletin|catalogue|catalog|sheet)s?\b.*$",
    re.I,
)
_ACRONYMS = word_set(
    """abs ac dc led usb gps ecu ecm egr hvac pto tv pcv can hdmi pc lcd rpm psi dot awd fwd rwd vin cca ups cnc plc
    pin sd sim nfc wps dvd cd eco lpg cng def dpf scr tpms obd dtc mcu pid pwm uart spi gpio dns ip id faq pdf
    atf cvt suv ip67"""
)
_CLOSED_ACRONYMS = word_set("can dot def pin id ups eco sim")
"""Acronyms that are words as well; among capitals they are read as the word."""
_UNITS = word_set(
    """mm cm m km in ft kg g lb lbs nm ft-lb lb-ft v kv mv a ma w kw hp hz khz mhz bar pa kpa mpa psi l ml c f k rpm
    ohm ohms °c °f vac vdc kva mva dba db sec min"""
)
_NUMBERING = re.compile(
    r"^(?:(?:section|chapter|para|paragraph|part|appendix|unit|annex|art"
    r"|article)\.?\s+[\dA-Z]{1,3}(?:[.-]\d+)*\s*(?:[:.)–—-]\s*|\s+|$)"
    r"|§+\s*[\d.]+\s+|\d{1,2}(?:[.-]\d{1,2})+\.?[):]?\s+(?=\D)|\d{1,3}[.):]\s+|[A-Za-z][.)]\s+|\([a-z\d]\)\s+"
    r"|\d{1,2}\s+(?=(?-i:[A-Z]))(?!(?:[A-Z]\b|[A-Z][a-zA-Z]\b|phase|volts?|way|points?|stroke|speed|pins?|wire|cylinders?|inch|mm|amp|door"
    r"|bar|pole)\b))",
    re.I,
)
_MARKUP = re.compile(r"[*`#]+|(?<!\w)_+|_+(?!\w)|<[^>]+>")
_HEAD = re.compile(r"^(?:optional|note|appendix|example)\s*:\s*", re.I)
_TAIL = re.compile(r"(?:\s*\([^()]*\)|[\s:.,;–—-])+$", re.I)
_CAPITAL = re.compile(r"[^\W\d_]")


def clean(heading: str, proper: frozenset[str] = frozenset()) -> str:
    """A heading without numbering and markup, in the case of running text.

    "2.4 FRONT BRAKE PADS:" → "front brake pads". Acronyms, part numbers, units, words the dictionary lacks (in a
    heading that is not all capitals) and the names in `proper` keep their case.
    """
    text = " ".join(_MARKUP.sub("", heading).split())
    text = re.sub(r"^\[([\w ]+)\]$", r"\1", text)
    text = re.sub(r"\s+([?:,.])", r"\1", text)
    text = _TAIL.sub("", _NUMBERING.sub("", text, count=1))
    text = _HEAD.sub("", text)
    letters = [c for c in text if c.isalpha()]
    shouted = bool(letters) and sum(c.isupper() for c in letters) > 0.8 * len(letters) and len(letters) > 4
    recased = [_recase(word, proper, shouted=shouted) for word in text.split(" ")]
    if len(recased) > 1 and _only_first_capital(text) and recased[0] not in proper:
        recased[0] = recased[0].lower()
    return " ".join(recased).strip()


def _only_first_capital(text: str) -> bool:
    """Whether the first word's capital is only the start of a sentence ("Isolator contact resistance")."""
    first, _, rest = text.partition(" ")
    return rest == rest.lower() and first[1:] == first[1:].lower()


def _recase(word: str, proper: frozenset[str], *, shouted: bool) -> str:
    bare = word.strip("()[]\"',.:;/")
    low = bare.lower()
    if bare.endswith(("-PHASE", "-WAY", "-STROKE", "-POINT", "-SPEED")):
        return word.lower()
    if not bare or bare == "I" or bare in proper or any(c.isdigit() for c in bare):
        return word
    if low in _ACRONYMS and (bare.isupper() or not is_known(low)) and not (shouted and low in _CLOSED_ACRONYMS):
        return word.replace(bare, bare.upper())
    if low in _UNITS and bare != bare.title():
        return word
    if shouted:
        keep = len(bare) <= 4 and not is_known(low) and low.isalpha()
        return word if keep else word.lower()
    if bare.isupper() and len(bare) > 1:
        return word.lower() if bare in ("AND", "OR", "OF", "THE", "TO", "IN", "NOT", "A", "FOR", "ON", "WITH") else word
    if any(c.isupper() for c in bare[1:]) and "-" not in bare and "/" not in bare:
        return word
    return word.lower() if is_known(low) or all(map(is_known, re.split(r"[-/']", low))) else word


def is_generic(phrase: str) -> bool:
    """Whether a cleaned heading says nothing without its parent ("overview", "step 3", "tools and parts")."""
    found = [w for w in re.findall(r"[^\W_]+", phrase.lower()) if w not in _FUNCTION]
    if not any(len(word) > 1 and not word.isdigit() for word in found):
        return True
    return all(word in _GENERIC or word.isdigit() or len(word) == 1 for word in found)


def generic_noun(phrase: str) -> str:
    """What a generic heading adds to its parent: "specifications" yes, "step 3" or "notes" nothing (empty)."""
    found = re.findall(r"[^\W_]+", phrase.lower())
    if not found or any(word.isdigit() for word in found) or found[0].rstrip("s") in _DROPPED:
        return ""
    if phrase.lower() in ("general", "notes", "details", "introduction", "intro", "about", "important", "description"):
        return "overview" if phrase.lower() in ("introduction", "intro", "description") else ""
    nominal = all(Tag.NOUN in readings(word) or word in ("and", "required", "common") for word in found)
    return " ".join(found) if nominal and len(found) <= 3 else ""


def without_kind(title: str) -> str:
    """A document's title without the words for the kind of document: "… Air Handling Unit" of "… Service Manual"."""
    return _KIND.sub("", title).strip(" -,:") or title


def is_name(noun_phrase: str) -> bool:
    """Whether a cleaned noun phrase is a name, which takes no article: a word of it kept its capital."""
    return any("_" in word or (word[:1].isupper() and not _is_acronym(word)) for word in noun_phrase.split(" "))


def _is_acronym(word: str) -> bool:
    return word.isupper() and (word.lower() in _ACRONYMS or len(word) <= 4)


_RESEARCH = re.compile(
    r"^(?:(?:an?|the|some|further|experimental|theoretical|analytical|numerical|preliminary|comparative"
    r"|approximate|general|brief|recent|simplified|detailed) )*"
    r"(?:investigations?|stud(?:y|ies)|notes?|anal[yi]s[ie]s|survey|review|reports?|discussion|remarks"
    r"|observations|experiments|"
    r"summary|introduction|overview|guide|considerations?|evaluation|examination|contributions?) (?:of|on|into"
    r"|concerning|to) "
    r"|^on (?=the |a |an )|^(?:meet|about|introducing|understanding) (?=\w)",
    re.I,
)


def topic(phrase: str) -> str:
    """What a heading is about: "a study of creep buckling" → "creep buckling"."""
    found = re.sub(r"^(?:an?|the) (?=\w)", "", _RESEARCH.sub("", phrase))
    if re.match(r"(?:of|on|in|for|to|and) ", found):
        return phrase
    return re.sub(r"(?<=\w\w) (?:overview|introduction|basics|description|explained)$", "", found)


def verb_of(action: str) -> str:
    """The verb of an action noun: "bleeding" → "bleed", "set-up" → "set up"."""
    return _ACTIONS.get(action.lower(), "")


def usual_number(target: str, action: str) -> str:
    """The object as people say it: one rotates "the tires"."""
    last = target.rsplit(" ", 1)[-1].lower()
    return plural(target) if last in _PLURAL_OBJECTS and action.lower() in ("rotation", "alignment") else target


def full_predicate(predicate: str, many: bool) -> str:
    """A heading's clipped predicate as a sentence's: "not working" → "is not working"."""
    if predicate.lower().startswith("not "):
        return f"{'are' if many else 'is'} {predicate}"
    return predicate
