"""Model folders in the shape of published base models: their own small files, tiny random weights."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer, SentencePieceUnigramTokenizer, Tokenizer
from tokenizers.processors import TemplateProcessing
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    DistilBertConfig,
    ElectraConfig,
    ModernBertConfig,
    MPNetConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
    RobertaConfig,
    XLMRobertaConfig,
)

from domain_embeddings.encoding.encoder_config import WEIGHTS
from domain_embeddings.encoding.roles import SETTINGS
from tests.packaged import calibration_texts

WIDTH = 32
SEARCHING = "Represent this sentence for searching relevant passages: "
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")
MEAN = {
    "word_embedding_dimension": WIDTH,
    "pooling_mode_cls_token": False,
    "pooling_mode_mean_tokens": True,
    "pooling_mode_max_tokens": False,
    "pooling_mode_mean_sqrt_len_tokens": False,
}
CLS = {**MEAN, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}
DENSE = {
    "in_features": WIDTH, "out_features": 2 * WIDTH, "bias": True,
    "activation_function": "torch.nn.modules.linear.Identity",
}  # fmt: skip


@dataclass(frozen=True)
class Shape:
    """What a published model's folder holds."""

    name: str
    """What the hub calls it."""
    pooling: Mapping[str, Any]
    max_seq_length: int = 512
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of config_sentence_transformers.json."""
    dense: Mapping[str, Any] | None = None
    normalize: bool = True
    prompts: Mapping[str, str] | None = None
    """What params.yaml has to say, where the files do not."""


MINILM = Shape("sentence-transformers/all-MiniLM-L6-v2", MEAN, 256)
LEAF = Shape(
    "MongoDB/mdbr-leaf-ir",
    MEAN,
    settings={"prompts": {"query": SEARCHING, "document": ""}, "similarity_fn_name": "cosine"},
    dense=DENSE,
    normalize=False,
)
ARCTIC = Shape("Snowflake/snowflake-arctic-embed-xs", CLS, settings={"prompts": {"query": SEARCHING}})
BGE = Shape("BAAI/bge-small-en-v1.5", CLS, prompts={"query": SEARCHING, "passage": ""})
E5 = Shape("intfloat/e5-small-v2", MEAN, prompts={"query": "query: ", "passage": "passage: "})
GRANITE = Shape("ibm-granite/granite-embedding-small-english-r2", CLS, 8192, normalize=False)
BERTS = [MINILM, LEAF, ARCTIC, BGE, E5]


def make_folder(shape: Shape, tokenizer: Path, folder: Path) -> Path:
    """Write the model's folder, with the tokenizer of another one."""
    torch.manual_seed(0)
    config = BertConfig(hidden_size=WIDTH, num_hidden_layers=3, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    for name in TOKENIZER_FILES:
        shutil.copyfile(tokenizer / name, folder / name)
    return finish(shape, folder)


CALIBRATION = calibration_texts()
SMALL = {"num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 64, "hidden_size": WIDTH}
DISTILLED = {"dim": WIDTH, "n_layers": 3, "n_heads": 2, "hidden_dim": 64}
MODERN = {
    "global_attn_every_n_layers": 2, "local_attention": 16, "pad_token_id": 0, "cls_token_id": 1, "sep_token_id": 2,
    "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
KINDS: dict[str, tuple[type[PretrainedConfig], dict[str, Any], str]] = {
    "bert": (BertConfig, SMALL, "wordpiece"),
    "roberta": (RobertaConfig, {**SMALL, "max_position_embeddings": 514}, "bytes"),
    "xlm-roberta": (XLMRobertaConfig, {**SMALL, "max_position_embeddings": 514}, "pieces"),
    "mpnet": (MPNetConfig, {**SMALL, "max_position_embeddings": 514}, "wordpiece"),
    "distilbert": (DistilBertConfig, DISTILLED, "wordpiece"),
    "modernbert": (ModernBertConfig, {**SMALL, **MODERN, "max_position_embeddings": 512}, "bytes"),
    "electra": (ElectraConfig, {**SMALL, "embedding_size": WIDTH}, "wordpiece"),
}
"""Kind of model → its config, tiny, and the kind of its tokenizer. Of the last one nobody knows how blocks are run."""
ARCHITECTURES = [kind for kind in KINDS if kind != "electra"]


def make_kind(kind: str, shape: Shape, folder: Path) -> Path:
    """A model's folder with random weights of an architecture, and a tokenizer that is trained on a sample manual."""
    config, values, cut = KINDS[kind]
    pad = values.get("pad_token_id", config().pad_token_id)
    tokenizer = _tokenizer(cut, pad)
    torch.manual_seed(0)
    made = config(**{"vocab_size": tokenizer.vocab_size, **values})
    AutoModel.from_config(made).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return finish(shape, folder)


def _tokenizer(cut: str, pad: int) -> PreTrainedTokenizerFast:
    """Cuts words at letters or bytes; [CLS], [SEP] and [PAD] have the numbers that the architecture's config has."""
    marks = ["<s>", "<pad>", "</s>", "<unk>"] if pad else ["<pad>", "<s>", "</s>", "<unk>"]
    maker: Any
    if cut == "wordpiece":
        maker = BertWordPieceTokenizer(unk_token="<unk>", sep_token="</s>", cls_token="<s>", pad_token="<pad>")
        maker.train_from_iterator(CALIBRATION, vocab_size=800, special_tokens=marks, show_progress=False)
    elif cut == "bytes":
        maker = ByteLevelBPETokenizer()
        maker.train_from_iterator(CALIBRATION, vocab_size=800, special_tokens=marks, show_progress=False)
    else:
        maker = SentencePieceUnigramTokenizer()
        maker.train_from_iterator(
            CALIBRATION, vocab_size=400, special_tokens=marks, unk_token="<unk>", show_progress=False
        )
    tokenizer = Tokenizer.from_str(maker.to_str())
    edges = [(mark, tokenizer.token_to_id(mark)) for mark in ("<s>", "</s>")]
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B </s>", special_tokens=edges
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, cls_token="<s>", sep_token="</s>", bos_token="<s>", eos_token="</s>",
        pad_token="<pad>", unk_token="<unk>", model_max_length=512,
    )  # fmt: skip


def finish(shape: Shape, folder: Path) -> Path:
    """Write what stands around the transformer of a folder."""
    parts = [("", "Transformer"), ("1_Pooling", "Pooling")]
    parts += [("2_Dense", "Dense")] if shape.dense else []
    parts += [(f"{len(parts)}_Normalize", "Normalize")] if shape.normalize else []
    modules = [
        {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for i, (path, kind) in enumerate(parts)
    ]
    _write(folder / "modules.json", modules)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": shape.max_seq_length, "do_lower_case": False})
    _write(folder / SETTINGS, {"__version__": {"sentence_transformers": "2.7.0"}, **shape.settings})
    _write(folder / "1_Pooling/config.json", shape.pooling)
    if shape.dense:
        _write(folder / "2_Dense/config.json", shape.dense)
        layer = torch.nn.Linear(shape.dense["in_features"], shape.dense["out_features"])
        save_file(
            {f"linear.{name}": weight for name, weight in layer.state_dict().items()}, folder / "2_Dense" / WEIGHTS
        )
    return folder


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
