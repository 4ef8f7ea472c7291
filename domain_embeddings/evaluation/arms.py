"""The arms of the evaluation: the models that are compared, and the rankings that each makes."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain_embeddings.core import metrics
from domain_embeddings.core.dataset import Qrels, Query, Run
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.lexical import BM25
from domain_embeddings.core.optional import why
from domain_embeddings.core.ranking import Scores, fuse, fuse_scores, rank
from domain_embeddings.encoding import late
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.params.evaluate import SEED_ARM, Baseline, Endpoint, Folder, Hub

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


FUSED = ("base", "tuned")
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


def served(baseline: Endpoint, cache: Path) -> Encoder:
    """A model behind an OpenAI-compatible server."""
    from domain_embeddings.encoding.endpoint import (  # only here: other models need no client
        EndpointEncoder,
        EndpointError,
    )

    encoder = EndpointEncoder(baseline, cache)

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        try:
            found = encoder.encode([baseline.passage_prefix + text for text in passages], progress=True)
            return Encoded(found, encoder.encode([baseline.query_prefix + text for text in queries]))
        except EndpointError as error:
            raise UnavailableError(why(error)) from error

    return vectors


def encoders(
    base: Path, tuned: Path, seeds: Path, length: int, baselines: Mapping[str, Baseline], cache: Path
) -> dict[str, Encoder]:
    """Every dense arm: the base model and the tuned one, a model for each folder in `seeds`, and those of others.

    Those of others come first. A folder that is not there or a key that is not set ends the stage before anything is
    encoded; a hub or server that does not answer leaves its arm out.
    """
    further = sorted((int(folder.name), folder) for folder in seeds.glob("*/"))
    return {
        **{
            arm: served(baseline, cache) if isinstance(baseline, Endpoint) else local(arm, baseline)
            for arm, baseline in sorted(baselines.items())
        },
        "base": with_late(base, length),
        "tuned": with_late(tuned, length),
        **{f"{SEED_ARM}{seed}": own(folder, length) for seed, folder in further},
    }


def rankings(
    passages: dict[str, str], queries: dict[str, Query], encoders: Mapping[str, Encoder], depth: int, rrf_k: int
) -> tuple[dict[str, Run], dict[str, str]]:
    """Every arm's run of the first `depth` passages but `late_hybrid`'s, and why an arm that is unavailable has none.

    The arms are bm25; base and tuned, then fused with it, then late; the other dense arms.
    """
    texts, asked = list(passages.values()), [query.text for query in queries.values()]

    def ranked(score_rows: Callable[[slice], Scores]) -> Run:
        return rank(list(queries), list(passages), score_rows, depth)

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
    hybrid = {f"hybrid_{arm}": fuse([run, lexical], rrf_k, depth) for arm, run in first.items()}
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
