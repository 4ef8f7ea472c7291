"""`package`: a model that was trained elsewhere becomes a version that verifies."""

from pathlib import Path

from ruamel.yaml import YAML
from typer.testing import CliRunner

from domain_embeddings.commands.cli import app

FACTS = {
    "base_model": {"name": "owner/base", "revision": "a" * 40, "weights_sha256": "b" * 64},
    "training_corpus_hash": "c" * 64,
    "training_commit": "d" * 40,
    "benchmark_scores": {"base": {"ndcg@10": 0.5}, "tuned": {"ndcg@10": 0.6}},
    "adversarial_results": {"passed": 19, "total": 20},
}


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_folder_becomes_a_version_that_verifies(base_folder: Path, tmp_path: Path) -> None:
    YAML().dump(FACTS, tmp_path / "facts.yaml")
    version = ("--corpus", "tiny", "--version", "1.0", "--root", str(tmp_path / "models"))

    status, said = run("package", str(base_folder), str(tmp_path / "facts.yaml"), *version)

    assert status == 0
    assert f"{tmp_path / 'models/tiny-embeddings-v1.0'}: packaged\n" in said
    assert run("verify", *version)[0] == 0


def test_a_wrong_fact_is_named(base_folder: Path, tmp_path: Path) -> None:
    YAML().dump({**FACTS, "colour": "d"}, tmp_path / "facts.yaml")

    status, said = run(
        "package", str(base_folder), str(tmp_path / "facts.yaml"), "--corpus", "tiny", "--version", "1.0"
    )

    assert status == 2
    assert "colour: unknown key, allowed are base_model, training_corpus_hash" in said
