"""Filling collections with passages: only what is new or changed is encoded, and what was stored stays stored."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

from tqdm import tqdm

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.lexical import words
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.search.index_protocol import (
    PASSAGE,
    UNKNOWN,
    Entry,
    Metadata,
    ModelIdentity,
    PassageIndex,
    passage_of,
    point_id,
    rows_of,
)
from domain_embeddings.search.late_search import payload
from domain_embeddings.search.sparse import passage_weights
from domain_embeddings.systems.system import System
from domain_embeddings.systems.token_vectors import EncodeTokens, codec_for

_GROWTH = 0.1
_DRIFT = 0.01
"""When a collection has changed in size by more than the first, its average length is measured again; when that differs
from what the sparse weights assume by more than the second, they are made anew."""


NO_TOKENS: Mapping[str, Any] = {}

Vectors = tuple[list[float], Mapping[str, Any]]
"""A text's vector, and what is stored of its token vectors."""
Make = Callable[[Sequence[str]], list[Vectors]]


@dataclass(frozen=True)
class Indexed:
    """What an indexing did: counts of passages."""

    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class Made:
    """How a model and a system make of a passage what is stored."""

    model: ModelIdentity
    system: System
    encode: Callable[[Sequence[str]], Scores]
    """Passages → their single vectors."""
    encode_tokens: EncodeTokens
    width: int
    """Numbers of a token's vector."""

    @classmethod
    def by(cls, model: VersionedEmbeddings, identity: ModelIdentity, system: System) -> "Made":
        """By a loaded model."""
        tokens = partial(model.encode_tokens, role=Role.PASSAGE)
        return cls(identity, system, model.encode_passage, tokens, model.token_dimension)

    def codec(self, known: Mapping[str, Any] | None, passages: Sequence[Passage]) -> TokenCodec | None:
        """How token vectors are stored; None where the system has no late interaction."""
        if not self.system.late or not passages:
            return None
        texts = [self.system.text(passage) for passage in passages]
        return codec_for(self.system.storage, self.width, known, texts, self.encode_tokens)


@dataclass(frozen=True)
class Target:
    """A collection in a place."""

    index: PassageIndex
    name: str

    @property
    def metadata(self) -> Metadata | None:
        """What is stored with it."""
        return self.index.metadata(self.name)


def fill(targets: Sequence[Target], made: Made, passages: Sequence[Passage], batch_size: int) -> Indexed:
    """Bring collections to hold these passages as well; the counts are the first target's.

    Each batch is acknowledged (the progress bar moves on) when every target has it on disk. Killed at any moment, a
    later call goes on from there. A ValueError for two passages of one id.
    """
    _check_ids(passages)
    known = [target.metadata for target in targets]
    codec = made.codec(known[0].codec if known[0] else None, passages)
    for target in targets:
        _prepare(target, made, passages, codec)
    counts: Counter[str] = Counter()
    with tqdm(total=len(passages), desc=f"indexing {targets[0].name}", unit="passage") as bar:
        for batch in _batches(passages, batch_size):
            counts.update(_store(targets, made, codec, batch))
            bar.update(len(batch))
    for target in targets:
        _finish(target, made.system)
    return Indexed(counts["added"], counts["changed"], counts["unchanged"])


def _check_ids(passages: Sequence[Passage]) -> None:
    twice = [each for each, count in Counter(passage.id for passage in passages).items() if count > 1]
    if twice:
        raise ValueError(f"{len(twice)} ids stand for several passages, such as {twice[0]!r}; an id must name one")


def _prepare(target: Target, made: Made, passages: Sequence[Passage], codec: TokenCodec | None) -> None:
    """Make the collection, or declare what comes into it: another version's, another backend's, token vectors."""
    metadata = target.metadata
    coded = codec.as_json() if codec else None
    if metadata is None:
        target.index.create(target.name, replace(_at_first(made, passages), codec=coded))
        return
    backends = {*metadata.model.backend.split("+"), made.model.backend}
    known = replace(metadata, model=replace(metadata.model, name=made.model.name))
    declared = replace(_with_backends(known, backends), codec=coded or metadata.codec)
    if declared != metadata:
        target.index.describe(target.name, declared)


def _with_backends(metadata: Metadata, backends: Iterable[str]) -> Metadata:
    return replace(metadata, model=replace(metadata.model, backend="+".join(sorted(backends))))


def _at_first(made: Made, passages: Sequence[Passage]) -> Metadata:
    texts = ([made.system.text(each) for each in batch] for batch in _batches(passages, 1000))
    lengths = [len(stems) for some in texts for stems in words(some)]
    return Metadata(made.model, sum(lengths) / max(1, len(lengths)), len(passages), complete=False)


def _batches(passages: Sequence[Passage], size: int) -> Iterator[list[Passage]]:
    remaining = iter(passages)
    while batch := list(islice(remaining, size)):
        yield batch


def _maker(made: Made, codec: TokenCodec | None) -> Make:
    """How texts become vectors and, with a codec, what is stored of their tokens."""
    if codec is None:
        return lambda texts: [(vector, {}) for vector in rows_of(made.encode(texts))]

    def with_tokens(texts: Sequence[str]) -> list[Vectors]:
        single, tokens = made.encode_tokens(texts)
        return [(vector, payload(codec, each)) for vector, each in zip(rows_of(single), tokens, strict=True)]

    return with_tokens


def _store(targets: Sequence[Target], made: Made, codec: TokenCodec | None, batch: Sequence[Passage]) -> Counter[str]:
    """Encode and store what any target has not or has otherwise; how the first one stood to the batch."""
    common = {"backend": made.model.backend, **({"codec": codec.key} if codec else {})}
    text = made.system.text
    wanted = {point_id(passage.id): {"hash": content_hash(passage), **common} for passage in batch}
    stored = [target.index.payloads(target.name, list(wanted), ["hash", *common]) for target in targets]
    missing = [{point for point, as_wanted in wanted.items() if found.get(point) != as_wanted} for found in stored]
    needed = [passage for passage in batch if any(point_id(passage.id) in each for each in missing)]
    if needed:
        texts = [text(passage) for passage in needed]
        vectors, stems = _maker(made, codec)(texts), words(texts)
        for target, lacks in zip(targets, missing, strict=True):
            metadata = target.metadata
            average = (metadata.average_length if metadata else None) or 0.0
            entries = [
                entry(passage, vector, made.model.backend, its_stems, average, tokens)
                for passage, (vector, tokens), its_stems in zip(needed, vectors, stems, strict=True)
                if point_id(passage.id) in lacks
            ]
            if entries:
                target.index.put(target.name, entries)
    changed = len(missing[0] & set(stored[0]))
    return Counter(added=len(missing[0]) - changed, changed=changed, unchanged=len(batch) - len(missing[0]))


def entry(
    passage: Passage,
    vector: list[float],
    backend: str,
    stems: Sequence[str],
    average_length: float,
    tokens: Mapping[str, Any] = NO_TOKENS,
) -> Entry:
    """A passage as it is stored; `tokens` is what is stored of its token vectors."""
    payload = {
        "id": passage.id,
        "title": passage.title,
        "text": passage.text,
        "domain": passage.domain,
        "type": passage.type,
        "extra": dict(passage.extra),
        "hash": content_hash(passage),
        "backend": backend,
        "stems": len(stems),
        **tokens,
    }
    return Entry(point_id(passage.id), vector, passage_weights(stems, average_length), payload)


def content_hash(passage: Passage) -> str:
    """SHA-256 of all that is stored of a passage. A ValueError for text that is no Unicode (half a surrogate pair)."""
    whole = [passage.id, passage.title, passage.text, passage.domain, passage.type, dict(passage.extra)]
    try:
        return hashlib.sha256(json.dumps(whole, ensure_ascii=False, sort_keys=True).encode("utf-8")).hexdigest()
    except UnicodeEncodeError as error:
        raise ValueError(f"passage {passage.id!r} holds text that is no Unicode: {error}") from error


def _finish(target: Target, system: System) -> None:
    """Make the sparse weights anew where they assume another average length, then declare the collection complete."""
    metadata = target.metadata
    if metadata is None:
        raise RuntimeError(f"{target.name}: was removed while it was being filled")
    count = target.index.count(target.name)
    if metadata.average_length is None or abs(count - metadata.measured) > _GROWTH * metadata.measured:
        metadata = _measured(target, system, metadata, count)
    if "+" in metadata.model.backend:
        pages = target.index.scan(target.name, ["backend"])
        metadata = _with_backends(metadata, {row.get("backend", UNKNOWN) for page in pages for row in page.values()})
    target.index.settle(target.name)
    target.index.describe(target.name, replace(metadata, complete=True))


def _measured(target: Target, system: System, metadata: Metadata, count: int) -> Metadata:
    total = sum(row["stems"] for page in target.index.scan(target.name, ["stems"]) for row in page.values())
    average = total / max(1, count)
    assumed = metadata.average_length
    if assumed is None or abs(average - assumed) > _DRIFT * assumed:
        target.index.describe(target.name, replace(metadata, average_length=None))  # a kill in between shows
        for page in target.index.scan(target.name, PASSAGE):
            stems = words([system.text(passage_of(row)) for row in page.values()])
            weights = {i: passage_weights(each, average) for i, each in zip(page, stems, strict=True)}
            target.index.reweigh(target.name, weights)
        assumed = average
    return replace(metadata, average_length=assumed, measured=count)
