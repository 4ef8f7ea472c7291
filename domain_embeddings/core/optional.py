"""Parts that a run can do without. Where one fails, the run goes on and says why in one line."""

import re
import tempfile

_MOST = 500
"""Characters of a reason."""
_CHANCE = re.compile(
    r"(?<!\s)\s*+\(Request ID: [^()]*\)|0x[0-9a-f]{6,}|" + re.escape(tempfile.gettempdir()) + r"/[^/\s]+/"
)
"""What differs between two runs that fail alike: a request's number, an address, a temporary folder."""


def why(error: Exception) -> str:
    """An error as one line that says the same in every run; the kind of the error too, unless it is one of ours."""
    said = " ".join(_CHANCE.sub("", str(error)).split())
    own = type(error).__module__.startswith("domain_embeddings")
    line = said if own else f"{type(error).__name__}: {said}".removesuffix(": ")
    return line if len(line) <= _MOST else line[:_MOST].rstrip() + " …"
