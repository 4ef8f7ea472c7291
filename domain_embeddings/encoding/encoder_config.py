"""How a sentence-transformers folder turns a text into a vector, read from its files before anything is loaded."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.roles import SETTINGS, Prompts, read_json, read_prompts

WEIGHTS = "model.safetensors"
LENGTH = "sentence_bert_config.json"
"""The file of a model's folder that may hold its longest input, under `max_seq_length`."""
ACTIVATIONS = {
    f"torch.nn.modules.{module}.{name}": name
    for module, names in (("linear", ("Identity",)), ("activation", ("Tanh", "ReLU", "GELU", "SiLU", "Sigmoid")))
    for name in names
}
"""What a Dense head may name, and what torch.nn calls it."""
_OLD_MODES = {
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_mean_sqrt_len_tokens": "mean_sqrt_len_tokens",
    "pooling_mode_weightedmean_tokens": "weightedmean",
    "pooling_mode_lasttoken": "lasttoken",
}
"""A way of pooling in older files, and today's name for it; several are joined in this order."""
_COUNTED_ON = ("roberta", "xlm-roberta", "camembert", "mpnet")
"""Kinds of model whose positions are counted from the padding's number on."""


@dataclass(frozen=True)
class Head:
    """A linear layer over the pooled vector (Dense)."""

    folder: str
    inputs: int
    outputs: int
    bias: bool
    activation: str
    """In torch.nn."""
    sha256: str
    """Of its weights."""


@dataclass(frozen=True)
class EncoderConfig:
    """What decides a text's vector beside the weights. Vectors are scaled to length 1 and compared by cosine."""

    prompts: Prompts
    pooling: tuple[str, ...]
    """How token vectors become one, in sentence-transformers' words; several are joined one after the other."""
    heads: tuple[Head, ...]
    normalized: bool
    """Whether the model's own last part scales vectors to length 1."""
    similarity: str
    """What the model's files compare vectors by: of length 1, `dot` and `euclidean` rank as `cosine` does."""
    max_seq_length: int
    """Longest input in tokens, the prompt and the tokens at the edges among them; the rest of a text is not read."""
    width: int
    """Numbers of a token's vector."""
    dimension: int
    """Numbers of a text's vector."""

    @classmethod
    def of(cls, folder: Path, max_seq_length: int | None = None, *names: str) -> "EncoderConfig":
        """Read a folder's files; `max_seq_length` stands in for what they say. `names` are `read_prompts`'.

        A DataError for a model that cannot be run as its files say, and one whose prompts cannot be known.
        """
        if not folder.is_dir():
            raise DataError(folder, "no such folder")
        modules = _modules(folder)
        if not (kinds := [kind for kind, _ in modules]) or kinds != _in_order(kinds):
            remedy = "allowed are a Transformer, then Pooling, then any number of Dense, then Normalize or nothing"
            raise DataError(folder / "modules.json", f"lists {' '.join(kinds) or 'nothing'}", remedy=remedy)
        pooling, width = _pooling(folder / modules[1][1] / "config.json")
        heads = tuple(_head(folder, path) for kind, path in modules if kind == "Dense")
        prompts, normalized = read_prompts(folder, *names), kinds[-1] == "Normalize"
        limit = max_seq_length or longest(folder)
        similarity = _similarity(folder, normalized)
        dimension = heads[-1].outputs if heads else width * len(pooling)
        return cls(prompts, pooling, heads, normalized, similarity, limit, width, dimension)

    @property
    def recipe(self) -> str:
        """A name for all of this: vectors of two recipes cannot be compared, whatever the weights.

        Empty for the mean of a text's tokens, as it is.
        """
        if self.prompts == Prompts() and self.pooling == ("mean",) and not self.heads:
            return ""
        return hashlib.sha256(json.dumps(self.as_json(), sort_keys=True).encode()).hexdigest()[:8]

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def longest(folder: Path) -> int:
    """The length in tokens that a folder's files ask for, and that the model has positions for."""
    asked = next(
        (
            int(value)
            for name, key in ((LENGTH, "max_seq_length"), ("tokenizer_config.json", "model_max_length"))
            if (value := read_json(folder / name).get(key))
        ),
        None,
    )
    found = [length for length in (asked, positions(folder)) if length is not None]
    if not found:
        raise DataError(folder, "its files hold no length", remedy="set base_model.max_seq_length in params.yaml")
    return min(found)


def positions(folder: Path) -> int | None:
    """The most tokens that a model can tell the places of; None where there is no limit."""
    config = read_json(folder / "config.json")
    if (most := config.get("max_position_embeddings")) is None:
        return None
    before = int(config.get("pad_token_id", 1)) + 1 if config.get("model_type") in _COUNTED_ON else 0
    return int(most) - before


def write_length(folder: Path, max_seq_length: int) -> None:
    """Let a folder's files ask for this length."""
    written = {**read_json(folder / LENGTH), "max_seq_length": max_seq_length}
    (folder / LENGTH).write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


def _modules(folder: Path) -> list[tuple[str, str]]:
    """The parts of a model, in order: kind and path."""
    return [(str(row["type"]).rsplit(".", 1)[-1], row["path"]) for row in read_json(folder / "modules.json") or []]


def _in_order(kinds: Sequence[str]) -> list[str]:
    heads = [kind for kind in kinds if kind == "Dense"]
    return ["Transformer", "Pooling", *heads, *(["Normalize"] if "Normalize" in kinds else [])]


def _pooling(path: Path) -> tuple[tuple[str, ...], int]:
    """The ways of pooling, as today's files say it or older ones, and the width of what is pooled."""
    config = read_json(path)
    modes = config.get("pooling_mode") or [mode for name, mode in _OLD_MODES.items() if config.get(name) is True]
    width = config.get("embedding_dimension") or config.get("word_embedding_dimension")
    if not modes or not width:
        raise DataError(path, "does not say how tokens are pooled")
    if config.get("include_prompt") is False:
        raise DataError(path, "leaves the prompt out of what is pooled", remedy="such models cannot be run here")
    return (modes,) if isinstance(modes, str) else tuple(modes), int(width)


def _head(folder: Path, path: str) -> Head:
    config, weights = read_json(folder / path / "config.json"), folder / path / WEIGHTS
    activation = config.get("activation_function", "torch.nn.modules.activation.Tanh")
    _check_head(folder / path / "config.json", config, activation)
    if not weights.is_file():
        raise DataError(weights, "the weights of a Dense head are missing", remedy="save the model with safetensors")
    digest = hashlib.sha256(weights.read_bytes()).hexdigest()
    sizes = int(config["in_features"]), int(config["out_features"])
    return Head(path, *sizes, bool(config.get("bias", True)), ACTIVATIONS[activation], digest)


def _check_head(path: Path, config: Mapping[str, Any], activation: str) -> None:
    if activation not in ACTIVATIONS:
        allowed = ", ".join(ACTIVATIONS)
        raise DataError(path, f"activation_function is {activation!r}", remedy=f"allowed are {allowed}")
    inside = {config.get(key) or "sentence_embedding" for key in ("module_input_name", "module_output_name")}
    if inside != {"sentence_embedding"} or config.get("use_residual"):
        raise DataError(path, "is no plain layer over the pooled vector", remedy="such models cannot be run here")


def _similarity(folder: Path, normalized: bool) -> str:
    found = str(read_json(folder / SETTINGS).get("similarity_fn_name") or "cosine")
    if found != "cosine" and not (normalized and found in ("dot", "euclidean")):
        remedy = "here vectors have length 1 and are compared by cosine: take a model that is trained for that"
        raise DataError(folder / SETTINGS, f"compares vectors by {found}", remedy=remedy)
    return found
