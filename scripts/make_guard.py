"""Draw the guard's collections anew: some dev questions of each sample corpus, and passages to rank for them.

Reads data/ingest/ and data/synthesize/ of the corpora that are named; writes data/raw/guard/<corpus>/, a BEIR folder
each, kept in Git so that no corpus of yours changes what another one's model is held against.

    python -m scripts.make_guard manuals memories encyclopedia
"""

import sys
from pathlib import Path

from domain_embeddings.commands.workspace import section, stage_folder
from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Dataset
from domain_embeddings.encoding.dev_set import read_sample
from domain_embeddings.params.guard import GuardParams

QUESTIONS, PASSAGES, LOOKALIKES, SEED = 100, 300, 2, 42


def main() -> None:
    """Draw and write."""
    folder = Path(section("guard", GuardParams).path)
    for corpus in sys.argv[1:]:
        source = stage_folder("ingest", corpus)
        dev = read_sample(source, stage_folder("synthesize", corpus), QUESTIONS, PASSAGES, SEED, LOOKALIKES)
        passages = {i: passage for i, passage in read_dataset(source).corpus.items() if i in dev.passages}
        write_dataset(folder / corpus, Dataset(passages, dict(dev.queries), {"dev": dev.qrels}))


if __name__ == "__main__":
    main()
