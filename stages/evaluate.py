"""Rank test and dev questions with every arm: BM25; base and tuned, by one vector a text, by one a token (late), fused
with BM25; further seeds; others' models.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/ (dev), models/base/, models/tuned/<corpus>/,
models/seeds/<corpus>/<seed>/ and the models that `evaluate.baselines` names (from the hub or a server this is the
network; a server's vectors are kept in models/endpoint_cache/). Writes data/evaluate/<corpus>/per_query.jsonl (test)
and dev.jsonl (what a model is chosen by), a row for each arm and question: its metrics, the first ten passages found,
the ranks of relevant ones within `evaluate.depth` (so that recall at any k can be computed later), and how many
passages are relevant; late_hybrid.json, the weights of that arm: chosen by dev questions that people asked, else
fixed ones; and skipped.json, why a baseline has no rows. Search is exact.

    python -m stages.evaluate manuals
"""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain_embeddings import late, metrics
from domain_embeddings.dataset import (
    DataError,
    Qrels,
    Query,
    Run,
    read_dataset,
    read_qrels,
    read_queries,
    write_json,
    write_jsonl,
)
from domain_embeddings.encoder import encode, load
from domain_embeddings.lexical import BM25
from domain_embeddings.optional import why
from domain_embeddings.params.evaluate import SEED_ARM, Baseline, Endpoint, EvaluateParams, Folder, Hub
from domain_embeddings.ranking import Scores, fuse, fuse_scores, rank
from stages.start import run_stage
from stages.workspace import (
    BASE_MODEL,
    asks_synthetic,
    corpus_argument,
    max_seq_length,
    section,
    seed_models,
    stage_folder,
    tuned_model,
)

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

ENDPOINT_CACHE = Path("models/endpoint_cache")
FUSED = ("base", "tuned")
TEST, DEV = "test ", "dev "
"""Before the ids of questions: both splits are ranked at once, and a dev question may be called as a test one."""

LATE_HYBRID = ("late_tuned", "tuned", "bm25")
"""The arms that `late_hybrid` fuses."""
UNCHOSEN = (0.6, 0.2, 0.2)
"""Their weights where people asked no dev question: of five collections' dev questions by people no weights were better
on average by more than 0.002. Questions made of a passage's own words choose too much BM25."""
FIFTHS = 5
"""Weights are tried in steps of a fifth; they sum to 1."""


class Encoded(NamedTuple):
    """What an arm's model makes of passages and questions."""

    passages: Scores
    """Unit vectors (passages, dimensions)."""
    queries: Scores
    """Unit vectors (questions, dimensions)."""
    late: Scores | None = None
    """Late interaction's scores (questions, passages), of the arms in FUSED."""


class UnavailableError(RuntimeError):
    """A hub or server that does not answer, or not as it should; the message says why."""


Encoder = Callable[[Sequence[str], Sequence[str]], Encoded]
"""Passages and questions → what is made of them. What it loads for this is free again when it returns."""


def own(folder: Path, length: int) -> Encoder:
    """A model tuned here with a further seed."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        model = load(folder, length)
        return Encoded(encode(model, passages, progress=True), encode(model, queries))

    return vectors


def with_late(folder: Path, length: int) -> Encoder:
    """The base model or the tuned one, which rank by late interaction too."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        found = late.score(load(folder, length), passages, queries)
        return Encoded(found.passages, found.questions, found.late)

    return vectors


def local(arm: str, baseline: Hub | Folder) -> Encoder:
    """A sentence-transformers model of somebody else, with its own length limit and prompts."""
    if isinstance(baseline, Folder) and not Path(baseline.path).is_dir():
        raise DataError(baseline.path, "no such folder", remedy=f"see evaluate.baselines.{arm}.path in params.yaml")

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        from sentence_transformers import SentenceTransformer  # only here: its import is slow

        if isinstance(baseline, Hub):
            model = from_hub(baseline)
        else:
            model = SentenceTransformer(baseline.path, local_files_only=True, trust_remote_code=False)
        found = model.encode_document(
            list(passages), prompt=baseline.passage_prefix, normalize_embeddings=True, show_progress_bar=True
        )
        wanted = model.encode_query(list(queries), prompt=baseline.query_prefix, normalize_embeddings=True)
        return Encoded(np.asarray(found, dtype=np.float32), np.asarray(wanted, dtype=np.float32))

    return vectors


def from_hub(baseline: Hub) -> "SentenceTransformer":
    """A model of the hub; an UnavailableError where the hub does not answer or does not have it."""
    from sentence_transformers import SentenceTransformer  # only here: its import is slow

    try:
        return SentenceTransformer(baseline.model, revision=baseline.revision, trust_remote_code=False)
    except OSError as error:
        raise UnavailableError(f"{baseline.model}: {why(error)}") from error


def served(baseline: Endpoint) -> Encoder:
    """A model behind an OpenAI-compatible server."""
    from domain_embeddings.endpoint import EndpointEncoder, EndpointError  # only here: other models need no client

    encoder = EndpointEncoder(baseline, ENDPOINT_CACHE)

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        try:
            found = encoder.encode([baseline.passage_prefix + text for text in passages], progress=True)
            return Encoded(found, encoder.encode([baseline.query_prefix + text for text in queries]))
        except EndpointError as error:
            raise UnavailableError(why(error)) from error

    return vectors


def encoders(corpus: str, baselines: Mapping[str, Baseline], length: int) -> dict[str, Encoder]:
    """Every dense arm.

    Those of others come first. A folder that is not there or a key that is not set ends the stage before anything is
    encoded; a hub or server that does not answer leaves its arm out.
    """
    seeds = sorted((int(folder.name), folder) for folder in seed_models(corpus).glob("*/"))
    return {
        **{
            arm: served(baseline) if isinstance(baseline, Endpoint) else local(arm, baseline)
            for arm, baseline in sorted(baselines.items())
        },
        "base": with_late(BASE_MODEL, length),
        "tuned": with_late(tuned_model(corpus), length),
        **{f"{SEED_ARM}{seed}": own(folder, length) for seed, folder in seeds},
    }


def rankings(
    passages: dict[str, str], queries: dict[str, Query], encoders: Mapping[str, Encoder], params: EvaluateParams
) -> tuple[dict[str, Run], dict[str, str]]:
    """Every arm's run but `late_hybrid`, and why an arm that is unavailable has none.

    The arms are bm25; base and tuned, then fused with it, then late; the other dense arms.
    """
    texts, asked = list(passages.values()), [query.text for query in queries.values()]

    def ranked(score_rows: Callable[[slice], Scores]) -> Run:
        return rank(list(queries), list(passages), score_rows, params.depth)

    bm25 = BM25(texts)
    lexical = ranked(lambda rows: bm25.scores(asked[rows]))
    dense: dict[str, Run] = {}
    late_runs: dict[str, Run] = {}
    skipped: dict[str, str] = {}
    for arm, encoder in encoders.items():
        try:
            found = encoder(texts, asked)
        except UnavailableError as error:
            skipped[arm] = str(error)
            continue
        finally:
            gc.collect()  # a model refers to itself: without this it would lie beside the next one
        dense[arm] = ranked(_similarity(found))
        if found.late is not None:
            late_runs[f"late_{arm}"] = ranked(found.late.__getitem__)
    first = {arm: dense.pop(arm) for arm in FUSED if arm in dense}
    hybrid = {f"hybrid_{arm}": fuse([run, lexical], params.rrf_k, params.depth) for arm, run in first.items()}
    return {"bm25": lexical, **first, **hybrid, **late_runs, **dense}, skipped


def _similarity(found: Encoded) -> Callable[[slice], Scores]:
    return lambda rows: found.queries[rows] @ found.passages.T


def chosen_weights(runs: Mapping[str, Run], qrels: Qrels, depth: int) -> dict[str, float]:
    """Weight of each arm of LATE_HYBRID: those with the best nDCG@10 on the dev questions.

    Of equals, those with the most late interaction. Without dev questions that is late_tuned alone.
    """
    fused = [runs[arm] for arm in LATE_HYBRID]

    def gain(weights: Sequence[float]) -> float:
        found = fuse_scores(fused, weights, depth)
        return round(sum(metrics.ndcg(list(found[i]), grades, 10) for i, grades in qrels.items()), 9)

    parts = product(range(FIFTHS + 1), repeat=len(LATE_HYBRID))
    grid = [[part / FIFTHS for part in row] for row in sorted(parts, reverse=True) if sum(row) == FIFTHS]
    best: Sequence[float] = max(grid, key=gain)
    return dict(zip(LATE_HYBRID, best, strict=True))


def of_split(runs: dict[str, Run], split: str) -> dict[str, Run]:
    """Every arm's rankings of one split's questions, under the questions' own ids."""
    return {
        arm: {key.removeprefix(split): found for key, found in run.items() if key.startswith(split)}
        for arm, run in runs.items()
    }


def rows(runs: dict[str, Run], qrels: Qrels) -> Iterator[dict[str, Any]]:
    """A row for each arm and question."""
    for arm, run in runs.items():
        for query_id, ranking in run.items():
            found, relevant = list(ranking), {passage for passage, grade in qrels[query_id].items() if grade > 0}
            yield {
                "arm": arm,
                "query_id": query_id,
                **metrics.score(found, qrels[query_id]),
                "found": found[:10],
                "ranks": [position for position, passage in enumerate(found, start=1) if passage in relevant],
                "relevant": len(relevant),
            }


def main() -> None:
    """Rank, score, write."""
    name = corpus_argument()
    params = section("evaluate", EvaluateParams)
    dataset = read_dataset(stage_folder("ingest", name))
    test = dataset.judged("test")
    if not test:
        raise DataError(
            stage_folder("ingest", name),
            "no test question with a relevant passage",
            remedy="add some, or nothing can be proved",
        )
    synthesized = stage_folder("synthesize", name)
    made = read_queries(synthesized / "queries.jsonl")
    dev_qrels = read_qrels(synthesized / "qrels" / "dev.tsv", made, dataset.corpus)
    queries = {TEST + i: query for i, query in test.items()} | {DEV + i: made[i] for i in dev_qrels}
    passages = {passage.id: passage.content for passage in dataset.corpus.values()}
    runs, skipped = rankings(passages, queries, encoders(name, params.baselines, max_seq_length()), params)
    for arm, reason in skipped.items():
        print(f"{name}: baseline {arm} is not compared: {reason}")
    weights = dict(zip(LATE_HYBRID, UNCHOSEN, strict=True))
    if not asks_synthetic(name):
        weights = chosen_weights(of_split(runs, DEV), dev_qrels, params.depth)
    runs["late_hybrid"] = fuse_scores([runs[arm] for arm in weights], list(weights.values()), params.depth)
    folder = stage_folder("evaluate", name)
    write_json(folder / "late_hybrid.json", weights)
    write_json(folder / "skipped.json", skipped)
    write_jsonl(folder / "per_query.jsonl", rows(of_split(runs, TEST), dataset.qrels["test"]))
    write_jsonl(folder / "dev.jsonl", rows(of_split(runs, DEV), dev_qrels))


if __name__ == "__main__":
    run_stage(main)
