"""What people call a thing or an action that a text calls by another word: "removing" → "taking off".

Words of everyday and of technical prose in general, none of a field. No word shares its stem with what is said for it,
so that a search by words does not take one for the other.
"""

from functools import cache

from lemminflect import getAllLemmas

from domain_embeddings.english.inflection import base_verb, gerund, is_plural, plural

_VERBS = """
activate: switch on; add: put in; adjust: set; allow: let; alter: change; analyze: look into; assemble: put together;
assist: help; attach: fasten; attend: go to; begin: start; build: make; buy: get; calculate: work out; check: look at;
choose: pick; clean: wash; close: shut; compute: work out; configure: set up; confirm: verify; connect: hook up;
construct: build; create: make; deactivate: switch off; decrease: lower; delete: get rid of; deploy: roll out;
describe: explain; detach: take off; detect: notice; determine: find out; develop: build; disable: switch off;
disassemble: take apart; discard: throw away; disconnect: unplug; discuss: talk about; display: show; download: fetch;
drain: empty; enable: switch on; enjoy: like; erase: wipe; examine: study; exchange: swap; execute: run; fasten: fix;
fill: top up; fix: repair; generate: make; halt: stop; hold: grip; increase: raise; inform: tell; insert: put in;
inspect: look over; install: put in; investigate: study; launch: start; lift: raise; locate: find; loosen: slacken;
lower: bring down; lubricate: grease; maintain: look after; manage: handle; measure: gauge; modify: change; monitor:
watch; mount: put up; move: shift; observe: watch; obtain: get; operate: run; perform: carry out; permit: let;
predict: foresee; press: push; prevent: avoid; produce: make; protect: guard; provide: supply; purchase: buy; raise:
lift; receive: get; record: note down; reduce: cut down; refill: top up; remove: take off; repair: fix; replace: swap;
require: need; restart: reboot; rotate: turn; save: keep; select: pick; send: pass on; separate: take apart; share:
pass on; specify: state; store: keep; supply: provide; switch: change; test: try out; tighten: screw down; transmit:
send; turn: rotate; update: renew; upgrade: improve; utilize: employ; verify: confirm; view: look at; visit: go to;
wash: clean; watch: look at
"""
_NOUNS = """
accident: crash; activity: pastime; adult: grown-up; advantage: benefit; advice: tip; aim: goal; animal: pet; app:
program; approach: method; assistance: help; automobile: car; benefit: advantage; bottom: base; box: case; business:
company; cable: wire; car: vehicle; cellphone: handset; challenge: difficulty; child: kid; client: customer; clothes:
outfit; coating: layer; company: firm; component: part; container: box; copy: duplicate; cord: cable; cost: price;
cover: lid; crack: split; customer: client; damage: harm; danger: hazard; death: fatality; deficiency: shortage;
device: gadget; diameter: width; difficulty: trouble; disease: illness; display: screen; distribution: spread; doctor:
physician; document: file; drug: medicine; duration: time; effect: influence; electricity: power; engine: motor;
environment: surroundings; equipment: gear; error: fault; evidence: proof; examination: test; expense: cost; failure:
breakdown; fault: defect; fee: charge; file: document; friend: buddy; fuel: gas; goal: aim; hazard: danger; height:
altitude; hole: opening; home: house; hose: tube; house: home; humidity: moisture; icon: symbol; idea: thought;
illness: disease; increase: rise; infection: illness; influence: effect; injury: wound; instruction: direction;
instrument: tool; investigation: study; issue: problem; job: work; journey: trip; kid: child; laptop: notebook;
liquid: fluid; location: place; machine: equipment; material: substance; medication: medicine; medicine: drug; method:
technique; mistake: error; moisture: damp; motion: movement; motor: engine; movement: motion; noise: sound;
notification: alert; obstacle: barrier; odor: smell; option: choice; outcome: result; patient: sick person; phone:
handset; photo: picture; picture: photo; pipe: tube; price: cost; problem: trouble; procedure: method; purchase: buy;
quantity: amount; request: query; requirement: need; research: study; response: answer; result: outcome; risk: danger;
road: street; screen: display; sequence: order; server: host; setting: preference; skill: ability; smell: odor; sound:
noise; speed: velocity; story: tale; strategy: plan; study: investigation; symptom: sign; task: job; technique:
method; television: telly; temperature: heat; test: trial; therapy: treatment; tool: instrument; topic: subject;
treatment: therapy; trip: journey; tube: pipe; tv: telly; user: person; vacation: holiday; vehicle: car; velocity:
speed; vibration: shaking; video: clip; warning: alert; web: internet; wire: cable
"""


def _table(text: str) -> dict[str, str]:
    return dict(entry.split(": ") for entry in " ".join(text.split()).split("; "))


VERBS = _table(_VERBS)
NOUNS = _table(_NOUNS)


@cache
def other_gerund(verb: str) -> str:
    """The -ing form of what people say for a verb: "remove" → "taking off"; empty where nothing is known."""
    other = VERBS.get(base_verb(verb), "")
    return other and gerund(other)


@cache
def other_noun(noun: str) -> str:
    """What people say for a noun, in the same number: "engines" → "motors"; empty where nothing is known."""
    low = noun.lower()
    other = next((NOUNS[word] for word in (low, *getAllLemmas(low, upos="NOUN").get("NOUN", ())) if word in NOUNS), "")
    return plural(other) if other and is_plural(low) else other
