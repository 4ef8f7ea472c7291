"""Queries and passages: what a model wants before each of them, its prompts."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from domain_embeddings.core.errors import DataError

SETTINGS = "config_sentence_transformers.json"
"""The file of a model's folder that holds its prompts."""
_QUERY, _PASSAGE = ("query",), ("document", "passage", "corpus")
"""What sentence-transformers calls the prompts of each role; of several, the first that holds any text."""
_WANTING = re.compile(r"(?<![a-z0-9])(e5|bge|arctic|gemma|embeddinggemma|nomic|mxbai|leaf|uae|instructor)(?![a-z0-9])")
"""Parts of the names of models that were trained with prompts, whether or not their files have them."""
_WANTING_KINDS = ("nomic_bert", "gemma3_text")


class Role(StrEnum):
    """What a text is: some models encode questions and what answers them in two ways."""

    QUERY = "query"
    PASSAGE = "passage"


@dataclass(frozen=True)
class Prompts:
    """What stands before each text of a role, blanks at its end included; empty where nothing does."""

    query: str = ""
    passage: str = ""

    def of(self, role: Role) -> str:
        """A role's prompt."""
        return self.query if role is Role.QUERY else self.passage

    def before(self, texts: Sequence[str], role: Role) -> list[str]:
        """The texts as the model reads them."""
        prompt = self.of(role)
        return [prompt + text for text in texts]


def read_prompts(folder: Path, *names: str) -> Prompts:
    """The prompts that a sentence-transformers folder holds, none where it is of a model that wants none.

    `names` are what the model is called, beside what its config.json says. A DataError where that, or prompts of other
    roles, tell that it wants prompts, and its files do not say which.
    """
    saved = read_json(folder / SETTINGS).get("prompts") or {}
    found = Prompts(_first(saved, _QUERY), _first(saved, _PASSAGE))
    unknown = sorted(name for name, text in saved.items() if text and name not in (*_QUERY, *_PASSAGE))
    if unknown and found == Prompts():
        raise _unknown(folder, f"its prompts are for {', '.join(unknown)}, not for queries and passages")
    if not saved and (name := _wants(read_json(folder / "config.json"), names)):
        raise _unknown(folder, f"{name} was trained with prompts, and its files do not hold them")
    return found


def write_prompts(folder: Path, prompts: Prompts) -> None:
    """Let a folder's files hold these prompts and no others, empty ones too."""
    kept = {name: value for name, value in read_json(folder / SETTINGS).items() if name != "default_prompt_name"}
    written = {**kept, "prompts": {"query": prompts.query, "document": prompts.passage}}
    (folder / SETTINGS).write_text(json.dumps(written, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """The content of a JSON file, {} where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _first(saved: dict[str, str | None], names: Sequence[str]) -> str:
    return next((text for name in names if (text := saved.get(name))), "")


def _wants(config: dict[str, Any], names: Sequence[str]) -> str | None:
    """The name by which a model is known to want prompts."""
    called = [*names, str(config.get("_name_or_path") or "")]
    kind = config.get("model_type")
    return next((each for each in called if _WANTING.search(each.casefold())), None) or (
        kind if kind in _WANTING_KINDS else None
    )


def _unknown(folder: Path, problem: str) -> DataError:
    remedy = (
        'set base_model.prompts: {query: "…", passage: "…"} in params.yaml to what its card says, "" for none; '
        f"of another model, `prompts` in its {SETTINGS}"
    )
    return DataError(folder, problem, remedy=remedy)
