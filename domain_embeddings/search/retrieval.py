"""Search with a packaged system: what `evaluate` measured as `shipped` is what answers here.

from domain_embeddings import create_finetuned_retrieval

with create_finetuned_retrieval("manuals") as retrieval:
    retrieval.index(passages)
    for result in retrieval.search("how do I bleed the brakes"):
        print(result.score, result.title, result.dense_rank, result.sparse_rank)
"""

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from domain_embeddings.core.dataset import Passage
from domain_embeddings.core.errors import IntegrityError
from domain_embeddings.encoding.token_codec import TokenCodec
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.verification import model_name
from domain_embeddings.params.search import SearchParams
from domain_embeddings.search.hybrid import Asked, QueryError, Result, answers, clean, wanted
from domain_embeddings.search.index_protocol import (
    Filters,
    IndexMissingError,
    IndexModelError,
    IndexUnavailableError,
    Metadata,
    ModelIdentity,
    PassageIndex,
    SearchError,
    Wanted,
    point_id,
)
from domain_embeddings.search.indexing import Indexed, Made, Target, fill
from domain_embeddings.search.qdrant_embedded import EmbeddedIndex
from domain_embeddings.search.qdrant_server import ServerIndex, connect
from domain_embeddings.search.second_stage import MISSING, SecondStage
from domain_embeddings.search.versions import latest_version, live_version, version_of
from domain_embeddings.systems.system import DEFAULT_SYSTEM, System

LOG = logging.getLogger(__name__)

Load = Callable[[str | None], VersionedEmbeddings]
"""Version → its model; None → the base."""

"""Control characters and halves of surrogate pairs."""
_AT_ONCE = 64
"""Queries of one request to the index."""


@dataclass(frozen=True)
class _Serving:
    """A model and its collection; replaced as a whole."""

    model: VersionedEmbeddings
    identity: ModelIdentity
    system: System
    collection: str
    reason: str | None
    """Why the model is not the one that is wanted."""


@dataclass(frozen=True)
class _Ready:
    """A collection that can be searched."""

    amiss: tuple[str, ...]
    """Why its results are not what was asked for."""
    second: SecondStage | None


class FineTunedRetrieval:
    """Search in a corpus's passages. Safe to use from threads.

    A collection belongs to one model. Indexing with another version fills another collection and then lets the alias
    lead there; who has the old one open goes on with it until `refresh`. `rollback` lets the alias lead back.
    """

    def __init__(
        self,
        corpus: str,
        version: str | None,
        load: Load,
        index: PassageIndex,
        params: SearchParams,
        standby: PassageIndex | None = None,
        reason: str | None = None,
        system: System | None = None,
    ) -> None:
        """`load` gives the version's model, or the base in its place; `standby` answers when `index` does not.

        `reason` is why a base is loaded that nobody asked for. `system` answers in place of the one that the model was
        packaged with; a model that was packaged with none, such as the base, takes the default.
        """
        model_name(corpus, "0")  # a ValueError for a name that leads elsewhere
        self.corpus = corpus
        self._system = system
        self._load, self._index, self._standby, self._params = load, index, standby, params
        self._serving = self._of(load(version), reason)
        self._ready: dict[tuple[str, str], _Ready] = {}

    @property
    def model(self) -> VersionedEmbeddings:
        """What queries are encoded with."""
        return self._serving.model

    @property
    def reason(self) -> str | None:
        """Why the model is not the one that is wanted; None if it is."""
        return self._serving.reason

    @property
    def system(self) -> System:
        """How queries are answered."""
        return self._serving.system

    @property
    def identity(self) -> ModelIdentity:
        """Which model that is."""
        return self._serving.identity

    def search(
        self,
        query: str,
        limit: int = 10,
        threshold: float | None = None,
        use_hybrid: bool = True,
        filters: Filters | None = None,
        explain: bool = False,
    ) -> list[Result]:
        """The best `limit` passages, best first; none for a query without content.

        `threshold` is the least cosine of query and passage; `filters` is field → value, list of values or range.
        Without `use_hybrid` only meaning counts, whatever the system. `explain` tells which words late interaction
        matched, where the system has it. QueryError for a query, limit or filter that cannot be;
        SearchError (IndexMissingError, IndexModelError, IndexUnavailableError) where the index cannot answer.
        """
        return self.search_batch([query], limit, threshold, use_hybrid, filters, explain)[0]

    def search_batch(
        self,
        queries: Sequence[str],
        limit: int = 10,
        threshold: float | None = None,
        use_hybrid: bool = True,
        filters: Filters | None = None,
        explain: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> list[list[Result]]:
        """What `search` gives for each query: encoded one by one, for a batch's padding would change last digits.

        `check` is called before each step, and ends the search by raising.
        """
        serving = self._serving
        if not 1 <= limit <= serving.system.depth:
            raise QueryError(f"limit is {limit}, allowed are 1 to {serving.system.depth} (search.depth)")
        cleaned = [clean(query, self._params.max_query_chars) for query in queries]
        distinct = [query for query in dict.fromkeys(cleaned) if query]
        system = serving.system if use_hybrid else serving.system.by_meaning()
        asked = Asked(limit, threshold, filters or {}, explain)
        found: dict[str, list[Result]] = {"": []}
        for start in range(0, len(distinct), _AT_ONCE):
            some = distinct[start : start + _AT_ONCE]
            encoded = []
            for query in some:
                check()
                encoded.append(wanted(serving.model, system, query))
            check()
            found |= zip(some, self._answers(serving, system, encoded, asked), strict=True)
        return [found[query] for query in cleaned]

    def index(self, passages: Sequence[Passage], activate: bool = True) -> Indexed:
        """Index passages with this model, beside what is there; what is there already and unchanged is skipped.

        When all are stored the alias leads to this model's collection, unless `activate` is false. Killed at any
        moment, nothing that the progress bar has passed is lost, and the next call goes on from there.
        """
        serving = self._serving
        places = [self._index, *([self._standby] if self._standby else [])]
        targets = [Target(place, serving.collection) for place in places]
        made = Made.by(serving.model, serving.identity, serving.system)
        done = fill(targets, made, passages, self._params.batch_size)
        if activate:
            for place in places:
                live, _ = place.live(self.corpus)
                if live != serving.collection:
                    place.switch(self.corpus, serving.collection, live)
        self._ready.clear()
        return done

    def delete(self, ids: Sequence[str]) -> None:
        """Remove passages by their ids; those that are not there are ignored."""
        for place in (self._index, self._standby):
            if place is not None and place.metadata(self._serving.collection) is not None:
                place.delete(self._serving.collection, [point_id(each) for each in ids])

    def keep_only(self, ids: Collection[str]) -> int:
        """Remove all passages but these from this model's collection; how many there were."""
        gone = [
            row["id"]
            for page in self._index.scan(self._serving.collection, ["id"])
            for row in page.values()
            if row["id"] not in ids
        ]
        if gone:
            self.delete(gone)
        return len(gone)

    def with_base(self) -> "FineTunedRetrieval":
        """Search with the base model in the same place, to compare; both are closed by closing one."""
        return FineTunedRetrieval(
            self.corpus, None, self._load, self._index, self._params, self._standby, system=self._system
        )

    def count(self) -> int:
        """How many passages can be found."""
        self._check(self._index, self._serving)
        return self._index.count(self._serving.collection)

    def shortcomings(self) -> tuple[str, ...]:
        """Why results are not what was asked for; none if they are. A SearchError where the index cannot answer."""
        serving = self._serving
        return (*_because(serving), *self._check(self._index, serving).amiss)

    def is_indexed(self) -> bool:
        """Whether this model's collection has been filled to the end."""
        metadata = self._index.metadata(self._serving.collection)
        return metadata is not None and metadata.complete

    def rollback(self) -> str:
        """Let the alias lead to the collection before, and serve that; its model's name. A second call undoes it."""
        live, previous = self._index.live(self.corpus)
        if live is None or previous is None:
            raise IndexMissingError(
                f"{self._index.place}: {self.corpus} has no collection before this one to go back to"
            )
        for place in (self._index, self._standby):
            if place is not None and place.metadata(previous) is not None:
                place.switch(self.corpus, previous, live)
        self.refresh()
        return self.identity.name

    def refresh(self) -> bool:
        """Serve what the alias leads to, if that is of another version; whether that changed anything.

        The old one serves until the new model is loaded, and on, with a warning, if the index was built with another.
        A SearchError, after which the old one serves on as well, where the index cannot be asked or opened.
        """
        self._ready.clear()  # somebody may have filled it anew
        live, _ = self._index.live(self.corpus)
        metadata = self._index.metadata(live) if live else None
        if metadata is None or (live, metadata.model.name) == (self._serving.collection, self._serving.identity.name):
            return False
        try:
            new = self._of(self._load(version_of(metadata.model.name, self.corpus)))
        except IntegrityError as error:
            LOG.warning("%s is live but refused, %s goes on: %s", metadata.model, self.identity, error)
            return False
        if new.collection != live:
            LOG.warning("%s is live but what was loaded is %s: %s goes on", metadata.model, new.identity, self.identity)
            return False
        self._check(self._index, new)
        self._index.count(new.collection)  # opens it: the process that filled it may not have let go yet
        self._serving = new
        return True

    def close(self) -> None:
        """Free the index."""
        for place in (self._index, self._standby):
            if place is not None:
                place.close()

    def __enter__(self) -> "FineTunedRetrieval":
        """Itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        self.close()

    def _of(self, model: VersionedEmbeddings, reason: str | None = None) -> _Serving:
        info = model.get_model_info()
        name = Path(info["folder"]).name
        recipe = model.config.recipe
        identity = ModelIdentity(name, info["weights_sha256"], model.dimension, model.backend, recipe)
        system = self._system or model.system or DEFAULT_SYSTEM
        collection = identity.collection(self.corpus) + ("-aliases" if system.aliases else "")
        return _Serving(model, identity, system, collection, model.fallback_reason or reason)

    def _answers(self, serving: _Serving, system: System, wanted: Sequence[Wanted], asked: Asked) -> list[list[Result]]:
        """Ask the index, or the one that stands by."""
        degraded = _because(serving)
        try:
            return self._answers_of(self._index, serving, system, wanted, asked, degraded)
        except IndexUnavailableError as error:
            if self._standby is None:
                raise
            LOG.warning("the index in %s answers instead: %s", self._standby.place, error)
            degraded = (*degraded, f"index in {self._standby.place}: {error}")
            return self._answers_of(self._standby, serving, system, wanted, asked, degraded)

    def _answers_of(
        self,
        place: PassageIndex,
        serving: _Serving,
        system: System,
        wanted: Sequence[Wanted],
        asked: Asked,
        degraded: tuple[str, ...],
    ) -> list[list[Result]]:
        ready = self._check(place, serving)
        made_with = {"model": serving.identity.name, "degraded": (*degraded, *ready.amiss)}
        return answers(place, serving.collection, wanted, asked, system, ready.second, made_with)

    def _check(self, place: PassageIndex, serving: _Serving) -> _Ready:
        """A look at this model's collection. IndexMissingError or IndexModelError unless it is whole."""
        key = (place.place, serving.collection)
        found = self._ready.get(key)
        if found is None:
            metadata = place.metadata(serving.collection)
            if metadata is None or not metadata.complete:
                raise self._missing(place, serving, metadata)
            amiss, second = _amiss(place, metadata.model, serving.identity), None
            if serving.system.late and metadata.codec:
                second = SecondStage(TokenCodec.of_json(metadata.codec), serving.model, serving.system)
            elif serving.system.late:
                amiss = (*amiss, MISSING)
            found = self._ready[key] = _Ready(amiss, second)
        return found

    def _missing(self, place: PassageIndex, serving: _Serving, metadata: Metadata | None) -> SearchError:
        live, _ = place.live(self.corpus)
        other = place.metadata(live) if live and live != serving.collection else None
        reason = f"; that model is here because: {serving.reason}" if serving.reason else ""
        if other is not None:
            return IndexModelError(
                f"{place.place}: the index of {self.corpus} was built with {other.model}, the queries would be encoded "
                f"with {serving.identity}{reason} (index the passages with this model, or load that one)"
            )
        problem = "no index of" if metadata is None else "the indexing was not finished of"
        return IndexMissingError(
            f"{place.place}: {problem} {self.corpus} with {serving.identity}{reason} (index the passages)"
        )


def _because(serving: _Serving) -> tuple[str, ...]:
    return (serving.reason,) if serving.reason else ()


def _amiss(place: PassageIndex, indexed: ModelIdentity, serving: ModelIdentity) -> tuple[str, ...]:
    """Two backends' vectors of a text differ a little: passages that are about as good may change places."""
    if indexed.backend == serving.backend:
        return ()
    amiss = (
        f"{place.place}: the passages were encoded with {indexed.backend}, the queries are with {serving.backend}: "
        "passages that are about as good may change places (index the passages again on this machine)"
    )
    LOG.warning("%s", amiss)
    return (amiss,)


def create_finetuned_retrieval(
    corpus: str,
    version: str | None = None,
    params: SearchParams | None = None,
    root: Path = Path("models"),
    folder: Path = Path("data/index"),
    public_key: Path | None = None,
    use_base: bool = False,
    system: System | None = None,
    require: Collection[str] = (),
) -> FineTunedRetrieval:
    """Search in a corpus with a packaged version, else with the live index's one, else with the latest, else the base.

    The index lies on `params.server`, or where there is none in `folder`. With `use_base` the base model is meant.
    `system` answers in place of the one that was packaged; `public_key` and `require` are VersionedEmbeddings'.
    A ValueError for impossible names, an IntegrityError if not even the base is as it should be.
    """
    params = params or SearchParams()
    embedded = EmbeddedIndex(folder, params)
    index: PassageIndex = embedded
    standby = None
    if params.server is not None:
        index = ServerIndex(connect(params.server), params, params.server.url, params.server.retries)
        standby = embedded if params.server.standby else None

    def load(wanted: str | None) -> VersionedEmbeddings:
        return VersionedEmbeddings(wanted, corpus, root=root, public_key=public_key, require=require)

    if version is None and not use_base:
        version = live_version(index, standby, corpus) or latest_version(root, corpus)
    reason = None
    if version is None and not use_base:
        reason = f"{root}: no packaged version of {corpus}, the base model is used instead"
        LOG.warning("%s", reason)
    return FineTunedRetrieval(corpus, version, load, index, params, standby, reason, system)
