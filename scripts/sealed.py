"""One look at a sealed collection: what this commit's defaults do, label-free, on a BEIR folder that lies elsewhere.

    python -m scripts.sealed ../somewhere/beir-folder --name NAME    # `make sealed COLLECTION=../somewhere/beir-folder`

Runs the stages to `report` in a temporary copy of the commit's files, with params.yaml as committed but for `corpora`,
which holds this collection alone, and `ingest.splits`, which is [test]. Appends one line to metrics/sealed.jsonl, which
is a look. A run in which a stage fails makes no figures: it appends nothing and is no look.

Exit status 2 where the folder or the working tree is refused, 1 where a stage fails.
"""

import argparse
import hashlib
import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from ruamel.yaml import YAML

from domain_embeddings.commands.workspace import PARAMS, metrics_folder
from domain_embeddings.core.beir_files import read_dataset, read_jsonl
from domain_embeddings.core.errors import TOLD, DataError, UserError, give_up
from scripts.pipeline_copy import FILES, FOLDERS, TO_REPORT, StageError, copy_of, measured

RECORD = Path("metrics/sealed.jsonl")
HASHED = ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv")
ARMS = ("bm25", "base", "hybrid_base", "late_base", "shipped")
COLUMNS = ("ndcg@10", "recall@5")
VERDICT = ("verdict", "promoted", "shipped")
"""What is kept of verdict.json."""


class Collection(NamedTuple):
    """A collection that may be looked at."""

    name: str
    folder: Path
    """Absolute."""
    sha256: str


def opened(folder: Path, name: str | None, root: Path) -> Collection:
    """A collection outside of the repository `root`, named as its folder where `name` is None.

    A UserError for a folder inside, a name that cannot be a folder's, and a folder that `read_dataset` refuses or
    that has no test question.
    """
    place = folder.resolve()
    if place.is_relative_to(root.resolve()):
        raise UserError(f"{folder} lies inside the repository: a sealed collection is held outside of it")
    name = place.name if name is None else name
    if not re.fullmatch(r"\w[\w.-]*", name):
        raise UserError(f"{name!r} cannot name a collection: letters, digits, '_', '.' and '-' can (--name)")
    found = read_dataset(place)
    if not found.judged("test"):
        problem = "no test question with a relevant passage" if "test" in found.qrels else "file not found"
        raise DataError(place / "qrels/test.tsv", problem)
    return Collection(name, place, sha256_of(place))


def sha256_of(folder: Path) -> str:
    """The SHA-256, in hex, of a text with a line for each of HASHED, in that order: its SHA-256, two spaces, its name.

    `sha256sum corpus.jsonl queries.jsonl qrels/test.tsv | sha256sum` prints the same in the folder.
    """
    lines = []
    for name in HASHED:
        with (folder / name).open("rb") as file:
            lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def commit_of(root: Path) -> str:
    """The full hash of the commit that all files of the stages belong to; a UserError where one is not as committed."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=all", "--", *FOLDERS, *FILES)
    if changed:
        raise UserError(f"not as committed, so the figures would belong to no commit:\n{changed}\nCommit it first.")
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)
    if done.returncode:
        raise UserError(f"git {arguments[0]}: {done.stderr.strip()}")
    return done.stdout.rstrip()


def looks(record: Path, sha256: str) -> int:
    """How many looks a collection has had, under whatever name."""
    return sum(row["sha256"] == sha256 for _, row in read_jsonl(record)) if record.is_file() else 0


def label_free(params: Mapping[str, Any], collection: Collection) -> dict[str, Any]:
    """The params for this collection alone, of which only the test questions are read."""
    corpora = {collection.name: {"kind": "beir", "path": str(collection.folder)}}
    return {**params, "corpora": corpora, "ingest": {**params["ingest"], "splits": ["test"]}}


def run_stages(root: Path, collection: Collection, copy: Path) -> Path:
    """Run the stages in a copy of `root`'s files and return its metrics folder; a StageError where one fails."""
    YAML().dump(label_free(copy_of(root, copy), collection), copy / PARAMS)
    for found in measured(copy, TO_REPORT, [collection.name]):
        print(f"{found.stage:11} {found.seconds:7.1f} s", flush=True)
    return copy / metrics_folder(collection.name)


def result(metrics: Path) -> dict[str, Any]:
    """What is kept of a metrics folder: how many questions, figures by arm, verdict. An arm that is not there is left
    out, as is a word of the verdict."""
    arms, verdict = (json.loads((metrics / name).read_text("utf-8")) for name in ("evaluate.json", "verdict.json"))
    return {
        "n_queries": arms["base"]["n_queries"],
        "figures": {arm: {column: arms[arm][column] for column in COLUMNS} for arm in ARMS if arm in arms},
        "verdict": {word: verdict[word] for word in VERDICT if word in verdict},
    }


def append(record: Path, row: Mapping[str, Any]) -> None:
    """Add a line to the record."""
    record.parent.mkdir(exist_ok=True)
    with record.open("a", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(row, ensure_ascii=False) + "\n")


def table(figures: Mapping[str, Mapping[str, float]]) -> str:
    """A line for each arm."""
    lines = [" ".join([f"{'arm':11}", *(f"{column:>9}" for column in COLUMNS)])]
    lines += [" ".join([f"{arm:11}", *(f"{row[column]:9.3f}" for column in COLUMNS)]) for arm, row in figures.items()]
    return "\n".join(lines)


def main() -> None:
    """Refuse or look, write the look down, print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a BEIR folder with qrels/test.tsv, outside of the repository")
    parser.add_argument("--name", help="of the collection in the record; else its folder's")
    asked = parser.parse_args()
    root = Path.cwd()
    try:
        collection, commit = opened(asked.folder, asked.name, root), commit_of(root)
        print(f"{collection.name} has had {looks(RECORD, collection.sha256)} look(s) so far", flush=True)
    except TOLD as error:
        give_up(error, status=2)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            found = result(run_stages(root, collection, Path(temporary)))
    except StageError as error:
        give_up(error)
    append(
        RECORD,
        {
            "date": date.today().isoformat(),
            "commit": commit,
            "collection": collection.name,
            "sha256": collection.sha256,
            "look": looks(RECORD, collection.sha256) + 1,
            **found,
        },
    )
    print(table(found["figures"]), " ".join(f"{word}: {said}" for word, said in found["verdict"].items()), sep="\n")


if __name__ == "__main__":
    main()
