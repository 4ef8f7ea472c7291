"""`python -m domain_embeddings`."""

from domain_embeddings.commands.cli import app

if __name__ == "__main__":
    app(prog_name="python -m domain_embeddings")
