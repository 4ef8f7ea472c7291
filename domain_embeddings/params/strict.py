"""The base of every params model: unknown keys and wrong types are errors, values never change."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Refuses unknown keys and does not turn one type into another."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)
