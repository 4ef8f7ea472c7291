"""Listed names and synonyms: which passages get which, in what order, what is counted, and every error."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Dataset, Ingested, Passage, Query, Reject
from domain_embeddings.core.errors import DataError
from domain_embeddings.ingest.alias_lists import MOST_NAMES, with_listed_names
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.synthesis.entity_queries import alias_queries
from domain_embeddings.systems.system import aliases_of, family
from stages.ingest import ADAPTERS, main
from tests.knobs import all_params, knobs
from tests.synthesis.test_entity_queries import CORPUS

TRUCK = """# HT-25 Manual

## Service Brake

Open the bleed nipple half a turn and let the DOT 4 run until no bubble is left in the hose of the motor.

## Mast

Grease the four kingpin nipples every 250 hours, and the chain of the mast with them on the same day.
"""


def _folder(folder: Path, aliases: Any = None, synonyms: str | bytes | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if aliases is not None:
        written = aliases if isinstance(aliases, str) else json.dumps(aliases, indent=0)
        (folder / "aliases.json").write_text(written, encoding="utf-8")
    if synonyms is not None:
        raw = synonyms.encode() if isinstance(synonyms, str) else synonyms
        (folder / "synonyms.txt").write_bytes(raw)
    return folder


def _ingested(*passages: Passage) -> Ingested:
    return Ingested(Dataset({each.id: each for each in passages}, {}, {}), [Reject("a.pdf", "empty")], {"sections": 1})


def _added(folder: Path, title: str, text: str = "", **extra: Any) -> tuple[list[str], list[str]]:
    """What a passage has of each list afterwards."""
    found = with_listed_names(folder, _ingested(Passage("p", title, text, extra=extra))).dataset.corpus["p"].extra
    return found.get("aliases", []), found.get("listed_synonyms", [])


def test_without_a_list_nothing_changes(tmp_path: Path) -> None:
    ingested = _ingested(Passage("p", "Brake", "text"))

    assert with_listed_names(tmp_path, ingested) is ingested


@pytest.mark.parametrize(
    ("title", "aliases"),
    [
        ("HT-25 Manual > Service Brake", ["foot brake", "Betriebsbremse"]),
        ("The FOOT  brake's fluid", ["Service Brake", "Betriebsbremse"]),
        ("Betriebsbremse: service brake", ["foot brake"]),
        ("Service brakes", []),
        ("Brake service", []),
        ("", []),
    ],
)
def test_a_title_with_one_of_the_names_gets_the_others(tmp_path: Path, title: str, aliases: list[str]) -> None:
    folder = _folder(tmp_path, {"Service Brake": ["foot brake", "Betriebsbremse"], "Mast": []})

    assert _added(folder, title, "a foot brake and a service brake") == (aliases, [])


@pytest.mark.parametrize(
    ("text", "synonyms"),
    [
        ("let the DOT 4 run", ["brake fluid"]),
        ("brake fluid", ["DOT 4"]),
        ("brake fluid (dot 4)", []),
        ("a DOT 40 sign", []),
        ("the motor and its engines", ["engine", "drive"]),
        ("the lorry", ["truck", "HGV"]),
        ("the truck", []),
        ("5 °C", ["degrees Celsius"]),
        ("grade C steel", []),
        ("written in C#", ["C sharp"]),
        ("red, amber and green", ["lights"]),
    ],
)
def test_where_a_term_stands_the_others_are_added(tmp_path: Path, text: str, synonyms: list[str]) -> None:
    listed = r"""
# fluids, not a rule
DOT 4 ,  brake   fluid

motor, engine, drive
lorry, wagon => truck, HGV
°C => degrees Celsius
C#, C sharp
red\, amber and green => lights
"""
    folder = _folder(tmp_path, synonyms=listed)

    assert _added(folder, "", text) == _added(folder, text) == ([], synonyms)


def test_an_escaped_arrow_is_part_of_a_term(tmp_path: Path) -> None:
    assert _added(_folder(tmp_path, synonyms=r"a \=> b, arrow"), "arrow") == ([], ["a => b"])


def test_the_sources_names_come_first_and_none_comes_twice(tmp_path: Path) -> None:
    folder = _folder(tmp_path, {"Mast": ["Hubgerüst", "TOWER", "upright"]}, "mast, Upright, tower, pole, lift frame\n")

    aliases, synonyms = _added(folder, "Mast", "the pole", aliases=["tower", "mast"], file="a.md")

    assert aliases == ["tower", "mast", "Hubgerüst", "upright"]
    assert synonyms == ["lift frame"]


def test_a_passage_gets_no_more_names_than_the_bound_and_the_rest_is_counted(tmp_path: Path) -> None:
    numbers = [f"name {number}" for number in range(MOST_NAMES)]
    folder = _folder(tmp_path, {"Mast": numbers}, "mast, tower, pole")

    ingested = with_listed_names(folder, _ingested(Passage("p", "Mast", "", extra={"aliases": ["own"]})))

    assert ingested.dataset.corpus["p"].extra == {"aliases": ["own", *numbers[:-1]]}
    assert (ingested.counts["aliases.cut"], ingested.counts["synonyms.cut"]) == (1, 2)
    assert (ingested.counts["aliases.passages"], ingested.counts["synonyms.passages"]) == (1, 0)


def test_what_the_source_says_is_never_cut(tmp_path: Path) -> None:
    own = [f"name {number}" for number in range(MOST_NAMES + 3)]

    assert _added(_folder(tmp_path, {"Mast": ["tower"]}), "Mast", aliases=own) == (own, [])


def test_counts_and_what_no_passage_holds(tmp_path: Path) -> None:
    aliases = {"Mast": ["tower"], "Cab": ["cabin"], "Winch": ["a", "b", "c", "d", "e"]}
    folder = _folder(tmp_path, aliases, "motor, engine\n\nkeel, hull => ship\nship, pole\nmotor, Mast\n")

    ingested = with_listed_names(folder, _ingested(Passage("1", "Mast", "its motor"), Passage("2", "", "a motor")))

    assert ingested.counts == {
        "aliases.cut": 0, "aliases.entries": 3, "aliases.passages": 1, "aliases.without_passage": 2, "sections": 1,
        "synonyms.cut": 0, "synonyms.passages": 2, "synonyms.rules": 4, "synonyms.without_passage": 2,
    }  # fmt: skip
    assert ingested.rejects == [
        Reject("a.pdf", "empty"),
        Reject("aliases.json:5", "no title of a passage holds 'Cab' or 'cabin'"),
        Reject("aliases.json:8", "no title of a passage holds 'Winch' or 'a' or 'b' or 'c' or 'd' or …"),
        Reject("synonyms.txt:3", "no passage holds 'keel' or 'hull'"),
        Reject("synonyms.txt:4", "no passage holds 'ship' or 'pole'"),
    ]


def test_a_byte_order_mark_other_line_ends_and_a_key_that_stands_twice(tmp_path: Path) -> None:
    folder = _folder(
        tmp_path, '\ufeff{"Mast":["tower"],"Mast" : [\r\n"pole"]}', "\ufeff# x\r\nmast,rig\rmast,frame\r\n"
    )

    assert _added(folder, "Mast") == (["tower", "pole"], ["rig", "frame"])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('{"a": ["b"],\n"c": [}', r"aliases\.json:2: not valid JSON: .* \(aliases\.json is \{\"canonical name\""),
        ('["a"]', r"aliases\.json:1: expected a JSON object, found list \(aliases"),
        ('{"a": ["b"],\n\n "c": "d"}', r"aliases\.json:3: the aliases of 'c' must be a list of strings, found 'd'"),
        ('{"a": ["b", 7]}', r"aliases\.json:1: the aliases of 'a' must be a list of strings, found \"\['b', 7\]\""),
        ('{\n"a": ["b", " "]}', r"aliases\.json:2: an empty name \(aliases"),
        ('{"": ["b"]}', r"aliases\.json:1: an empty name"),
        ('{"a": ["?!"]}', r"aliases\.json:1: '\?!' has no letter or digit"),
        (r'{"a": ["\ud800b"]}', r"aliases\.json:1: half a surrogate pair .* \(remove it"),
    ],
)
def test_a_wrong_alias_list_is_an_error_with_its_line(tmp_path: Path, written: str, said: str) -> None:
    with pytest.raises(DataError, match=said):
        with_listed_names(_folder(tmp_path, written), _ingested())


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("a, b\nmotor\n", r"synonyms\.txt:2: only one term in a line \(a line is 'a, b, c' or 'a, b => c, d'"),
        ("motor, MOTOR", r"synonyms\.txt:1: only one term in a line"),
        ("# x\n\na => b => c", r"synonyms\.txt:3: more than one '=>' in a line"),
        ("a, b,", r"synonyms\.txt:1: an empty name"),
        ("a =>", r"synonyms\.txt:1: an empty name"),
        ("a, -- => b", r"synonyms\.txt:1: '--' has no letter or digit"),
        (b"a, b\nm\xfcller, miller", r"synonyms\.txt:2: not valid UTF-8: invalid start byte \(a line is"),
        ("a, b".encode("utf-16"), r"synonyms\.txt:1: not valid UTF-8"),
    ],
)
def test_a_wrong_line_of_synonyms_is_an_error_with_its_line(tmp_path: Path, written: str | bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        with_listed_names(_folder(tmp_path, synonyms=written), _ingested())


def test_the_stage_gives_manuals_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = _folder(tmp_path / "mine", {"Service Brake": ["foot brake"]}, "DOT 4, brake fluid\nkeel, hull\n")
    (folder / "forklift").mkdir()
    (folder / "forklift/ht25.md").write_text(TRUCK)
    (folder / "forklift/synonyms.txt").write_text("SYNONYMS\n\nA page of the manual like any other, if a short one.\n")
    params = all_params()
    params["ingest"]["min_chars"] = 20
    YAML().dump({**params, "corpora": {"tiny": {"kind": "manuals", "path": "mine"}}}, tmp_path / "params.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["ingest", "tiny"])

    main()

    corpus = read_dataset(tmp_path / "data/ingest/tiny").corpus
    report = json.loads((tmp_path / "data/ingest/tiny/report.json").read_text())
    assert {i: aliases_of(passage) for i, passage in corpus.items()} == {
        "forklift/ht25.md#1": ("foot brake", "brake fluid"), "forklift/ht25.md#2": (), "forklift/synonyms.txt#1": (),
    }  # fmt: skip
    assert report["rejects"] == [{"place": "synonyms.txt:2", "reason": "no passage holds 'keel' or 'hull'"}]
    assert (report["counts"]["files.read"], report["counts"]["synonyms.without_passage"]) == (2, 1)
    assert capsys.readouterr().out == "left out synonyms.txt:2: no passage holds 'keel' or 'hull'\n"
    named = next(each for each in family(aliases=True, params=SearchParams()) if each.aliases)
    assert "> Service Brake (foot brake, brake fluid) Open the" in named.text(corpus["forklift/ht25.md#1"])


def test_a_beir_folder_may_have_lists_and_rows_with_aliases(tmp_path: Path) -> None:
    corpus = {"1": Passage("1", "Mast", "a motor", extra={"aliases": ["tower"]}), "2": Passage("2", "", "no word")}
    write_dataset(tmp_path, Dataset(corpus, {"q": Query("q", "which mast")}, {"test": {"q": {"1": 1}}}))
    _folder(tmp_path, {"mast": ["pole"]}, "motor, engine")

    ingested = with_listed_names(tmp_path, ADAPTERS["beir"](tmp_path, knobs("ingest", IngestParams)))

    assert [aliases_of(passage) for passage in ingested.dataset.corpus.values()] == [("tower", "pole", "engine"), ()]
    assert ingested.dataset.qrels == {"test": {"q": {"1": 1}}}
    assert ingested.counts["passages"] == 2
    again = tmp_path / "again"
    write_dataset(again, ingested.dataset)
    assert read_dataset(again).corpus == ingested.dataset.corpus


@pytest.mark.parametrize("kind", ["memories", "encyclopedia"])
def test_no_adapter_reads_the_lists_as_documents(tmp_path: Path, kind: str) -> None:
    if kind == "memories":
        queries = [{"query": f"{word} jam", "category": "q"} for word in ("when did the", "why does a", "stop every")]
        case = {
            "memory_id": 1,
            "content": "The motor of the press jams.",
            "category": "A",
            "generated_queries": queries,
        }
        others = [
            {"memory_id": n, "content": text, "category": "A", "generated_queries": [{"query": text.split()[-1]}]}
            for n, text in enumerate(("Marit sails on Friday", "Dunlin is the cellar", "ZPL at 203 dpi"), start=2)
        ]
        (tmp_path / "suite.json").write_text(json.dumps({"test_cases": [case, *others]}))
    else:
        (tmp_path / "indexes").mkdir()
        (tmp_path / "chunks").mkdir()
        entry = {"press": {"name": "press", "filename": "press.txt", "aliases": ["the squeezer"]}}
        (tmp_path / "indexes/device_index.json").write_text(json.dumps(entry))
        (tmp_path / "chunks/device.jsonl").write_text(json.dumps({"filename": "press.txt", "text": "Its motor jams."}))
    params = knobs("ingest", IngestParams)
    before = ADAPTERS[kind](tmp_path, params)

    _folder(tmp_path, {"press": ["presser"]}, "motor, engine")
    read = ADAPTERS[kind](tmp_path, params)
    named = with_listed_names(tmp_path, read)

    assert read == before
    passage = next(passage for passage in named.dataset.corpus.values() if "motor" in passage.text)
    assert aliases_of(passage) == (("engine",) if kind == "memories" else ("the squeezer", "presser", "engine"))


def test_a_synonym_is_no_name_of_the_entity_whose_article_holds_it(tmp_path: Path) -> None:
    ingested = with_listed_names(_folder(tmp_path, synonyms="teeth, prongs\nrope, line\n"), _ingested(*CORPUS.values()))

    assert aliases_of(ingested.dataset.corpus["comb-1"]) == ("the grey nun", "prongs")
    params = knobs("synthesize", SynthesizeParams)
    assert alias_queries(ingested.dataset.corpus, params, {}) == alias_queries(CORPUS, params, {})
