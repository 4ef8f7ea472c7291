"""Folders in the shape of published base models, beside sentence-transformers' own encode_query and encode_document."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding import late
from domain_embeddings.encoding.bert import Bert
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.encoding.roles import Prompts, Role
from domain_embeddings.encoding.tokens import pieces
from domain_embeddings.params.base_model import BaseModelParams
from stages import base_model
from tests.base_models import (
    ARCHITECTURES,
    BERTS,
    BGE,
    E5,
    GRANITE,
    KINDS,
    LEAF,
    MINILM,
    SEARCHING,
    Shape,
    make_folder,
    make_kind,
)
from tests.packaged import calibration_texts

TEXTS = ["", "brake", " P/N 0452-A", "Überdruck 5.3 bar", "the mast " * 600, *calibration_texts()[:3]]


def _params(shape: Shape) -> BaseModelParams:
    values = {"source": "hub", "name": shape.name, "revision": "0" * 40, "sha256": {"model.safetensors": "0" * 64}}
    return BaseModelParams.model_validate({**values, "prompts": shape.prompts})


def _made(shape: Shape, tokenizer: Path, folder: Path) -> Path:
    """A model's folder as the base_model stage leaves it."""
    base_model.configure(make_folder(shape, tokenizer, folder), _params(shape))
    return folder


@pytest.mark.parametrize("shape", BERTS, ids=lambda shape: shape.name.split("/")[1])
def test_vectors_are_those_of_the_models_own_way(base_folder: Path, tmp_path: Path, shape: Shape) -> None:
    folder = _made(shape, base_folder, tmp_path)
    model, peer = load(folder, device="cpu"), SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    assert isinstance(model.network, Bert)
    assert model.max_seq_length == peer.max_seq_length == shape.max_seq_length
    asked, told = (one(TEXTS, normalize_embeddings=True) for one in (peer.encode_query, peer.encode_document))
    np.testing.assert_allclose(encode(model, TEXTS, Role.QUERY), asked, atol=1e-6)
    np.testing.assert_allclose(encode(model, TEXTS, Role.PASSAGE), told, atol=1e-6)
    same = shape is MINILM
    assert np.allclose(asked, told, atol=1e-6) == same


@pytest.mark.parametrize("kind", KINDS)
def test_vectors_of_every_architecture_are_those_of_sentence_transformers(kind: str, tmp_path: Path) -> None:
    folder = make_kind(kind, LEAF, tmp_path)
    model, peer = load(folder, device="cpu"), SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    assert isinstance(model.network, Bert) == (kind == "bert")
    asked, told = (one(TEXTS, normalize_embeddings=True) for one in (peer.encode_query, peer.encode_document))
    np.testing.assert_allclose(encode(model, TEXTS, Role.QUERY), asked, atol=1e-5)
    np.testing.assert_allclose(encode(model, TEXTS, Role.PASSAGE), told, atol=1e-5)


def test_granites_shape_reads_its_first_token(tmp_path: Path) -> None:
    folder = make_kind("modernbert", GRANITE, tmp_path)
    model, peer = load(folder, device="cpu"), SentenceTransformer(str(folder), device="cpu", local_files_only=True)

    assert (model.config.pooling, model.config.prompts, model.max_seq_length) == (("cls",), Prompts(), 512)
    expected = peer.encode_query(TEXTS[:4], normalize_embeddings=True)
    np.testing.assert_allclose(encode(model, TEXTS[:4], Role.QUERY), expected, atol=1e-5)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_architectures_token_vectors_are_those_of_the_text(kind: str, tmp_path: Path) -> None:
    model = load(make_kind(kind, LEAF, tmp_path), device="cpu")
    text, prompt = "The brake fluid, 12 V.", model.config.prompts.query
    ids = model.tokenizer.encode(prompt + text).ids
    before = len(model.tokenizer.encode(prompt.strip(), add_special_tokens=False).ids)

    (tokens,) = late.encode_tokens(model, [text], Role.QUERY)[1]
    weighed = late.encode(model, [text], Role.QUERY, torch.float32)[1]

    found = pieces(model.tokenizer, text, prompt)
    assert len(found) == len(tokens) == len(ids) - before
    states = late.encode_tokens(model, [prompt + text], Role.PASSAGE)[1][0]
    np.testing.assert_allclose(tokens, np.concatenate([states[:1], states[1 + before :]]), atol=1e-5)
    shown = [text[piece.start : piece.end].strip() for piece in found if piece.token is not None]
    assert "".join(shown) == text.replace(" ", "")
    weights = [weight for weight in late.token_weights([piece.token for piece in found]) if weight]
    assert weighed.vectors.norm(dim=1).tolist() == pytest.approx(weights, abs=1e-5)  # search weighs as evaluation does
    assert weights[0] < max(weights)  # "The" counts half


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_word_of_several_tokens_is_one_whatever_the_tokenizer(kind: str, tmp_path: Path) -> None:
    tokenizer = load(make_kind(kind, LEAF, tmp_path), device="cpu").tokenizer

    found = [piece for piece in pieces(tokenizer, "xylophone brake", SEARCHING) if piece.token is not None]

    words = list(dict.fromkeys(piece.word for piece in found))
    assert len(found) > len(words) == 2
    spans = [[piece for piece in found if piece.word == word] for word in words]
    assert ["xylophone brake"[some[0].start : some[-1].end].strip() for some in spans] == ["xylophone", "brake"]


@pytest.mark.parametrize("shape", [BGE, E5])
def test_without_its_prompts_a_model_is_not_taken(base_folder: Path, tmp_path: Path, shape: Shape) -> None:
    folder = make_folder(shape, base_folder, tmp_path)

    with pytest.raises(DataError, match=rf"{shape.name} was trained with prompts.*base_model\.prompts"):
        base_model.configure(folder, _params(shape).model_copy(update={"prompts": None}))


def test_with_an_empty_prompt_the_default_base_gives_its_own_bytes(base: Model, peer: SentenceTransformer) -> None:
    vectors, others = (encode(base, TEXTS, role) for role in Role)

    assert np.array_equal(vectors, others)
    assert [ids.tolist() for ids in base.ids(TEXTS[1:3], Role.QUERY)] == [
        ids[mask.bool()].tolist()
        for text in TEXTS[1:3]
        for ids, mask in [[row[0] for row in (peer.preprocess([text])[key] for key in ("input_ids", "attention_mask"))]]
    ]
    np.testing.assert_allclose(vectors, peer.encode(TEXTS, normalize_embeddings=True), atol=1e-6)


@pytest.fixture(scope="module")
def e5(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return load(_made(E5, base_folder, tmp_path_factory.mktemp("e5")), device="cpu")


@pytest.mark.parametrize("role", list(Role))
def test_the_prompts_tokens_are_none_of_the_texts(e5: Model, role: Role) -> None:
    text = "Fuse F12."
    prompt = e5.config.prompts.of(role)

    (tokens,) = late.encode_tokens(e5, [text], role)[1]

    found = pieces(e5.tokenizer, text, prompt)
    assert [piece.token for piece in found] == [None, "fuse", "f1", "##2", ".", None]
    assert [text[piece.start : piece.end] for piece in found if piece.token] == ["Fuse", "F1", "2", "."]
    whole = e5.tokenizer.encode(prompt + text).ids
    with torch.inference_mode():
        states = e5.network(torch.tensor([whole]), None)[0][0]
    own = torch.nn.functional.normalize(torch.cat([states[:1], states[3:]]), dim=1)  # a word and a colon
    np.testing.assert_allclose(tokens, own.numpy(), atol=1e-6)


def test_a_query_is_weighed_without_its_prompt(e5: Model) -> None:
    tokens = late.encode(e5, ["Fuse F12."], Role.QUERY, torch.float32)[1]

    lengths = tokens.vectors.norm(dim=1).tolist()
    assert lengths == pytest.approx([8 / 7, 8 / 7, 8 / 7, 4 / 7])  # fuse, f1, ##2 and, half, the full stop


def test_token_vectors_are_as_wide_as_the_transformer_under_a_head(base_folder: Path, tmp_path: Path) -> None:
    model = load(_made(LEAF, base_folder, tmp_path), device="cpu")

    single, tokens = late.encode_tokens(model, ["brake"], Role.QUERY)

    assert (single.shape, [each.shape for each in tokens]) == ((1, 64), [(3, 32)])
    assert model.config.prompts.query == SEARCHING


def test_a_length_beyond_the_positions_is_refused(base_folder: Path, tmp_path: Path) -> None:
    folder = make_folder(MINILM, base_folder, tmp_path)

    with pytest.raises(DataError, match=r"has positions for 512 tokens \(base_model\.max_seq_length is 513\)"):
        base_model.configure(folder, _params(MINILM).model_copy(update={"max_seq_length": 513}))
    base_model.configure(folder, _params(MINILM).model_copy(update={"max_seq_length": 512}))
    assert load(folder, device="cpu").max_seq_length == 512


def test_what_the_files_say_already_is_not_written_again(base_folder: Path, tmp_path: Path) -> None:
    folder = make_folder(MINILM, base_folder, tmp_path)
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}

    base_model.configure(folder, _params(MINILM).model_copy(update={"max_seq_length": 256}))

    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
