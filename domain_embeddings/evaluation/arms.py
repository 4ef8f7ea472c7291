"""The arms of the evaluation: the models that are compared, and the rankings that each makes."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from domain_embeddings.core import metrics
from domain_embeddings.core.dataset import Passage, Qrels, Query, Run, own_passages
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.lexical import BM25, words
from domain_embeddings.core.optional import why
from domain_embeddings.core.ranking import Scores, rank
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Role
from domain_embeddings.evaluation.question_groups import groups_of
from domain_embeddings.params.evaluate import SEED_ARM, Baseline, Endpoint, Folder, Hub
from domain_embeddings.params.search import LateStorage
from domain_embeddings.systems.answering import ranked as answer
from domain_embeddings.systems.coverage import coverage, leaders
from domain_embeddings.systems.system import System
from domain_embeddings.systems.token_vectors import score

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer


class Encoded(NamedTuple):
    """What an arm's model makes of passages and questions."""

    passages: Scores
    """Unit vectors (passages, dimensions)."""
    queries: Scores
    """Unit vectors (questions, dimensions)."""
    late: Scores | None = None
    """Late interaction's scores (questions, passages), of the models that systems are made of."""
    stored: int = 0
    """Bytes of the passages' token vectors, as search stores them."""


class UnavailableError(RuntimeError):
    """A hub or server that does not answer, or not as it should; the message says why."""


Encoder = Callable[[Sequence[str], Sequence[str]], Encoded]
"""Passages and questions → what is made of them. What it loads for this is free again when it returns."""


def own(folder: Path) -> Encoder:
    """A model tuned here with a further seed."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        model = load(folder)
        return Encoded(encode(model, passages, Role.PASSAGE, progress=True), encode(model, queries, Role.QUERY))

    return vectors


def with_late(folder: Path, storage: LateStorage) -> Encoder:
    """The base model or the tuned one, which rank by late interaction too."""

    def vectors(passages: Sequence[str], queries: Sequence[str]) -> Encoded:
        found = score(load(folder), passages, queries, storage)
        return Encoded(found.passages, found.questions, found.late, found.stored)

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
    base: Path,
    tuned: Path,
    seeds: Path,
    storage: LateStorage,
    baselines: Mapping[str, Baseline],
    cache: Path,
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
        "base": with_late(base, storage),
        "tuned": with_late(tuned, storage),
        **{f"{SEED_ARM}{seed}": own(folder) for seed, folder in further},
    }


@dataclass
class Rankings:
    """Every arm's run, and what was learned on the way."""

    runs: dict[str, Run]
    """Systems in their order, then further seeds and models of others."""
    skipped: dict[str, str]
    """Arm that is unavailable → why."""
    stored: dict[str, int]
    """System → bytes of its vectors for a passage, on average."""


def rankings(
    corpus: Mapping[str, Passage],
    queries: Mapping[str, Query],
    encoders: Mapping[str, Encoder],
    systems: Sequence[System],
    depth: int,
) -> Rankings:
    """Rank all passages for all queries with every system whose model is among the encoders, and with every other arm.

    Dense and BM25 rankings are exact and `depth` deep; systems fuse them as search does.
    """
    asked, runs, found = [query.text for query in queries.values()], {}, Rankings({}, {}, {})
    texts = {system.aliases: [system.text(passage) for passage in corpus.values()] for system in systems}

    def ranked(score_rows: Callable[[slice], Scores]) -> Run:
        return rank(list(queries), list(corpus), score_rows, depth, own_passages(queries))

    lexical = {aliases: ranked(_lexical(indexed, asked)) for aliases, indexed in texts.items()}
    covered = {
        aliases: _coverage(queries, run, dict(zip(corpus, texts[aliases], strict=True)))
        for aliases, run in lexical.items()
    }
    for arm, encoder in encoders.items():
        own = [system for system in systems if system.model == arm]
        for aliases in {system.aliases: None for system in own} or {False: None}:
            try:
                encoded = encoder(texts[aliases], asked)
            except UnavailableError as error:
                found.skipped[arm] = str(error)
                continue
            finally:
                gc.collect()  # a model refers to itself: without this it would lie beside the next one
            dense = ranked(_similarity(encoded))
            if not own:
                runs[arm] = dense
            for system in (each for each in own if each.aliases == aliases):
                late = _late(encoded, list(queries), corpus)
                runs[system.name] = _answers(system, dense, lexical[aliases], late, covered[aliases])
                found.stored[system.name] = _bytes(system, encoded)
    order = [system.name for system in systems if system.name in runs]
    found.runs = {arm: runs[arm] for arm in [*order, *(arm for arm in runs if arm not in order)]}
    return found


def _lexical(texts: Sequence[str], asked: Sequence[str]) -> Callable[[slice], Scores]:
    bm25 = BM25(texts)
    return lambda rows: bm25.scores(asked[rows])


def _similarity(found: Encoded) -> Callable[[slice], Scores]:
    return lambda rows: found.queries[rows] @ found.passages.T


Late = Callable[[str, Sequence[str]], dict[str, float]]
"""Query and passages → late interaction's scores."""


def _late(found: Encoded, queries: Sequence[str], corpus: Mapping[str, Passage]) -> Late:
    row = {query: i for i, query in enumerate(queries)}
    column = {passage: i for i, passage in enumerate(corpus)}
    scores = found.late

    def of(query: str, passages: Sequence[str]) -> dict[str, float]:
        return {} if scores is None else {each: float(scores[row[query], column[each]]) for each in passages}

    return of


def _answers(system: System, dense: Run, lexical: Run, late: Late, covered: Mapping[str, float]) -> Run:
    return {
        query: answer(system, dense[query], lexical[query], partial(late, query), covered[query]) for query in dense
    }


def _coverage(queries: Mapping[str, Query], lexical: Run, texts: Mapping[str, str]) -> dict[str, float]:
    """Query → how much of it BM25's first passages hold; `texts` are the passages as they are indexed."""
    first = {query: leaders(found) for query, found in lexical.items()}
    looked_at = list(dict.fromkeys(passage for found in first.values() for passage in found))
    stems = dict(zip(looked_at, map(frozenset, words([texts[passage] for passage in looked_at])), strict=True))
    asked = words([query.text for query in queries.values()])
    return {
        query: coverage(own, [stems[passage] for passage in first[query]])
        for query, own in zip(queries, asked, strict=True)
    }


def _bytes(system: System, found: Encoded) -> int:
    """Of a passage's vectors: the single one where it or late interaction counts, and those of its tokens."""
    passages, dimensions = found.passages.shape
    single = 4 * dimensions if system.dense or system.late else 0
    return single + (round(found.stored / max(1, passages)) if system.late else 0)


def of_split(runs: dict[str, Run], split: str) -> dict[str, Run]:
    """Every arm's rankings of one split's questions, under the questions' own ids."""
    return {
        arm: {key.removeprefix(split): found for key, found in run.items() if key.startswith(split)}
        for arm, run in runs.items()
    }


def rows(runs: dict[str, Run], qrels: Qrels) -> Iterator[dict[str, Any]]:
    """A row for each arm and question."""
    groups = groups_of(qrels)
    for arm, run in runs.items():
        for query_id, ranking in run.items():
            found, relevant = list(ranking), {passage for passage, grade in qrels[query_id].items() if grade > 0}
            yield {
                "arm": arm,
                "query_id": query_id,
                "group": groups[query_id],
                **metrics.score(found, qrels[query_id]),
                "found": found[:10],
                "ranks": [position for position, passage in enumerate(found, start=1) if passage in relevant],
                "relevant": len(relevant),
            }
