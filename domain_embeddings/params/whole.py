"""All of params.yaml in one model, to check it before anything runs."""

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
from domain_embeddings.params.robustness import RobustnessParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.params.strict import Strict
from domain_embeddings.params.synthesize import SynthesizeParams
from domain_embeddings.params.train import TrainParams


class Params(Strict):
    """Every section of params.yaml, and what must hold between them."""

    corpora: dict[str, Corpus] = Field(min_length=1)
    base_model: BaseModelParams
    ingest: IngestParams
    synthesize: SynthesizeParams
    mine: MineParams
    train: TrainParams
    evaluate: EvaluateParams
    guard: GuardParams
    report: ReportParams
    package: PackageParams
    robustness: RobustnessParams
    anomaly: AnomalyParams
    gate: GateParams
    search: SearchParams

    @model_validator(mode="after")
    def _across_sections(self) -> "Params":
        if self.train.frozen_blocks >= self.base_model.blocks:
            raise ValueError(
                f"train.frozen_blocks is {self.train.frozen_blocks}, allowed are 0 to {self.base_model.blocks - 1}: "
                f"the base model has {self.base_model.blocks} blocks and at least one must learn"
            )
        if self.train.negatives > self.mine.negatives:
            raise ValueError(
                f"train.negatives is {self.train.negatives}, but mine.negatives finds only {self.mine.negatives}"
            )
        return self
