"""Signatures: made and held, missing, of another key, of other bytes, forged."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from domain_embeddings.core.errors import IntegrityError, UserError
from domain_embeddings.packaging.embeddings import VersionedEmbeddings
from domain_embeddings.packaging.manifest import write_manifest
from domain_embeddings.packaging.signature import sign
from tests.packaged import NAME, copy_models, replace


def make_key(folder: Path) -> tuple[Path, Path]:
    """A private and its public key, in PEM."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    private, public = folder / "key.pem", folder / "public.pem"
    plain = serialization.NoEncryption()
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, plain)
    )
    info = serialization.PublicFormat.SubjectPublicKeyInfo
    public.write_bytes(key.public_key().public_bytes(serialization.Encoding.PEM, info))
    return private, public


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, Path]:
    return make_key(tmp_path / "keys")


@pytest.fixture
def root(models: Path, tmp_path: Path, key: tuple[Path, Path]) -> Path:
    """Models of which the version is signed, the base is not."""
    root = copy_models(models, tmp_path / "models")
    sign(root / NAME, key[0])
    return root


def load(root: Path, public_key: Path, version: str = "1.0") -> VersionedEmbeddings:
    return VersionedEmbeddings(version, "tiny", root=root, public_key=public_key, fallback_to_baseline=version != "1.0")


def test_a_signed_model_is_loaded(root: Path, key: tuple[Path, Path]) -> None:
    assert load(root, key[1]).get_model_info()["checked_against"] == ["manifest", "signature"]


def test_a_key_of_another_kind_is_refused(models: Path, tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("no key")

    with pytest.raises(UserError, match=r"key\.pem: is no private EC key: .*\(a new one: openssl ecparam"):
        sign(models / NAME, tmp_path / "key.pem")


def test_without_its_signature_a_model_is_refused(root: Path, key: tuple[Path, Path]) -> None:
    (root / f"{NAME}.sig").unlink()

    with pytest.raises(IntegrityError, match=rf"{NAME}\.sig: the signature is missing"):
        load(root, key[1])


def test_an_unsigned_base_stands_in_for_nothing(root: Path, key: tuple[Path, Path]) -> None:
    with pytest.raises(IntegrityError, match=r"base\.sig: the signature is missing"):
        load(root, key[1], version="9.9")

    sign(root / "base", key[0])
    assert load(root, key[1], version="9.9").get_model_info()["checked_against"] == ["manifest", "signature"]


def test_another_key_is_refused(root: Path, tmp_path: Path) -> None:
    _, other = make_key(tmp_path / "others")

    with pytest.raises(IntegrityError, match=rf"{NAME}\.sig: does not hold: Key mismatch"):
        load(root, other)


def test_a_change_that_the_manifest_follows_is_refused(root: Path, key: tuple[Path, Path]) -> None:
    replace(root / NAME / "vocab.txt", b"abc")
    write_manifest(root / NAME, root / NAME / "manifest.json")

    with pytest.raises(IntegrityError, match=r"(?s)\.sig: does not hold: Signature mismatch.*vocab\.txt"):
        load(root, key[1])


@pytest.mark.parametrize("forged", [b"", b"{}", b"[]", b"\xff", b'{"verificationMaterial": {}}'])
def test_a_forged_signature_is_refused(root: Path, key: tuple[Path, Path], forged: bytes) -> None:
    (root / f"{NAME}.sig").write_bytes(forged)

    with pytest.raises(IntegrityError, match=rf"{NAME}\.sig: "):
        load(root, key[1])


def test_one_changed_character_of_the_signature_is_refused(root: Path, key: tuple[Path, Path]) -> None:
    path = root / f"{NAME}.sig"
    start = path.read_text().index('"sig"') + 20
    text = path.read_text()
    path.write_text(text[:start] + ("A" if text[start] != "A" else "B") + text[start + 1 :])

    with pytest.raises(IntegrityError, match=rf"{NAME}\.sig: "):
        load(root, key[1])


def test_a_missing_public_key_is_the_callers_mistake(root: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        VersionedEmbeddings("1.0", "tiny", root=root, public_key=tmp_path / "none.pem")
