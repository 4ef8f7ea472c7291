"""A model with prompts and a head, from its folder over a package to a search."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from domain_embeddings.core.errors import UserError
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Prompts, Role, write_prompts
from domain_embeddings.packaging.artifact import CARD, README, package
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.probe import TEXTS
from domain_embeddings.search.index_protocol import IndexModelError, ModelIdentity
from tests.base_models import LEAF, SEARCHING, make_folder
from tests.packaged import card
from tests.searching import CORPUS, LATE, PASSAGES, in_folder, searching

OTHER = Prompts("find: ", "")
QUERY = "how do I bleed the brakes"


def _package(base: Path, root: Path, version: str) -> Path:
    """Package a base model's folder as it is."""
    described = card(base, version=version, dimension=64, max_seq_length=512)
    probed = encode(load(base, device="cpu"), TEXTS, Role.PASSAGE)
    package(base, probed, described, CORPUS, "apache-2.0", root / f"{CORPUS}-embeddings-v{version}")
    return root / f"{CORPUS}-embeddings-v{version}"


@pytest.fixture(scope="module")
def root(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Version 1.0 with the model's own prompts, 2.0 of the same weights with another."""
    folder = tmp_path_factory.mktemp("prompted")
    base = make_folder(LEAF, base_folder, folder / "leaf")
    _package(base, folder / "models", "1.0")
    write_prompts(base, OTHER)
    _package(base, folder / "models", "2.0")
    return folder / "models"


@pytest.fixture(scope="module")
def model(root: Path) -> VersionedEmbeddings:
    return VersionedEmbeddings("1.0", CORPUS, fallback_to_baseline=False, root=root)


def test_a_package_encodes_as_the_model_itself_does(root: Path, model: VersionedEmbeddings) -> None:
    peer = SentenceTransformer(str(root / "tiny-embeddings-v1.0"), device="cpu", local_files_only=True)
    texts = [QUERY, PASSAGES[0].content]

    asked, told = (one(texts, normalize_embeddings=True) for one in (peer.encode_query, peer.encode_document))

    np.testing.assert_allclose(model.encode_query(texts), asked, atol=1e-6)
    np.testing.assert_allclose(model.encode_passage(texts), told, atol=1e-6)
    assert (asked * told).sum(axis=1).max() < 0.999


def test_it_is_asked_what_the_texts_are(model: VersionedEmbeddings) -> None:
    with pytest.raises(UserError, match=r"v1\.0 has other prompts .*: call encode_query or encode_passage"):
        model.encode([QUERY])


def test_the_card_says_what_stands_before_a_text(root: Path, model: VersionedEmbeddings) -> None:
    said = json.loads((root / "tiny-embeddings-v1.0" / CARD).read_text())["encoding"]
    readme = (root / "tiny-embeddings-v1.0" / README).read_text()

    assert said["prompts"] == {"query": SEARCHING, "passage": ""} == model.get_model_info()["prompts"]
    assert (said["dimension"], said["width"], said["pooling"]) == (64, 32, ["mean"])
    assert f"| before each query | `{SEARCHING}` |\n| before each passage | nothing |" in readme
    assert "| pooling | mean, then a layer of 32 × 64 |" in readme


def test_search_asks_with_the_prompt_and_indexes_without(
    root: Path, model: VersionedEmbeddings, tmp_path: Path
) -> None:
    with searching(root, in_folder(tmp_path), system=LATE.by_meaning()) as retrieval:
        retrieval.index(PASSAGES)
        found = {result.id: result.similarity for result in retrieval.search(QUERY)}

    cosines = model.encode_passage([passage.content for passage in PASSAGES]) @ model.encode_query([QUERY])[0]
    assert found == pytest.approx({passage.id: cosines[i] for i, passage in enumerate(PASSAGES)}, abs=1e-5)


def test_late_interaction_goes_by_the_tokens_of_the_text(root: Path, tmp_path: Path) -> None:
    with searching(root, in_folder(tmp_path), system=LATE) as retrieval:
        retrieval.index(PASSAGES)
        first = retrieval.search("Two leaf chains", explain=True)[0]

    assert [match.word for match in first.matches] == ["two", "leaf", "chains"]
    content = {passage.id: passage.content for passage in PASSAGES}[first.id]
    assert all(content[start:end] in match.found for match in first.matches for start, end in match.spans)


def test_an_index_made_with_another_prompt_is_refused(root: Path, tmp_path: Path) -> None:
    with searching(root, in_folder(tmp_path)) as retrieval:
        retrieval.index(PASSAGES)
        old = retrieval.identity

    with searching(root, in_folder(tmp_path), version="2.0") as retrieval:
        assert retrieval.identity.sha256 == old.sha256
        with pytest.raises(IndexModelError, match=r"was built with tiny-embeddings-v1\.0 .*prompts and pooling"):
            retrieval.search(QUERY)
        retrieval.index(PASSAGES)
        assert len(retrieval.search(QUERY)) == len(PASSAGES)


def test_a_collection_goes_by_the_recipe_where_there_is_one() -> None:
    plain = ModelIdentity("base", "ab" * 32, 384, "torch")

    assert plain.collection(CORPUS) == "tiny-abababababab-384"
    assert replace(plain, recipe="01234567").collection(CORPUS) == "tiny-abababababab-384-01234567"


def test_another_prompt_is_another_recipe(root: Path) -> None:
    first, second = (EncoderConfig.of(root / f"tiny-embeddings-v{version}") for version in ("1.0", "2.0"))

    assert (first.prompts.query, second.prompts) == (SEARCHING, OTHER)
    assert first.recipe != second.recipe
