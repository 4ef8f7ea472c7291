"""What a folder's files say of how it encodes, and the models that are refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig, longest, positions, write_length
from domain_embeddings.encoding.roles import SETTINGS, Prompts, write_prompts
from tests.base_models import ARCTIC, LEAF, SEARCHING, make_folder


@pytest.fixture(scope="module")
def leaf(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_folder(LEAF, base_folder, tmp_path_factory.mktemp("leaf"))


@pytest.fixture
def own(leaf: Path, tmp_path: Path) -> Path:
    """A copy to change."""
    return Path(shutil.copytree(leaf, tmp_path / "leaf"))


def _change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_the_default_base_is_a_mean_of_256_tokens(base_folder: Path) -> None:
    found = EncoderConfig.of(base_folder)

    assert (found.prompts, found.pooling, found.heads) == (Prompts(), ("mean",), ())
    assert (found.max_seq_length, found.width, found.dimension, found.normalized) == (256, 384, 384, True)
    assert (found.similarity, found.recipe) == ("cosine", "")


def test_prompts_head_and_length_are_read(leaf: Path) -> None:
    found = EncoderConfig.of(leaf)

    assert found.prompts == Prompts(SEARCHING, "")
    assert (found.max_seq_length, found.width, found.dimension, found.normalized) == (512, 32, 64, False)
    assert [(head.folder, head.inputs, head.outputs, head.activation) for head in found.heads] == [
        ("2_Dense", 32, 64, "Identity")
    ]
    assert EncoderConfig.of(leaf, 64).max_seq_length == 64
    assert found.as_json()["prompts"] == {"query": SEARCHING, "passage": ""}


def test_the_first_token_is_read_as_pooling(base_folder: Path, tmp_path: Path) -> None:
    folder = make_folder(ARCTIC, base_folder, tmp_path)
    assert EncoderConfig.of(folder).pooling == ("cls",)

    (folder / "1_Pooling/config.json").write_text('{"embedding_dimension": 32, "pooling_mode": ["cls", "lasttoken"]}')
    found = EncoderConfig.of(folder)
    assert (found.pooling, found.width, found.dimension) == (("cls", "lasttoken"), 32, 64)


def _prompt(folder: Path) -> None:
    write_prompts(folder, Prompts("another: ", ""))


def _pool(folder: Path) -> None:
    _change(folder / "1_Pooling/config.json", pooling_mode_mean_tokens=False, pooling_mode_cls_token=True)


def _head(folder: Path) -> None:
    content = bytearray((folder / "2_Dense" / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (folder / "2_Dense" / WEIGHTS).write_bytes(content)


def _length(folder: Path) -> None:
    write_length(folder, 100)


@pytest.mark.parametrize("change", [_prompt, _pool, _head, _length])
def test_whatever_changes_vectors_changes_the_recipe(leaf: Path, own: Path, change: Callable[[Path], None]) -> None:
    expected = EncoderConfig.of(leaf).recipe
    assert len(expected) == 8
    assert EncoderConfig.of(own).recipe == expected

    change(own)

    assert EncoderConfig.of(own).recipe not in ("", expected)


@pytest.mark.parametrize(
    ("file", "changes", "problem"),
    [
        ("1_Pooling/config.json", {"include_prompt": False}, "leaves the prompt out"),
        ("1_Pooling/config.json", {"pooling_mode_mean_tokens": False}, "does not say how tokens are pooled"),
        ("2_Dense/config.json", {"activation_function": "os.system"}, "activation_function is 'os.system'"),
        ("2_Dense/config.json", {"module_input_name": "token_embeddings"}, "no plain layer over the pooled vector"),
        ("2_Dense/config.json", {"use_residual": True}, "no plain layer over the pooled vector"),
        (SETTINGS, {"similarity_fn_name": "dot"}, "compares vectors by dot"),
    ],
)
def test_a_model_that_would_be_run_otherwise_than_it_says_is_refused(
    own: Path, file: str, changes: dict[str, Any], problem: str
) -> None:
    _change(own / file, **changes)

    with pytest.raises(DataError, match=problem):
        EncoderConfig.of(own)


def test_a_head_without_safetensors_is_refused(own: Path) -> None:
    (own / "2_Dense" / WEIGHTS).rename(own / "2_Dense/pytorch_model.bin")

    with pytest.raises(DataError, match=r"2_Dense/model\.safetensors: the weights of a Dense head are missing"):
        EncoderConfig.of(own)


@pytest.mark.parametrize(
    "kinds", [[], ["Transformer"], ["Pooling", "Transformer"], ["Transformer", "Pooling", "Normalize", "Dense"],
              ["Transformer", "Pooling", "Router"], ["StaticEmbedding"]],
)  # fmt: skip
def test_modules_in_another_order_are_refused(own: Path, kinds: list[str]) -> None:
    rows = [{"idx": i, "path": f"{i}", "type": f"sentence_transformers.models.{kind}"} for i, kind in enumerate(kinds)]
    (own / "modules.json").write_text(json.dumps(rows))

    with pytest.raises(DataError, match=r"modules\.json: lists .*allowed are a Transformer, then Pooling"):
        EncoderConfig.of(own)


def test_dot_products_of_unit_vectors_are_cosines(base_folder: Path, tmp_path: Path) -> None:
    folder = make_folder(ARCTIC, base_folder, tmp_path)
    _change(folder / SETTINGS, similarity_fn_name="dot")

    assert EncoderConfig.of(folder).similarity == "dot"


@pytest.mark.parametrize(
    ("config", "asked", "expected"),
    [
        ({"max_position_embeddings": 512}, {"max_seq_length": 256}, 256),
        ({"max_position_embeddings": 512}, {"max_seq_length": 1024}, 512),
        ({"max_position_embeddings": 514, "model_type": "roberta", "pad_token_id": 1}, {}, 512),
        ({"max_position_embeddings": 8192, "model_type": "modernbert"}, {}, 8192),
    ],
)
def test_no_text_is_longer_than_the_models_positions(
    tmp_path: Path, config: dict[str, Any], asked: dict[str, int], expected: int
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps(asked))
    (tmp_path / "tokenizer_config.json").write_text('{"model_max_length": 1000000000000000019884624838656}')

    assert longest(tmp_path) == expected


def test_a_model_may_have_no_limit(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")

    assert positions(tmp_path) is None
    with pytest.raises(DataError, match=r"hold no length \(set base_model\.max_seq_length"):
        longest(tmp_path)
