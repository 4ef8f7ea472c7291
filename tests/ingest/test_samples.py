"""The samples say who wrote their questions."""

from pathlib import Path

import pytest

from domain_embeddings.core.beir_files import read_queries
from domain_embeddings.core.dataset import asked_by
from domain_embeddings.params.ingest import IngestParams
from stages.ingest import ADAPTERS
from tests.knobs import knobs

RAW = Path(__file__).parents[2] / "data/raw"


@pytest.mark.parametrize("corpus", [pytest.param("manuals", marks=pytest.mark.slow), "memories", "encyclopedia"])
def test_a_language_model_wrote_the_questions_of_the_samples_and_of_the_guard(corpus: str) -> None:
    queries = ADAPTERS[corpus](RAW / corpus, knobs("ingest", IngestParams)).dataset.queries
    guard = read_queries(RAW / "guard" / corpus / "queries.jsonl")

    assert asked_by(queries.values()) == asked_by(guard.values()) == "a language model"
    assert {i: queries[i] for i in guard} == guard
