"""The guard of the synthesize stage: a test question or memory planted into the training material stops it."""

import shutil
from pathlib import Path

import pytest

from domain_embeddings.core.beir_files import read_dataset, read_qrels, read_queries, write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Qrels, Query
from domain_embeddings.core.errors import DataError
from scripts.dependencies import ROOT
from stages.synthesize import held_out_questions, labelled, main

TESTED = "Dunlin, the backup server in the cellar, is switched off from nine to five because of its noise upstairs."
TRAINED = "The label printer in the workshop wants ZPL at 203 dpi, and PDF prints come out half size."
QUESTION = "when may restores from the cellar server start"


def _planted(folder: Path, question: str = "what does the label printer want", memory: str = TRAINED) -> Dataset:
    """A BEIR folder with one test question, and `question` about `memory` to train with, read back."""
    corpus = {"1": Passage("1", "", TESTED, extra={"held_out": True}), "2": Passage("2", "", memory)}
    qrels: dict[str, Qrels] = {"train": {"t": {"2": 1}}, "test": {"x": {"1": 1}}}
    write_dataset(folder, Dataset(corpus, {"t": Query("t", question), "x": Query("x", QUESTION)}, qrels))
    return read_dataset(folder)


@pytest.mark.parametrize(
    "question",
    [
        QUESTION,
        "When may RESTORES from the cellar server start?",
        "when may restores from the basement server start",
        "from when may the restores of the cellar server be started",
    ],
)
def test_a_test_question_among_the_training_questions_stops_the_stage(tmp_path: Path, question: str) -> None:
    dataset = _planted(tmp_path, question)

    with pytest.raises(DataError) as error:
        labelled(dataset, held_out_questions(dataset), "fail")

    assert f"train question t {question!r} ~ test question x {QUESTION!r}" in str(error.value)
    assert "set synthesize.labelled_leaks to drop" in str(error.value)


@pytest.mark.parametrize("memory", [TESTED, TESTED.upper(), TESTED.replace("switched", "turned")])
def test_a_training_question_about_a_copy_of_a_test_memory_stops_the_stage(tmp_path: Path, memory: str) -> None:
    dataset = _planted(tmp_path, memory=memory)

    with pytest.raises(DataError) as error:
        labelled(dataset, held_out_questions(dataset), "fail")

    place = f"train question t 'what does the label printer want' ~ held-out passage 1 {TESTED!r}"
    assert place in str(error.value)


def test_leaks_are_dropped_when_asked_for(tmp_path: Path) -> None:
    dataset = _planted(tmp_path, QUESTION, TESTED)

    kept, leaks = labelled(dataset, held_out_questions(dataset), "drop")

    assert kept == {}
    assert leaks == [("train question t", "test question x"), ("train question t", "held-out passage 1")]


def test_clean_training_material_passes(tmp_path: Path) -> None:
    dataset = _planted(tmp_path)

    kept, leaks = labelled(dataset, held_out_questions(dataset), "fail")

    assert list(kept) == ["t"]
    assert leaks == []


MEMORIES = {
    "3": "Marit sails on Friday afternoons, so Ines is on call from four until Saturday noon.",
    "4": "Partner keys of the order service only work from the address list, and new keys need a signed form.",
    "5": "Give the route planner ninety seconds per depot, for longer tours arrive after the loading list.",
}


@pytest.mark.parametrize("with_dev", [True, False])
def test_nothing_is_made_from_a_held_out_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, with_dev: bool
) -> None:
    dataset = _planted(tmp_path / "planted")
    corpus = {**dataset.corpus, **{i: Passage(i, "", text) for i, text in MEMORIES.items()}}
    queries = {**dataset.queries, "d": Query("d", "is the noisy machine on at noon")}
    qrels = {**dataset.qrels, **({"dev": {"d": {"1": 1}}} if with_dev else {})}
    write_dataset(tmp_path / "data/ingest/tiny", Dataset(corpus, queries, qrels))
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["synthesize", "tiny"])

    main()

    made = read_queries(tmp_path / "data/synthesize/tiny/queries.jsonl")
    paths = {split: tmp_path / f"data/synthesize/tiny/qrels/{split}.tsv" for split in ("train", "dev")}
    asked_for = {
        split: {home for grades in read_qrels(path, made, corpus).values() for home in grades}
        for split, path in paths.items()
    }
    assert asked_for["train"] >= ({"2", "3", "4", "5"} if with_dev else {"2"})
    assert "1" not in asked_for["train"]
    assert ("1" in asked_for["dev"]) == with_dev


def test_passages_without_a_sentence_and_no_dev_question_end_the_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = {str(i): Passage(str(i), "", f"E-{i}0 | {i} | {i * 7}") for i in range(1, 9)}
    dataset = Dataset(corpus, {"x": Query("x", "what is E-10")}, {"test": {"x": {"1": 1}}})
    write_dataset(tmp_path / "data/ingest/tiny", dataset)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["synthesize", "tiny"])

    with pytest.raises(DataError, match="no dev question can be made"):
        main()

    assert not (tmp_path / "data/synthesize/tiny/queries.jsonl").exists()
