"""Signatures of model folders with the OpenSSF's `model-signing`, by a key of your own (EC, PEM).

That package is large and is imported only where a key is used: who has none loads models without it.
"""

from pathlib import Path

from cryptography.exceptions import InvalidSignature

from domain_embeddings.core.errors import IntegrityError, UserError

NEW_KEY = "openssl ecparam -genkey -name prime256v1 -noout -out key.pem; openssl ec -in key.pem -pubout -out public.pem"


def signature_of(folder: Path) -> Path:
    """Where a folder's signature lies: beside it, for within it would be one of the files that it signs."""
    return folder.with_name(f"{folder.name}.sig")


def sign(folder: Path, private_key: Path) -> Path:
    """Sign all files of a folder; returns the signature's path. Raises a UserError for what is no EC key."""
    from model_signing.signing import Config

    signing = Config()  # type: ignore[no-untyped-call]
    try:
        signer = signing.use_elliptic_key_signer(private_key=private_key)
    except ValueError as error:
        raise UserError(f"{private_key}: is no private EC key: {error} (a new one: {NEW_KEY})") from error
    signer.sign(folder, signature_of(folder))
    return signature_of(folder)


def check_signature(folder: Path, signature: Path, public_key: Path) -> None:
    """Raise an IntegrityError unless `signature` is the key's and of exactly these files.

    An unreadable public key is the caller's mistake, not the model's: OSError or ValueError.
    """
    from model_signing.verifying import Config

    verifying = Config()  # type: ignore[no-untyped-call]
    verifier = verifying.use_elliptic_key_verifier(public_key=public_key)
    if not signature.is_file():
        raise IntegrityError(signature, "the signature is missing", remedy="`make sign KEY=…`")
    try:
        verifier.verify(folder, signature)
    except InvalidSignature as error:
        raise IntegrityError(signature, f"was not made by the key of {public_key}") from error
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:  # whatever a forged file may lack
        raise IntegrityError(signature, f"does not hold: {error}") from error
