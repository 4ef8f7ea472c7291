"""Params of the package stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class PackageParams(Strict):
    """What the packaged model is called."""

    version: str = Field(pattern=r"^\d+(\.\d+){0,2}$")
    """Of the folder models/<corpus>-embeddings-v<version>/."""
