"""What all detectors have in common: they are a handful of arrays, and higher scores mean less normal."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from domain_embeddings.core.ranking import Scores

Array = NDArray[Any]


@dataclass(frozen=True)
class Detector(ABC):
    """A fitted detector: a handful of arrays, so that each is saved without a pickle."""

    needs_known: ClassVar[bool] = False
    """Whether it can only be fitted with known anomalies."""

    @classmethod
    @abstractmethod
    def fit(cls, normal: Scores, known: Scores, seed: int) -> Self:
        """Learn from unit vectors (n, dimensions) of normal queries and of known anomalies, which there need not be."""

    @abstractmethod
    def score(self, queries: Scores) -> Scores:
        """Unit vectors (n, dimensions) → (n,), higher for what is less like the normal queries."""

    def tensors(self) -> dict[str, Array]:
        """Name → array: all that the detector knows."""
        return {one.name: np.ascontiguousarray(getattr(self, one.name)) for one in fields(self)}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Array]) -> Self:
        """A detector from what `tensors` gave. Raises a ValueError where an array is missing or one too many."""
        names = {one.name for one in fields(cls)}
        if names != set(tensors):
            raise ValueError(f"{cls.__name__} has the arrays {sorted(names)}, not {sorted(tensors)}")
        return cls(**tensors)
