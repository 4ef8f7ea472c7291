"""The guard stage: questions of other fields, ranked by base and tuned."""

from pathlib import Path

import pytest

from domain_embeddings.core.beir_files import read_jsonl, write_dataset
from domain_embeddings.core.dataset import Dataset, Passage, Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.dev_set import per_query
from domain_embeddings.encoding.encoder import Model
from domain_embeddings.params.guard import GuardParams
from scripts.dependencies import ROOT
from stages.guard import ranked, read_dev
from tests.knobs import knobs
from tests.stages.conftest import Pipeline

CORPUS = {f"p{i}": Passage(f"p{i}", "list", f"item{i} of the list") for i in range(60)}
QUERIES = {f"q{i}": Query(f"q{i}", f"where is item{i}") for i in range(20)}


def test_the_rows_are_those_of_each_models_own_ranking(tmp_path: Path, base: Model) -> None:
    write_dataset(tmp_path, Dataset(CORPUS, QUERIES, {"dev": {i: {f"p{i[1:]}": 1} for i in QUERIES}}))
    dev = read_dev(tmp_path)

    rows = list(ranked("other", dev, {"base": base, "tuned": base}))

    assert dev.passages["p3"] == "list item3 of the list"
    expected = {f"other/{query_id}": row["ndcg@10"] for query_id, row in per_query(base, dev).items()}
    for arm in ("base", "tuned"):
        assert {row["query_id"]: row["ndcg@10"] for row in rows if row["arm"] == arm} == expected
    assert {row["corpus"] for row in rows} == {"other"}


def test_questions_and_their_groups_bear_the_collections_name(tmp_path: Path, base: Model) -> None:
    """All collections are looked at together, and two may call a question alike."""
    write_dataset(tmp_path, Dataset(CORPUS, QUERIES, {"dev": {i: {f"p{int(i[1:]) // 2}": 1} for i in QUERIES}}))

    rows = list(ranked("other", read_dev(tmp_path), {"base": base}))

    groups = {row["query_id"]: row["group"] for row in rows}
    assert groups == {f"other/q{i}": f"other/q{i - i % 2}" for i in range(20)}


def test_a_collection_without_dev_questions_is_named(tmp_path: Path) -> None:
    write_dataset(tmp_path, Dataset(CORPUS, QUERIES, {"test": {i: {f"p{i[1:]}": 1} for i in QUERIES}}))

    with pytest.raises(DataError, match=r"qrels/dev\.tsv: no dev question with a relevant passage"):
        read_dev(tmp_path)


def test_the_collections_of_this_repository_can_be_asked() -> None:
    folders = sorted((ROOT / knobs("guard", GuardParams).path).glob("*/"))

    assert [folder.name for folder in folders] == ["encyclopedia", "manuals", "memories"]
    assert all(len(read_dev(folder).queries) >= 50 for folder in folders)


def test_every_collection_was_asked_of_both_models(pipeline: Pipeline) -> None:
    rows = [row for _, row in read_jsonl(pipeline.root / "data/guard/tiny/per_query.jsonl")]

    assert {(row["corpus"], row["arm"]) for row in rows} == {("pumps", "base"), ("pumps", "tuned")}
