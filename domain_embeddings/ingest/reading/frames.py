"""What the reading process and the one that asks it say to each other: JSON, each value with its length before it.

JSON, because what a document has taken over could make of a pickle whatever it likes.
"""

import json
from typing import Any, BinaryIO

OVER_MEMORY = 86
"""The status with which the reading process ends where a file needs too much memory."""
_LENGTH = 8


def send(stream: BinaryIO, value: Any) -> None:
    """Write a value. Raises a `BrokenPipeError` where nobody listens any more."""
    content = json.dumps(value).encode("ascii")
    stream.write(len(content).to_bytes(_LENGTH, "big") + content)
    stream.flush()


def receive(stream: BinaryIO) -> Any:
    """Read a value; None where the other side has ended, also within one."""
    length = int.from_bytes(stream.read(_LENGTH), "big")
    content = stream.read(length)
    return json.loads(content) if content and len(content) == length else None
