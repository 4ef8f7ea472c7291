"""Training queries: sources, sharing out, what is dropped, and what stays fixed."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.text import content_words
from domain_embeddings.english.sentence_filter import is_junk, key, prose_sentences, stands_alone
from domain_embeddings.params.synthesize import SourceWeights, SynthesizeParams
from domain_embeddings.synthesis.keyphrases import keyphrases, prose_of, salient_sentences, spans, statistics_of
from domain_embeddings.synthesis.queries import labelled_leaks, quotas, synthesize
from domain_embeddings.synthesis.query_sources import Source
from domain_embeddings.synthesis.sentence_questions import questions_of
from domain_embeddings.text_matching.near_equal_queries import NearEqualQueries

BRAKES = Passage(
    "brakes",
    "Halden HT-25 Service Manual > Brakes > SERVICE BRAKE BLEEDING",
    "Fit a clear tube on the bleed screw of the rear wheel cylinder. If the pedal feels spongy after a hose was "
    "replaced, "
    "air has entered the brake circuit. To remove the trapped air, pump the pedal slowly and open the bleed "
    "screw a quarter "
    "turn. The reservoir must be refilled with mineral oil before the level falls under the lower mark. It is "
    "also cold.",
    "forklift",
    "procedure",
)
FAN = Passage(
    "fan",
    "Tarnbrook AHU-12 Manual > Fans > Fan Bearing Lubrication",
    "The fan shaft runs in two pillow-block bearings with grease nipples in the casing wall. Give lithium "
    "grease every 2000 "
    "hours with the shaft turning slowly by hand. A rumble that changes with speed calls for replacement of the "
    "bearing.",
    "hvac",
    "procedure",
)
MAST = Passage(
    "mast",
    "Halden HT-25 Service Manual > Mast > Overview",
    "The triplex mast lifts the carriage with two leaf chains and three cylinders. The leaf chains should be "
    "inspected every "
    "500 hours. See Figure 3 for details. Worn mast rollers cause a loud whine during lifting.",
    "forklift",
    "other",
)
CORPUS = {passage.id: passage for passage in (BRAKES, FAN, MAST)}
EVEN = SourceWeights(template=1.0, heading=1.0, sentence=1.0, span=1.0, keyphrase=1.0)


def params(**changes: object) -> SynthesizeParams:
    values: dict[str, object] = {
        "seed": 1, "queries_per_passage": 8, "pairs_per_domain": 1000, "sources": EVEN, "dev_passages": 0.1,
        "labelled_leaks": "fail", "synthetic_expansion_factor": 0,
    }  # fmt: skip
    return SynthesizeParams.model_validate({**values, **changes})


def test_every_passage_gets_its_queries_from_every_source() -> None:
    found = synthesize(CORPUS, params(), {})
    per_passage = Counter(passage for grades in found.qrels["train"].values() for passage in grades)
    assert per_passage == {"brakes": 8, "fan": 8, "mast": 8}
    assert set(found.statistics["sources"]) == {source.value for source in Source}
    assert min(found.statistics["sources"].values()) > 0
    assert [query.domain for query in found.queries if found.qrels["train"][query.id] == {"fan": 1}] == ["hvac"] * 8


def test_ids_name_their_source() -> None:
    for query in synthesize(CORPUS, params(), {}).queries:
        source, number = query.id.split("-")
        assert source == query.extra["source"]
        assert int(number) >= 1


def test_the_result_does_not_depend_on_the_order_of_the_corpus() -> None:
    backwards = dict(reversed(CORPUS.items()))
    assert synthesize(CORPUS, params(), {}) == synthesize(backwards, params(), {})


def test_the_seed_changes_the_draw() -> None:
    texts = [{query.text for query in synthesize(CORPUS, params(seed=seed), {}).queries} for seed in (1, 2)]
    assert texts[0] != texts[1]


def test_a_source_of_weight_zero_is_off() -> None:
    only = SourceWeights(template=0.0, heading=0.0, sentence=1.0, span=0.0, keyphrase=1.0)
    found = synthesize(CORPUS, params(sources=only), {})
    assert {query.extra["source"] for query in found.queries} == {"sentence", "keyphrase"}


def test_excluded_passages_get_no_query() -> None:
    found = synthesize(CORPUS, params(), {}, exclude={"fan"})
    assert "fan" not in {passage for grades in found.qrels["train"].values() for passage in grades}


def test_a_query_shared_with_an_excluded_passage_is_dropped() -> None:
    twin = Passage("twin", BRAKES.title, "Close the valve of the second circuit first.", "forklift", "procedure")
    found = synthesize({**CORPUS, "twin": twin}, params(queries_per_passage=50), {}, exclude={"twin"})
    assert found.statistics["dropped"]["fits a held-out passage"] > 0
    assert not any("bleed the service brake" in query.text for query in found.queries)


def test_pieces_of_one_section_are_all_relevant() -> None:
    piece = Passage(
        "brakes2", BRAKES.title, "Tighten the bleed screw to 9 Nm and wash the drum.", "forklift", "procedure"
    )
    found = synthesize({**CORPUS, "brakes2": piece}, params(queries_per_passage=30), {})
    subject = set(content_words("service brake bleeding"))
    shared = [query.id for query in found.queries if subject <= set(content_words(query.text))]
    assert len(shared) >= 2
    assert all(found.qrels["train"][query_id] == {"brakes": 1, "brakes2": 1} for query_id in shared)


def test_a_heading_of_six_passages_is_too_generic() -> None:
    pieces = {
        f"p{n}": Passage(f"p{n}", "Mast Chain Adjustment", f"Turn the {word} anchor nut by one flat.", "", "procedure")
        for n, word in enumerate(["left", "right", "upper", "lower", "inner", "outer"])
    }
    found = synthesize(pieces, params(queries_per_passage=30), {})
    assert found.statistics["dropped"]["generic"] > 0
    assert not any("mast chain" in query.text.lower() for query in found.queries)


def test_nothing_near_a_held_out_question_is_left_and_both_texts_are_listed() -> None:
    held_out = {"test question q17": "how do you bleed the service brakes?"}
    found = synthesize(CORPUS, params(queries_per_passage=30), held_out)
    near = NearEqualQueries(held_out)
    assert [query.text for query in found.queries if near.find(query.text)] == []
    row = found.statistics["held_out"][0]
    assert (row["place"], row["question"], row["passage"]) == (*held_out.popitem(), "brakes")
    assert content_words(row["query"]) == ("bleed", "brake", "servic")
    assert found.statistics["dropped"]["near a held-out question"] >= len(found.statistics["held_out"])


def test_no_text_twice_and_no_near_equal_within_a_passage() -> None:
    found = synthesize(CORPUS, params(queries_per_passage=50), {})
    texts = [key(query.text) for query in found.queries]
    assert len(set(texts)) == len(texts)
    for passage in CORPUS:
        seen = NearEqualQueries()
        for query in found.queries:
            if passage in found.qrels["train"][query.id]:
                assert seen.find(query.text) is None
                seen.add(query.id, query.text)


@pytest.mark.parametrize(("cap", "expected"), [(2, {1: 2}), (5, {2: 1, 3: 1}), (1, {1: 1})])
def test_a_capped_domain_is_covered_evenly(cap: int, expected: dict[int, int]) -> None:
    found = synthesize(CORPUS, params(pairs_per_domain=cap), {})
    trucks = [query for query in found.queries if query.domain == "forklift"]
    counts = Counter(passage for query in trucks for passage in found.qrels["train"][query.id])
    assert Counter(counts.values()) == expected
    assert found.statistics["dropped"]["over pairs_per_domain"] > 0


def test_a_passage_without_words_is_reported() -> None:
    empty = Passage("code", "Step 3", "{ 0x3F, 0x00 };")
    assert synthesize({**CORPUS, "code": empty}, params(), {}).statistics["passages_without_query"] == ["code"]


def test_some_queries_do_without_the_heading() -> None:
    heading = set(content_words(MAST.title))
    found = synthesize(CORPUS, params(), {})
    texts = [query.text for query in found.queries if "mast" in found.qrels["train"][query.id]]
    assert sum(not heading & set(content_words(text)) for text in texts) >= 3


def test_quotas_by_hand() -> None:
    weights = SourceWeights(template=2.0, heading=0.0, sentence=1.0, span=1.0, keyphrase=0.0)
    assert quotas(weights, 8, 0.5) == {Source.TEMPLATE: 4, Source.SENTENCE: 2, Source.SPAN: 2}
    assert quotas(EVEN, 1, 0.0) == dict(zip(Source, [0, 0, 0, 0, 1], strict=True))
    assert quotas(EVEN, 1, 0.9) == dict(zip(Source, [1, 0, 0, 0, 0], strict=True))


@given(st.lists(st.integers(1, 9), min_size=5, max_size=5), st.integers(1, 50), st.floats(0, 0.999))
def test_quotas_share_out_everything_fairly(weights: list[int], count: int, offset: float) -> None:
    named = SourceWeights.model_validate(dict(zip(map(str, Source), map(float, weights), strict=True)))
    shares = quotas(named, count, offset)
    assert sum(shares.values()) == count
    for source, weight in zip(Source, weights, strict=True):
        assert abs(shares[source] - count * weight / sum(weights)) <= 1


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("To remove the trapped air, pump the pedal slowly.", "How do I remove the trapped air?"),
        ("If you want to reset your TV, select Reset.", "How can I reset my TV?"),
        ("You can view a list of notifications for your TV.", "How can I view a list of notifications for my TV?"),
        ("If the pedal feels spongy, bleed the brakes.", "What should I do if the pedal feels spongy?"),
        (
            "Disconnect the negative terminal of the battery.",
            "How do I disconnect the negative terminal of the battery?",
        ),
        ("The leaf chains should be inspected every 500 hours.", "Do the leaf chains need to be inspected?"),
        ("The bearing temperature should be under 70 °C.", "What should the bearing temperature be?"),
        ("Worn mast rollers cause a loud whine.", "What causes a loud whine?"),
        ("Before removing the hub, support the axle.", "What should I do before removing the hub?"),
    ],
)
def test_questions_of_a_sentence(sentence: str, question: str) -> None:
    assert question in questions_of(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "It allows you to watch films.",
        "See Figure 3 for details.",
        "If it does not fit, see above.",
        "Press the button.",
        "Wind tunnel tests were made.",
        "The system consists of a pump and a tank.",
        "pid_Kp: 22.2",
        "Lower values will result in longer print times.",
    ],
)
def test_no_question_where_grammar_or_sense_is_unsure(sentence: str) -> None:
    assert questions_of(sentence) == []


@pytest.mark.parametrize(
    "text",
    [
        "https://example.com/x", "see docs/Config_Reference.md", "shown in Figure 3", "refer to the manual",
        "[extruder] max_temp: 250", "set /dev/ttyACM0", "12 34 56 78", "the the pump", "x = y + 1",
        "Rewind Play Pause Stop Timeshift Record", "const int a;", "pump (the left one",
    ],
)  # fmt: skip
def test_junk(text: str) -> None:
    assert is_junk(text)


@pytest.mark.parametrize(
    "text",
    ["wheel nut torque 120 Nm", "5W-30 oil", "what does horizontal_move_z do", "pump at 90 °C", "1/2 turn, by hand"],
)
def test_not_junk(text: str) -> None:
    assert not is_junk(text)


def test_dependent_sentences() -> None:
    pointing = ("It is cold", "This opens the valve", "Use them both", "The default is 5 mm")
    assert [stands_alone(text) for text in (*pointing, "The pump is cold")] == [False, False, False, False, True]


def test_prose_leaves_out_code_tables_and_labels() -> None:
    text = (
        "1. Stop the pump.\n| Item | Value |\n```\nmake flash\n```\nNOTE: The fan (left) runs.\n- [It](x.md) `stops`."
    )
    assert prose_sentences(text) == ["Stop the pump.", "The fan runs.", "It stops."]
    assert prose_sentences("Check the oil level.") == ["Check the oil level."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("step 1 step 2: Stop the pump.", "Stop the pump."),
        ("See [the guide](https://a.org/Pump_(left)) ![x](y(z).png)now.", "See the guide now."),
        (
            'Use the "left" G1/2" valve, the 3/4" one and the "M8".',
            'Use the left G1/2" valve, the 3/4" one and the M8.',
        ),
        ("Stop the pump  (left)  [2] , then wait.", "Stop the pump, then wait."),
        ("Stop the pump. - 12 -", "Stop the pump."),
        ("Warning  :  Stop the pump.", "Stop the pump."),
    ],
)
def test_prose_is_without_marks(text: str, expected: str) -> None:
    assert prose_sentences(text) == [expected]


def test_what_runs_on_for_pages_is_no_sentence() -> None:
    assert len(prose_sentences(f"Stop {'the left pump and ' * 100}wait.")) == 1
    assert prose_sentences(f"Stop {'the left pump and ' * 120}wait. Stop the pump.") == ["Stop the pump."]


@pytest.mark.parametrize(
    ("text", "junk"),
    [
        ("edit printer.conf first", True),
        ("the Left Front Wheel Hub Nut", True),
        ("the Left Front Wheel nut", False),
        ("see table (2) of the book", True),
        ("look at fig. 3 of it", True),
        ("drain the tank of the pump", False),
    ],
)
def test_junk_by_what_stands_beside_it(text: str, junk: bool) -> None:
    assert is_junk(text) == junk


def test_salient_sentences_spans_and_keyphrases() -> None:
    statistics = statistics_of(CORPUS.values())
    prose = prose_of(MAST)
    assert (
        salient_sentences(prose, statistics)[0]
        == "the triplex mast lifts the carriage with two leaf chains and three cylinders"
    )
    assert not any("Figure" in text for text in (*salient_sentences(prose, statistics), *spans(prose, statistics)))
    assert "What causes a loud whine?" in spans(prose, statistics)
    assert {"triplex mast", "mast rollers"} & set(keyphrases(prose, statistics))


def test_names_of_menus_are_no_keyphrase() -> None:
    menus = Passage("menus", "Picture", "Set the component Standard Custom. Use the wall mount kit.")
    found = keyphrases(prose_of(menus), statistics_of([menus]))
    assert "wall mount kit" in found
    assert not any("Standard Custom" in text for text in found)


def test_fits_counts_the_passages_with_all_words() -> None:
    statistics = statistics_of(CORPUS.values())
    assert [statistics.fits(text) for text in ("the bearings", "bleed screw", "bearing of the mast", "hour")] == [
        1,
        1,
        0,
        2,
    ]


def test_labelled_leaks_name_both_places() -> None:
    train = {"train.tsv line 3": "bleeding service brakes", "train.tsv line 4": "fan noise"}
    assert labelled_leaks(train, {"test question q1": "How to bleed the service brake?"}) == [
        ("train.tsv line 3", "test question q1")
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=40), st.text(max_size=160)), min_size=1, max_size=5))
def test_any_corpus_gives_valid_queries(rows: list[tuple[str, str]]) -> None:
    corpus = {f"p{n}": Passage(f"p{n}", title, text) for n, (title, text) in enumerate(rows)}
    found = synthesize(corpus, params(), {})
    assert [query.id for query in found.queries] == list(found.qrels["train"])
    assert all(query.text.strip() and not is_junk(query.text) for query in found.queries)
    assert all(set(grades) <= set(corpus) and 1 <= len(grades) <= 5 for grades in found.qrels["train"].values())
