"""What a client can make the service do at most."""

import os
from dataclasses import dataclass

MAX_BODY = 1_000_000
"""Bytes of a request."""
MAX_TEXTS = 64
"""Texts of a request."""
MAX_CHARS = 10_000
"""Characters of a text."""
MAX_SUM = 100_000
"""Characters of a request's texts together."""
MAX_FIELDS = 20
"""Fields of a request."""
MAX_VALUES = 1000
"""Values that a filter lists."""


@dataclass(frozen=True)
class Limits:
    """Numbers, and seconds, beyond which a request is refused or a connection is closed."""

    at_once: int = 64
    """Whole requests for work that wait or are being worked on."""
    workers: int = min(32, (os.cpu_count() or 1) + 4)
    """Of these, the ones that are being worked on."""
    connections: int = 512
    """Open connections: beyond, the one is closed whose client has kept the service waiting longest."""
    idle_s: int = 5
    """From an answer to the next request's first byte."""
    headers_s: float = 10.0
    """From a connection's start, or a further request's first byte, to the end of its headers."""
    body_s: float = 10.0
    """From the end of the headers to the end of the body."""
    deadline_s: float = 30.0
    """From the end of the body to the answer."""
    send_s: float = 30.0
    """For a client to read an answer."""
    health_s: float = 5.0
    """For the index to say how it is."""
    shutdown_s: int = 8
    """From SIGTERM to the end of what is under way."""
