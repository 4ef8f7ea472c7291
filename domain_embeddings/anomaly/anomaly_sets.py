"""Sets of queries to choose and to judge detectors by: written for this project, or somebody else's.

Of the written ones (data/raw/anomaly/), `split` says what a query may be used for: train (known to `exposure`), dev
(choosing a detector) or test. `corpus`, where it is given, is the only corpus that the query is meant for.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain_embeddings.core.beir_files import read_jsonl
from domain_embeddings.core.errors import DataError
from domain_embeddings.core.json_files import parse_object, read_text

WRITTEN = ("adversarial", "near", "far", "known")
"""Files of queries that are to be flagged; `odd` holds those that are not, however odd they look."""
ODD = "odd"
NORMAL_LABELS = ("benign", "normal")


@dataclass(frozen=True)
class Example:
    """One query of a set."""

    set: str
    category: str
    """Within the set; empty where the set has none."""
    split: str
    text: str

    @property
    def kind(self) -> str:
        """Set and category: what is counted as one thing."""
        return f"{self.set}/{self.category}" if self.category else self.set


def read_written(folder: Path, name: str, corpus: str) -> list[Example]:
    """The queries of a written set that are meant for a corpus."""
    found = []
    for line, row in read_jsonl(folder / f"{name}.jsonl"):
        place = folder / f"{name}.jsonl"
        if row.get("split") not in ("train", "dev", "test"):
            raise DataError(place, f"split is {row.get('split')!r}, not train, dev or test", line=line)
        if row.get("corpus", corpus) == corpus:
            found.append(Example(name, row.get("category", ""), row["split"], _text(place, line, row)))
    return found


def read_extra(name: str, path: Path) -> list[Example]:
    """Anomalies of somebody else's, all for testing: JSONL with `text` and `label`, or a file of test categories.

    A label `benign` or `normal` is left out, any other is the category. The other form, as the manuals system published
    it, is {"categories": {name: {"expected": …, "tests": [{"question": …}]}}}; what is expected to be answered is left
    out. Raises a DataError for anything else.
    """
    if path.suffix == ".jsonl":
        rows = [(line, row) for line, row in read_jsonl(path) if row.get("label") not in NORMAL_LABELS]
        found = [Example(name, str(row.get("label", "")), "test", _text(path, line, row)) for line, row in rows]
    else:
        found = _from_categories(name, path)
    if not found:
        raise DataError(path, "no anomalous query in it", remedy="rows need `text` and a `label` that is not benign")
    return found


def read_log(path: Path) -> list[str]:
    """The queries of a log of normal ones: JSONL with `text`, in the order of the file."""
    queries = [_text(path, line, row) for line, row in read_jsonl(path)]
    if not queries:
        raise DataError(path, "no query in it", remedy='a line for each query: {"text": "…"}')
    return queries


def _from_categories(name: str, path: Path) -> list[Example]:
    whole = parse_object(read_text(path), path)
    try:
        categories = whole["categories"]
        asked = {
            category: [str(test["question"]) for test in body["tests"]]
            for category, body in categories.items()
            if body["expected"] != "answer"
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise DataError(path, f"holds no categories of tests: {error!r}") from error
    return [Example(name, category, "test", text) for category, texts in asked.items() for text in texts]


def _text(path: Path, line: int, row: dict[str, Any]) -> str:
    text = row.get("text")
    if not isinstance(text, str) or not text:
        raise DataError(path, f"'text' must be a string that is not empty, found {text!r}", line=line)
    return text


def kinds(examples: Sequence[Example]) -> dict[str, list[int]]:
    """Kind → positions of its examples, in the order of their first ones; sets with categories also as a whole."""
    found: dict[str, list[int]] = {}
    for position, example in enumerate(examples):
        for kind in dict.fromkeys((example.set, example.kind)):
            found.setdefault(kind, []).append(position)
    return found
