"""All of params.yaml in one model, to check it before anything runs."""

from typing import Any

from pydantic import Field, model_validator

from domain_embeddings.params.anomaly import AnomalyParams
from domain_embeddings.params.base_model import BaseModelParams
from domain_embeddings.params.corpora import Corpus
from domain_embeddings.params.evaluate import EvaluateParams
from domain_embeddings.params.gate import GateParams
from domain_embeddings.params.guard import GuardParams
from domain_embeddings.params.ingest import IngestParams
from domain_embeddings.params.mine import MineParams
from domain_embeddings.params.package import PackageParams
from domain_embeddings.params.report import ReportParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.strict import Name, Strict
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.params.train import TrainParams


class Params(Strict):
    """Every section of params.yaml, and what must hold between them."""

    corpora: dict[Name, Corpus] = Field(min_length=1)
    seed: int = Field(ge=0)
    """Of every draw."""
    base_model: BaseModelParams
    ingest: IngestParams
    synthesize: SynthesizeParams
    mine: MineParams
    train: TrainParams
    evaluate: EvaluateParams
    guard: GuardParams
    report: ReportParams
    package: PackageParams
    anomaly: AnomalyParams
    gate: GateParams
    search: SearchParams

    @model_validator(mode="before")
    @classmethod
    def _one_seed(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "seed" not in values:
            return values
        sections = {name: found for name, found in values.items() if name in cls.model_fields}
        if own := [f"{name}.seed" for name, found in sections.items() if isinstance(found, dict) and "seed" in found]:
            raise ValueError(f"there is one seed, of every draw: {', '.join(own)} must go")
        return {name: with_seed(cls, name, found, values["seed"]) for name, found in values.items()}

    @model_validator(mode="after")
    def _across_sections(self) -> "Params":
        if self.train.negatives > self.mine.negatives:
            raise ValueError(
                f"train.negatives is {self.train.negatives}, but mine.negatives finds only {self.mine.negatives}"
            )
        return self


def with_seed(params: type[Params], name: str, section: Any, seed: Any) -> Any:
    """A section with the pipeline's seed, where its model has one."""
    field = params.model_fields.get(name)
    if field is None or not isinstance(section, dict) or "seed" not in getattr(field.annotation, "model_fields", {}):
        return section
    return {"seed": seed, **section}
