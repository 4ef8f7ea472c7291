"""When two questions are the same in all but name."""

from collections.abc import Iterator, Mapping

from domain_embeddings.text_matching.query_form import query_form

_FEWEST, _MOST = 4, 100
"""Content words, between which one of them may differ; all numbers and codes of a text count as one."""


class NearEqualQueries:
    """Finds a short text that asks for the same as one seen before.

    Two texts are near-equal when their words and codes (see `query_form`) are the same set, or, from four to a
    hundred content words, differ by one word added, removed or replaced. A number, a unit or a code never differs.
    """

    def __init__(self, texts: Mapping[str, str] | None = None) -> None:
        """Remember `texts`: key → text."""
        self._owner: dict[tuple[str, ...], str] = {}
        for key, text in (texts or {}).items():
            self.add(key, text)

    @staticmethod
    def _signatures(text: str) -> Iterator[tuple[str, ...]]:
        form = query_form(text)
        whole = tuple(sorted(form.words | form.codes))
        yield whole
        if _FEWEST <= len(form.words) + bool(form.codes) <= _MOST:
            yield from (tuple(each for each in whole if each != word) for word in sorted(form.words))

    def add(self, key: str, text: str) -> None:
        """Remember `text` under `key`."""
        for signature in self._signatures(text):
            self._owner.setdefault(signature, key)

    def find(self, text: str) -> str | None:
        """The key of a remembered text near-equal to `text`, or None."""
        return next((self._owner[s] for s in self._signatures(text) if s in self._owner), None)
