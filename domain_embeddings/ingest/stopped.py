"""What had been counted and left out when a folder turned out not to be ingestible: it is reported all the same."""

from domain_embeddings.core.dataset import Ingested
from domain_embeddings.core.errors import DataError


class StoppedError(DataError):
    """The error that stopped an adapter, with what it had `done` until then."""

    def __init__(self, error: DataError, done: Ingested) -> None:
        """With the error's own message."""
        ValueError.__init__(self, str(error))
        self.done = done
