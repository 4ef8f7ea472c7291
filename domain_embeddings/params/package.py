"""Params of the package stage."""

from typing import Literal

from pydantic import Field

from domain_embeddings.params.strict import Strict


class PackageParams(Strict):
    """What the packaged model is called, and what its card says beside the figures."""

    version: str = Field(pattern=r"^[0-9]+(\.[0-9]+){0,2}(\.dev[0-9]+)?$")
    """Of the folder models/<corpus>-embeddings-v<version>/. Written once; one that ends in .dev<n> may change."""
    license: str = Field(default="apache-2.0", min_length=1)
    """Of the model, as the hub writes it (apache-2.0 is the base model's)."""
    notes: str = ""
    """Anything readers of the card should know."""
    export: Literal["int8"] | None = None
    """A second copy of the weights, for CPUs: what must hold of it is in packaging/export_fidelity.py."""
