"""A search system: which model, which scores, how they are fused. `evaluate` measures it and search runs it."""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.core.dataset import Passage
from domain_embeddings.params.search import LateStorage, SearchParams
from domain_embeddings.params.strict import Strict

Model = Literal["base", "tuned"]
MODELS: tuple[Model, ...] = ("base", "tuned")
RRF_K = 60
"""The constant of reciprocal rank fusion (Cormack, Clarke and Büttcher, SIGIR 2009)."""
LATE, DENSE, BM25 = 0.5, 0.1, 0.4
"""Weights of the fused scores, the same for every corpus; BM25's counts by coverage (benchmarks/fusion_study.py)."""
ALIASES = "_aliases"
"""After the name of a system that indexes a passage's aliases with its title."""


class System(Strict):
    """How a query is answered: scores, their weights, and the fusion."""

    name: str = Field(min_length=1)
    """Its arm in the evaluation."""
    model: Model
    """Whose vectors; of words alone, the base's."""
    dense: float = Field(default=0.0, ge=0)
    """Weight of the single vectors' cosine."""
    bm25: float = Field(default=0.0, ge=0)
    """Weight of BM25."""
    late: float = Field(default=0.0, ge=0)
    """Weight of late interaction."""
    fusion: Literal["ranks", "scores"] = "scores"
    """Of dense and BM25 by reciprocal rank, or of all scores, each brought to 0..1."""
    coverage: bool = False
    """Whether, in a fusion of scores, BM25's weight is multiplied by the squared coverage of the question."""
    aliases: bool = False
    """Whether a passage is indexed with its aliases."""
    depth: int = Field(default=100, ge=10, le=1000)
    """Passages of each ranking that are fused, and the most that one search can give."""
    rrf_k: int = Field(default=RRF_K, ge=1)
    """The constant of reciprocal rank fusion."""
    storage: LateStorage = LateStorage()
    """Of token vectors, where late interaction counts."""

    @model_validator(mode="after")
    def _some(self) -> "System":
        if self.dense + self.bm25 + self.late == 0:
            raise ValueError("one of the weights must be above 0")
        if self.late and self.fusion == "ranks":
            raise ValueError("late interaction is fused by scores")
        return self

    @property
    def parts(self) -> int:
        """How many scores it takes: late interaction needs both others to find its candidates."""
        return 3 if self.late else (self.dense > 0) + (self.bm25 > 0)

    @property
    def simplicity(self) -> tuple[int, bool]:
        """Sorts the simplest first: fewest parts, the base before the tuned model."""
        return self.parts, self.model == "tuned"

    def by_meaning(self) -> "System":
        """The single vectors of the same model and texts alone."""
        weights = {"name": self.model, "dense": 1.0, "bm25": 0.0, "late": 0.0, "fusion": "scores", "coverage": False}
        return self.model_copy(update=weights)

    def text(self, passage: Passage) -> str:
        """What is indexed of a passage: title, aliases where they count, and text, joined by spaces."""
        names = aliases_of(passage) if self.aliases else ()
        return f"{passage.title} ({', '.join(names)}) {passage.text}".strip() if names else passage.content


def aliases_of(passage: Passage) -> tuple[str, ...]:
    """The other names of what a passage is about, then the listed synonyms of its words."""
    return (*(passage.extra.get("aliases") or ()), *(passage.extra.get("listed_synonyms") or ()))


def family(aliases: bool, params: SearchParams) -> list[System]:
    """The systems that a choice is made from, the untrained model's beside the tuned one's.

    One by words (`bm25`); for each model one by its vectors (`base`), fused with words (`hybrid_base`), by late
    interaction (`late_base`) and by all three (`late_hybrid_base`; `late_hybrid` is the tuned model's). With `aliases`
    each of them once more, `_aliases` after its name.
    """
    plain = [found.model_copy(update={"depth": params.depth, "storage": params.late}) for found in _plain()]
    named = [found.model_copy(update={"name": found.name + ALIASES, "aliases": True}) for found in plain]
    return plain + (named if aliases else [])


def _plain() -> Iterator[System]:
    yield System(name="bm25", model="base", bm25=1)
    for model in MODELS:
        yield System(name=model, model=model, dense=1)
    for model in MODELS:
        yield System(name=f"hybrid_{model}", model=model, dense=1, bm25=1, fusion="ranks")
    for model in MODELS:
        yield System(name=f"late_{model}", model=model, late=1)
    for model in MODELS:
        name = "late_hybrid" if model == "tuned" else "late_hybrid_base"
        yield System(name=name, model=model, late=LATE, dense=DENSE, bm25=BM25, coverage=True)


DEFAULT_SYSTEM = System(name="late_hybrid_base", model="base", late=LATE, dense=DENSE, bm25=BM25, coverage=True)
"""The fusion of the untrained model that everything else has to beat, and that answers where nothing does."""


def default_of(systems: Sequence[System]) -> System:
    """The family's DEFAULT_SYSTEM, with aliases where there are any."""
    return [found for found in systems if found.name.removesuffix(ALIASES) == DEFAULT_SYSTEM.name][-1]
