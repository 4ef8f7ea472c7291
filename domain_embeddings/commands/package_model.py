"""The command `package`: a model that was trained elsewhere becomes a version, as the pipeline packages its own."""

from pathlib import Path
from typing import Annotated

import typer
from ruamel.yaml import YAML

from domain_embeddings.commands.workspace import MODELS
from domain_embeddings.core.errors import TOLD, give_up
from domain_embeddings.packaging.external_model import ModelArtifactCreator
from domain_embeddings.params.strict import Strict, validate


class Facts(Strict):
    """What a model's folder cannot tell of itself."""

    base_model: dict[str, str]
    training_corpus_hash: str
    training_commit: str
    benchmark_scores: dict[str, dict[str, float]]
    adversarial_results: dict[str, int]
    license_id: str = "apache-2.0"
    notes: str = ""


def package_model(
    folder: Annotated[Path, typer.Argument(help="A sentence-transformers folder.")],
    facts: Annotated[Path, typer.Argument(help="YAML or JSON: what the card says of it (docs/versions.md).")],
    corpus: Annotated[str, typer.Option(help="The corpus that the model is for.")],
    version: Annotated[str, typer.Option(help="Its version, such as 1.1.")],
    root: Annotated[Path, typer.Option(help="The folder that the models lie in.")] = MODELS,
) -> None:
    """Package a model that was trained elsewhere. Exit code 2: the folder or the facts cannot be used."""
    from sentence_transformers import SentenceTransformer  # only here: its import is slow

    try:
        told = validate(Facts, YAML(typ="safe").load(facts), facts)
        model = SentenceTransformer(str(folder), local_files_only=True, trust_remote_code=False, device="cpu")
        creator = ModelArtifactCreator(corpus, told.base_model, root, told.license_id, told.notes)
        packaged = creator.save_finetuned_model(
            model, version, told.training_corpus_hash, told.benchmark_scores, told.adversarial_results,
            told.training_commit,
        )  # fmt: skip
    except (*TOLD, ValueError) as error:
        give_up(error, 2)
    typer.echo(f"{packaged}: packaged")
