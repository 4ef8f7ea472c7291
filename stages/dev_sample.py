"""Some of a corpus's dev questions, for the stages that compare models on them."""

import random

from domain_embeddings.dataset import read_corpus, read_qrels, read_queries
from domain_embeddings.dev import Dev
from domain_embeddings.params.sample import SampleParams
from stages.workspace import stage_folder


def sample(corpus: str, params: SampleParams) -> Dev:
    """Some dev questions of a corpus, and passages to rank for them."""
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    synthesized = stage_folder("synthesize", corpus)
    queries = read_queries(synthesized / "queries.jsonl")
    qrels = read_qrels(synthesized / "qrels" / "dev.tsv", queries, passages)
    chosen = random.Random(params.seed).sample(sorted(qrels), min(params.questions, len(qrels)))
    asked = {query_id: queries[query_id] for query_id in sorted(chosen)}
    return Dev.sample(passages, asked, {i: qrels[i] for i in asked}, params.passages, params.seed, params.lookalikes)
