"""Headings become what their grammar allows, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain_embeddings.english.heading_cleaning import clean, without_kind
from domain_embeddings.english.heading_parser import Form, questions, read_heading, read_path
from domain_embeddings.english.inflection import as_asker, gerund, is_plural, plural
from domain_embeddings.english.pos_tagger import noun_phrases, tag

CLEANED = [
    ("2.4 Front Brake Pads:", "front brake pads"),
    ("SECTION 3: COOLING SYSTEM", "cooling system"),
    ("Para 1-2: Engine Cranks But Won't Start", "engine cranks but won't start"),
    ("4 Dampers, Heat Recovery, Controls", "dampers, heat recovery, controls"),
    ("3-PHASE MOTOR WIRING", "3-phase motor wiring"),
    ("3 Phase Motor", "3 phase motor"),
    ("24 V Supply", "24 V supply"),
    ("10 micron filter", "10 micron filter"),
    ("ABS WARNING LAMP", "ABS warning lamp"),
    ("1985-1988 Volvo 740 Brake Pads Replacement", "1985-1988 Volvo 740 brake pads replacement"),
    ("creep buckling of columns .", "creep buckling of columns"),
    ("**Engine Oil Change** (continued)", "engine oil change"),
    ("### [bed_mesh]", "bed_mesh"),
    ("Isolator contact resistance", "isolator contact resistance"),
    ("How can I donate?", "how can I donate?"),
    ("Optional: Enabling SPI", "enabling SPI"),
]


@pytest.mark.parametrize(("heading", "expected"), CLEANED)
def test_clean(heading: str, expected: str) -> None:
    assert clean(heading) == expected


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("Pump seal (left) (2 of 3):", "pump seal"),
        (f"Pump seal {'(a) ' * 40}", "pump seal"),
        (f"Pump seal {'(a) ' * 40}kit", f"pump seal {'(a) ' * 40}kit"),
        ("Pump (see (a))", "pump (see (a))"),
        ("a) Pump seal)", "pump seal)"),
        ("(left)", ""),
    ],
)
def test_brackets_at_the_end_are_dropped(heading: str, expected: str) -> None:
    assert clean(heading) == expected


def test_a_heading_that_is_running_text_says_nothing() -> None:
    sentence = "Replace the seal of the pump and drain the tank"
    assert read_heading(sentence).form == Form.IMPERATIVE
    assert read_heading(" ".join(9 * [sentence])).form == Form.GENERIC
    assert read_path(f"Pump seal > {' '.join(9 * [sentence])}").phrase == "pump seal"


def test_clean_keeps_the_case_of_names() -> None:
    assert clean("Using Smart Hub", frozenset({"Hub"})) == "using smart Hub"


FORMS = [
    ("HOW TO CHECK TIRE PRESSURE", Form.HOW_TO, "How do I check tire pressure?"),
    ("Check tire pressure", Form.IMPERATIVE, "How do I check tire pressure?"),
    ("Set a secure screen lock", Form.IMPERATIVE, "How do I set a secure screen lock?"),
    ("Decrypt SD card", Form.IMPERATIVE, "How do I decrypt SD card?"),
    ("Switch to headset or speaker", Form.IMPERATIVE, "How do I switch to headset or speaker?"),
    ("Manually connect to a WiFi network", Form.IMPERATIVE, "How do I manually connect to a WiFi network?"),
    ("Connecting the remote to the TV", Form.GERUND, "How do I connect the remote to the TV?"),
    ("Working beneath a raised carriage", Form.GERUND, "How do I work beneath a raised carriage?"),
    ("Resetting your network", Form.GERUND, "How do I reset my network?"),
    ("SERVICE BRAKE BLEEDING", Form.NOMINALIZATION, "How do I bleed the service brake?"),
    ("Tire Rotation", Form.NOMINALIZATION, "How do I rotate the tires?"),
    ("Front Brake Pads Replacement", Form.NOMINALIZATION, "How do I replace the front brake pads?"),
    (
        "Isolator contact resistance measurement",
        Form.NOMINALIZATION,
        "How do I measure the isolator contact resistance?",
    ),
    ("Removal of the hub", Form.NOMINALIZATION, "How do I remove the hub?"),
    ("Pump Removal and Installation", Form.NOMINALIZATION, "How do I remove and install the pump?"),
    (
        "2001 Volkswagen Passat Battery Replacement",
        Form.NOMINALIZATION,
        "How do I replace 2001 Volkswagen Passat battery?",
    ),
    ("Why is my heater cold?", Form.QUESTION, "Why is my heater cold?"),
    ("Engine overheats", Form.SYMPTOM, "What should I do if the engine overheats?"),
    ("Brake pedal feels spongy", Form.SYMPTOM, "What should I do if the brake pedal feels spongy?"),
    ("Engine Cranks But Won't Start", Form.SYMPTOM, "What should I do if the engine cranks but won't start?"),
    ("Heater not working", Form.SYMPTOM, "What should I do if the heater is not working?"),
    ("No picture", Form.SYMPTOM, "What should I do if there is no picture?"),
    ("Excessive tire wear", Form.SYMPTOM, "What causes excessive tire wear?"),
    ("Hydraulic oil leak", Form.SYMPTOM, "What causes a hydraulic oil leak?"),
    ("Overheating engine", Form.SYMPTOM, "What causes an overheating engine?"),
    ("Cooling system", Form.NOUN_PHRASE, "What is the cooling system?"),
    ("Wheel nut torque", Form.NOUN_PHRASE, "What is the wheel nut torque?"),
    ("Steering wheel", Form.NOUN_PHRASE, "What is the steering wheel?"),
    ("Brake fluid", Form.NOUN_PHRASE, "What is brake fluid?"),
    ("Recommended spares", Form.NOUN_PHRASE, "What are recommended spares?"),
    ("a study of creep buckling of columns .", Form.NOUN_PHRASE, "What is creep buckling of columns?"),
]


@pytest.mark.parametrize(("heading", "form", "question"), FORMS)
def test_form_and_question(heading: str, form: Form, question: str) -> None:
    found = read_heading(heading)
    assert (found.form, questions(found)) == (form, [question])


@pytest.mark.parametrize(
    "heading", ["Overview", "Introduction", "Step 3", "Page 4", "Notes", "Specifications", "Tools and parts", "3.1", ""]
)
def test_generic_headings_give_nothing(heading: str) -> None:
    found = read_heading(heading)
    assert (found.form, questions(found)) == (Form.GENERIC, [])


@pytest.mark.parametrize("heading", ["Check valve", "Drain plug", "Test port", "Brake fan", "Bearing", "Set screw"])
def test_compound_nouns_are_no_instructions(heading: str) -> None:
    assert read_heading(heading).verb_phrase == ""


@pytest.mark.parametrize(
    ("title", "phrase"),
    [
        ("Halden HT-25 Service Manual > Brake System > Specifications", "brake system specifications"),
        ("Halden HT-25 Service Manual > Brake System > Step 3", "brake system"),
        ("Volvo 240 Oil Change > Tools", "Volvo 240 oil change tools"),
        ("Brake System > Pads > Wear limits", "wear limits"),
        ("Overview", "overview"),
    ],
)
def test_generic_headings_borrow_from_their_parents(title: str, phrase: str) -> None:
    assert read_path(title).phrase == phrase


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Acme 4 Owner's Manual", "Acme 4"),
        ("Acme 4 - Service and Repair Manual, second edition", "Acme 4"),
        (f"Acme 4 {'service ' * 5}guide", "Acme 4"),
        ("Service", "Service"),
    ],
)
def test_a_title_loses_the_kind_of_document(title: str, expected: str) -> None:
    assert without_kind(title) == expected


def test_gerund_phrase_bends_both_verbs() -> None:
    assert read_heading("Pump Removal and Installation").gerund_phrase == "removing and installing the pump"


@pytest.mark.parametrize(
    ("verb", "form"), [("bleed", "bleeding"), ("swap", "swapping"), ("set up", "setting up"), ("replace", "replacing")]
)
def test_gerund(verb: str, form: str) -> None:
    assert gerund(verb) == form


def test_number() -> None:
    assert (plural("brake pad"), plural("brake pads"), plural("gear box")) == ("brake pads", "brake pads", "gear boxes")
    assert all(map(is_plural, ("pads", "PTCs", "principles", "micro-controllers")))
    assert not any(map(is_plural, ("lens", "chassis", "bus", "axis", "gas", "data", "pad")))


def test_the_reader_becomes_the_asker() -> None:
    assert as_asker("if you want to reset your TV yourself") == "if I want to reset my TV myself"


def phrases_of(sentence: str) -> list[str]:
    tokens = tag(sentence)
    return [sentence[tokens[start].start : tokens[end - 1].end] for start, end in noun_phrases(tokens)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Press and hold the volume button for 1 second.", ["volume button"]),
        ("The TV displays content from the device.", ["TV", "content", "device"]),
        ("Remove the upper and lower guide bolts.", ["lower guide bolts"]),
        ("a theory of the uniformly heated ring-stiffened cylinder", ["theory", "ring-stiffened cylinder"]),
        ("Use a 10 mm hex driver to remove the screws.", ["10 mm hex driver", "screws"]),
    ],
)
def test_noun_phrases(sentence: str, expected: list[str]) -> None:
    found = phrases_of(sentence)
    assert [text for text in found if text in expected] == expected
    verbs = {"Press", "Remove", "Use", "displays"}
    assert not verbs & {word for text in found for word in text.split()}


@given(st.text(max_size=80))
def test_any_heading_is_read_and_generic_ones_ask_nothing(heading: str) -> None:
    found = read_path(heading)
    asked = questions(found)
    assert found.form != Form.GENERIC or asked == []
    assert all(question.endswith("?") and "{" not in question.replace(heading, "") for question in asked)


@given(
    st.lists(
        st.sampled_from(
            [
                "how",
                "to",
                "check",
                "page",
                "the",
                "brake",
                "pads",
                "replacement",
                "3.2",
                "STEP",
                "and",
                "?",
                "no",
                "engine",
            ]
        ),
        max_size=6,
    )
)
def test_no_question_repeats_how(words: list[str]) -> None:
    asked = [question.lower() for question in questions(read_heading(" ".join(words)))]
    assert not any("how do i how" in question for question in asked)
    assert "how do i page?" not in asked or "how to" in " ".join(words)  # else it is of a page's header
