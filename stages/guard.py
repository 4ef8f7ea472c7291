"""Ask questions of other fields of the base and of the model tuned on this corpus, so that forgetting shows.

Reads the BEIR folders in `guard.path`, but one named as the corpus, models/base/ and models/tuned/<corpus>/; writes
data/guard/<corpus>/per_query.jsonl, a row for each collection, arm and question.

    python -m stages.guard manuals
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from domain_embeddings.commands.workspace import BASE_MODEL, section, stage_folder, tuned_model
from domain_embeddings.core.beir_files import read_dataset, write_jsonl
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.dev_set import Dev, per_query
from domain_embeddings.encoding.encoder import Model, load
from domain_embeddings.evaluation.question_groups import groups_of
from domain_embeddings.params.guard import GuardParams
from stages.stage import corpus_argument, run_stage


def read_dev(folder: Path) -> Dev:
    """All passages of a collection and its dev questions; a DataError where it has none."""
    found = read_dataset(folder)
    asked = found.judged("dev")
    if not asked:
        raise DataError(folder / "qrels/dev.tsv", "no dev question with a relevant passage", remedy="add some")
    passages = {passage.id: passage.content for passage in found.corpus.values()}
    return Dev(passages, asked, {query_id: found.qrels["dev"][query_id] for query_id in asked})


def ranked(collection: str, dev: Dev, models: dict[str, Model]) -> Iterator[dict[str, Any]]:
    """A row for each arm and question of one collection, whose name stands before the ids of questions."""
    groups = groups_of(dev.qrels)
    for arm, model in models.items():
        for query_id, row in per_query(model, dev, progress=True, exact=False).items():
            names = {"query_id": f"{collection}/{query_id}", "group": f"{collection}/{groups[query_id]}"}
            yield {"corpus": collection, "arm": arm, **names, **row}


def main() -> None:
    """Read, rank, score, write."""
    name = corpus_argument()
    folders = sorted(Path(section("guard", GuardParams).path).glob("*/"))
    others = {folder.name: read_dev(folder) for folder in folders if folder.name != name}
    models = {"base": load(BASE_MODEL), "tuned": load(tuned_model(name))}
    rows = (row for other, dev in others.items() for row in ranked(other, dev, models))
    write_jsonl(stage_folder("guard", name) / "per_query.jsonl", rows)


if __name__ == "__main__":
    run_stage(main)
