"""Vectors from an OpenAI-compatible `/v1/embeddings`, so that a model which is only served can be compared too.

OpenAI, Ollama, LM Studio and vLLM speak it. Every vector is kept in an SQLite file as soon as it comes, under url,
model and text: a rerun asks nothing twice, and a killed run goes on where it was. (SQLite and plain bytes: a cache that
unpickles would run what somebody put there.)
"""

import hashlib
import json
import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import openai
from pydantic import BaseModel, ValidationError
from tqdm import tqdm

from domain_embeddings.core.errors import UserError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.params.evaluate import Endpoint


class EndpointError(UserError):
    """A server that cannot be used. The message names url and model, what is wrong and the remedy."""

    def __init__(self, params: Endpoint, problem: str, remedy: str) -> None:
        """`url (model): problem (remedy)`."""
        super().__init__(f"{params.url} ({params.model}): {problem} ({remedy})")


class _Item(BaseModel):
    index: int
    embedding: list[float | None]  # JSON has no NaN: some servers write null


class _Answer(BaseModel):
    data: list[_Item]


class EndpointEncoder:
    """One model of one server."""

    def __init__(self, params: Endpoint, cache: Path) -> None:
        """Reads the key and asks nothing yet; `cache` is a folder. EndpointError when the named variable is unset."""
        self._params = params
        self._file = cache / "vectors.sqlite"
        self._client = openai.OpenAI(
            api_key=_key(params), base_url=params.url, timeout=params.timeout_s, max_retries=params.retries
        )

    def encode(self, texts: Sequence[str], progress: bool = False) -> Scores:
        """One text or more → float32 (n, dimensions), each row of length 1; equal texts are asked for once.

        EndpointError when the server cannot be reached, refuses, or answers with anything but one finite vector of the
        expected dimension for each text.
        """
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file)) as cache:
            cache.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB) WITHOUT ROWID")
            found = {text: self._look_up(cache, text) for text in texts}
            missing = [text for text, vector in found.items() if vector is None]
            with tqdm(total=len(missing), desc=self._params.model, unit="text", disable=not progress) as bar:
                for start in range(0, len(missing), self._params.batch_size):
                    batch = missing[start : start + self._params.batch_size]
                    fresh = dict(zip(batch, self._ask(batch), strict=True))
                    self._keep(cache, fresh)
                    found.update(fresh)
                    bar.update(len(batch))
        return self._unit_rows([vector for text in texts if (vector := found[text]) is not None])

    def _cache_key(self, text: str) -> bytes:
        return hashlib.sha256(json.dumps([self._params.url, self._params.model, text]).encode()).digest()

    def _look_up(self, cache: sqlite3.Connection, text: str) -> Scores | None:
        row = cache.execute("SELECT vector FROM vectors WHERE key = ?", (self._cache_key(text),)).fetchone()
        return None if row is None else np.frombuffer(row[0], dtype="<f4")

    def _keep(self, cache: sqlite3.Connection, fresh: dict[str, Scores]) -> None:
        rows = [(self._cache_key(text), vector.astype("<f4").tobytes()) for text, vector in fresh.items()]
        with cache:
            cache.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def _ask(self, batch: list[str]) -> list[Scores]:
        """The vectors of a batch, in its order whatever the answer's."""
        params = self._params
        try:
            raw = self._client.embeddings.with_raw_response.create(
                model=params.model, input=batch, encoding_format="float"
            )
            items = sorted(_Answer.model_validate_json(raw.content).data, key=lambda item: item.index)
        except openai.OpenAIError as error:
            raise EndpointError(params, *_explain(error, params)) from error
        except ValidationError as error:
            raise EndpointError(params, "the answer is no list of embeddings", "`url` must end in /v1") from error
        if [item.index for item in items] != list(range(len(batch))):
            raise EndpointError(
                params, f"{len(items)} vectors for {len(batch)} texts, or not one for each", "try batch_size: 1"
            )
        vectors = [np.array(item.embedding, dtype=np.float32) for item in items]
        for text, vector in zip(batch, vectors, strict=True):
            self._check(text, vector)
        return vectors

    def _check(self, text: str, vector: Scores) -> None:
        expected = self._params.dimension
        if expected is not None and len(vector) != expected:
            raise EndpointError(
                self._params, f"vectors of {len(vector)} dimensions, expected {expected}", "see model and dimension"
            )
        if not np.isfinite(vector).all() or not vector.any():
            raise EndpointError(
                self._params,
                f"values that are not finite, or nothing but zeros, for the text {text[:80]!r}",
                "the server's model cannot encode it: try another build or precision of the model",
            )

    def _unit_rows(self, vectors: list[Scores]) -> Scores:
        dimensions = sorted({len(vector) for vector in vectors} | {self._params.dimension or len(vectors[0])})
        if len(dimensions) > 1:
            raise EndpointError(
                self._params,
                f"vectors of {' and '.join(map(str, dimensions))} dimensions",
                f"is it another model under the old name? Then remove {self._file}",
            )
        rows = np.stack(vectors).astype(np.float64)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return rows.astype(np.float32)


def _key(params: Endpoint) -> str:
    """The key; the client wants one even for a server that asks for none."""
    if params.key_env is None:
        return "none"
    key = os.environ.get(params.key_env, "").strip()
    if not key:
        raise EndpointError(
            params, f"the environment variable {params.key_env} is not set", f"export {params.key_env}=…"
        )
    return key


def _explain(error: openai.OpenAIError, params: Endpoint) -> tuple[str, str]:
    """What went wrong, and the remedy."""
    match error:
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            where = f"the key in {params.key_env}" if params.key_env else "a request without a key"
            return f"{where} was refused ({error.status_code})", "see key_env, and what the key may be used for"
        case openai.NotFoundError():
            return f"no such model or address (404: {error.message})", "see model, and url: it must end in /v1"
        case openai.RateLimitError():
            return f"still too busy after {params.retries} retries (429: {error.message})", "later; what came is kept"
        case openai.APIStatusError():
            return f"answered {error.status_code}: {error.message}", "see the server's log; what came is kept"
        case openai.APITimeoutError():
            return f"no answer within {params.timeout_s:g} s", "raise timeout_s or lower batch_size; what came is kept"
        case _:
            return f"cannot be reached: {error.__cause__ or error}", "start the server (`ollama serve`) or correct url"
