"""Params of the package stage."""

from pydantic import Field

from domain_embeddings.params.sample import SampleParams
from domain_embeddings.params.strict import Strict


class ExportParams(SampleParams):
    """The int8 export, and on how many dev questions it must be how near to the float32 model."""

    calibration: int = Field(ge=1)
    """Passages of the corpus that show how large each layer's values become."""
    max_ndcg_loss: float = Field(ge=0, lt=1)
    """Share of nDCG@10 that may be lost."""
    min_cosine: float = Field(gt=0, le=1)
    """Least mean cosine between an int8 and a float32 vector of the same text."""


class PackageParams(Strict):
    """What the packaged model is called, and what its card says beside the figures."""

    version: str = Field(pattern=r"^\d+(\.\d+){0,2}(\.dev\d+)?$")
    """Of the folder models/<corpus>-embeddings-v<version>/. Written once; one that ends in .dev<n> may change."""
    license: str = Field(default="apache-2.0", min_length=1)
    """Of the model, as the hub writes it (apache-2.0 is the base model's)."""
    notes: str = ""
    """Anything readers of the card should know."""
    export: ExportParams | None = None
    """Without: no int8 export."""
