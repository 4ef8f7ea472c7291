"""BERT's forward pass beside sentence-transformers' own, and which folders are left to that."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import RobertaConfig, RobertaModel

from domain_embeddings.encoding import late
from domain_embeddings.encoding.bert import Bert, is_bert
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.encoding.encoder_config import WEIGHTS, EncoderConfig
from domain_embeddings.encoding.roles import Role
from tests.packaged import calibration_texts

TEXTS = ["", "brake", "P/N 0452-A", "Überdruck 5.3 bar", "The mast lifts the carriage. " * 60, *calibration_texts()[:4]]


def _peers(model: SentenceTransformer) -> np.ndarray:
    return model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)


def test_vectors_are_those_of_sentence_transformers(base: Model, peer: SentenceTransformer) -> None:
    assert isinstance(base.network, Bert)
    np.testing.assert_allclose(encode(base, TEXTS, Role.PASSAGE), _peers(peer), atol=1e-6)


def test_token_vectors_are_those_of_sentence_transformers(base: Model, peer: SentenceTransformer) -> None:
    found = late.encode(base, TEXTS, Role.PASSAGE, torch.float32)[1]

    theirs = peer.encode(TEXTS, output_value="token_embeddings", show_progress_bar=False)
    expected = torch.nn.functional.normalize(torch.cat([*theirs]), dim=1)
    torch.testing.assert_close(found.vectors, expected, atol=1e-5, rtol=0)


def test_padding_changes_nothing(base: Model) -> None:
    ids = torch.tensor([[101, 7592, 102]])
    padded, mask = torch.nn.functional.pad(ids, (0, 5)), torch.tensor([[1, 1, 1, 0, 0, 0, 0, 0]])

    with torch.inference_mode():
        alone, filled = base.network(ids, None)[1], base.network(padded, mask)[1]

    torch.testing.assert_close(alone, filled, atol=1e-6, rtol=0)


def test_a_saved_model_is_read_as_well(peer: SentenceTransformer, tmp_path: Path) -> None:
    peer.save_pretrained(str(tmp_path), create_model_card=False)

    assert is_bert(tmp_path, EncoderConfig.of(tmp_path))
    assert load(tmp_path, None, device="cpu").max_seq_length == peer.max_seq_length
    np.testing.assert_allclose(encode(load(tmp_path, 256, device="cpu"), TEXTS, Role.PASSAGE), _peers(peer), atol=1e-6)


def test_weights_may_have_bert_before_their_names(base_folder: Path, tmp_path: Path, base: Model) -> None:
    folder = Path(shutil.copytree(base_folder, tmp_path / "model"))
    weights = {f"bert.{name}": weight.clone() for name, weight in load_file(folder / WEIGHTS).items()}
    save_file(weights, folder / WEIGHTS)

    assert np.array_equal(
        encode(load(folder, 256, device="cpu"), TEXTS, Role.PASSAGE), encode(base, TEXTS, Role.PASSAGE)
    )


def test_missing_weights_are_named(base_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(base_folder, tmp_path / "model"))
    weights = load_file(folder / WEIGHTS)
    del weights["encoder.layer.3.output.dense.bias"]
    save_file({name: weight.clone() for name, weight in weights.items()}, folder / WEIGHTS)

    with pytest.raises(RuntimeError, match=r"encoder\.layer\.3\.output\.dense\.bias"):
        load(folder, 256, device="cpu")


def _config(**changes: object) -> Callable[[Path], None]:
    return _changed("config.json", changes)


def _changed(file: str, changes: dict[str, object]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / file
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return change


@pytest.mark.parametrize(
    "change",
    [
        _config(model_type="roberta"),
        _config(hidden_act="relu"),
        _config(position_embedding_type="relative_key"),
        _changed("sentence_bert_config.json", {"do_lower_case": True}),
        _changed("1_Pooling/config.json", {"pooling_mode_max_tokens": True}),
        lambda folder: (folder / WEIGHTS).unlink(),
    ],
)
def test_what_is_not_of_this_shape_is_left_to_sentence_transformers(
    base_folder: Path, tmp_path: Path, change: Callable[[Path], None]
) -> None:
    folder = Path(shutil.copytree(base_folder, tmp_path / "model"))
    assert is_bert(folder, EncoderConfig.of(folder))

    change(folder)

    assert not is_bert(folder, EncoderConfig.of(folder))


@pytest.fixture
def roberta(peer: SentenceTransformer, tmp_path: Path) -> Path:
    """A small RoBERTa with random weights, [CLS] pooling and the base's tokenizer."""
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=30522, hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64,
        max_position_embeddings=300, pad_token_id=0,
    )  # fmt: skip
    RobertaModel(config).save_pretrained(tmp_path / "bare")
    peer.tokenizer.save_pretrained(tmp_path / "bare")
    made = SentenceTransformer(str(tmp_path / "bare"), device="cpu")
    made[1] = Pooling(32, pooling_mode="cls")
    made.max_seq_length = 256
    made.save_pretrained(str(tmp_path / "roberta"), create_model_card=False)
    return tmp_path / "roberta"


def test_another_architecture_runs_through_sentence_transformers(roberta: Path) -> None:
    model = load(roberta, 256, device="cpu")

    assert not is_bert(roberta, model.config)
    assert model.dimension == 32
    expected = SentenceTransformer(str(roberta), device="cpu")
    np.testing.assert_allclose(encode(model, TEXTS, Role.PASSAGE), _peers(expected), atol=1e-5)
