"""The search that set the train stage's defaults: DVC experiments, judged by dev questions alone.

Every setting below trains on every corpus; `evaluate` never runs, so no test question is looked at. A labelled BEIR
collection joins with --also: it is trained on label-free, and its train and dev questions judge. Its test questions are
left out of the copy that the search reads.

    python -m benchmarks.search_settings queue --also emanual=../emanual --corpora manuals emanual
    dvc exp run --run-all
    python -m benchmarks.search_settings table --corpora manuals emanual

A collection whose dev questions nobody asked cannot choose its share of the tuned weights: `--set
train.interpolate=[0.5,0.7,1.0]` and then `table --share 0.7` show what one share for all would give.
"""

import argparse
import json
import shutil
import subprocess
from pathlib import Path

from domain_embeddings.core.beir_files import read_dataset, write_dataset
from domain_embeddings.core.dataset import Dataset

SETTINGS: dict[str, list[str]] = {
    "defaults": [],
    "epochs-2": ["train.epochs=2"],
    "lr-1e-4": ["train.learning_rate=1e-4"],
    "lr-4e-4": ["train.learning_rate=4e-4"],
    "freeze-3": ["train.frozen_blocks=3"],
    "freeze-2": ["train.frozen_blocks=2"],
    "freeze-0": ["train.frozen_blocks=0"],
    "batch-128": ["train.batch_size=128"],
    "batch-32": ["train.batch_size=32"],
    "scale-12": ["train.scale=12"],
    "scale-30": ["train.scale=30"],
    "in-batch": ["train.negatives=0", "train.batch_size=128"],
    "negatives-3": ["train.negatives=3"],
    "cloze-0": ["train.cloze=0"],
    "cloze-90": ["train.cloze=0.9"],
    "guide": ["train.guide=''"],
    "share-90": ["mine.max_score_share=0.9"],
    "queries-16": ["synthesize.queries_per_passage=16"],
    "queries-4": ["synthesize.queries_per_passage=4"],
    "no-template": ["synthesize.sources.template=0", "synthesize.sources.heading=0"],
    "span": ["synthesize.sources.span=3"],
    "keyphrase": ["synthesize.sources.keyphrase=3"],
    "sentence": ["synthesize.sources.sentence=3"],
}
PREFIX = "settings-"
COPIES = Path("data/settings")


def unseen(name: str, folder: Path) -> Path:
    """A copy of a BEIR collection whose train and dev questions are its dev questions, and without its test ones."""
    dataset = read_dataset(folder)
    judged = {**dataset.judged("train"), **dataset.judged("dev")}
    qrels = {**dataset.qrels.get("train", {}), **dataset.qrels.get("dev", {})}
    copy = (COPIES / name).resolve()
    shutil.rmtree(copy, ignore_errors=True)
    write_dataset(copy, Dataset(dataset.corpus, judged, {"dev": {i: qrels[i] for i in judged}}))
    return copy


def queue(also: dict[str, Path], only: list[str], corpora: list[str], common: list[str]) -> None:
    """Queue an experiment for each setting, with the `common` changes of params in all of them."""
    extra = [f"+corpora.{name}={{kind: beir, path: {unseen(name, folder)}}}" for name, folder in also.items()]
    targets = [f"train@{corpus}" for corpus in corpora]
    for name, changes in SETTINGS.items():
        if not only or name in only:
            flags = [part for change in (*extra, *common, *changes) for part in ("-S", change)]
            subprocess.run(["dvc", "exp", "run", "--queue", "-n", PREFIX + name, *flags, *targets], check=True)


def dev_of(experiment: str, corpus: str, share: float | None) -> dict[str, float]:
    """Dev nDCG@10 of the base and of the weights that an experiment kept, or of a mix with this share of the tuned."""
    command = ["dvc", "get", ".", f"data/train/{corpus}/history.json", "--rev", experiment, "--show-url"]
    url = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    history = json.loads(Path(url).read_text(encoding="utf-8"))
    tried = {row["share"]: row["dev_ndcg@10"] for row in history["shares"]}
    if share is not None and share not in tried:
        raise SystemExit(f"{experiment} did not try share {share} on {corpus}: --share takes one of {sorted(tried)}")
    return {"base": history["dev"][0]["dev_ndcg@10"], "tuned": max(tried.values()) if share is None else tried[share]}


def table(corpora: list[str], share: float | None) -> None:
    """A Markdown table: dev nDCG@10 by setting and corpus, best mean gain over the base first."""
    listed = subprocess.run(["dvc", "exp", "list", "--name-only"], check=True, capture_output=True, text=True).stdout
    done = [name for name in listed.split() if name.startswith(PREFIX)]
    rows = []
    for experiment in done:
        found = [dev_of(experiment, corpus, share) for corpus in corpora]
        gain = sum(row["tuned"] - row["base"] for row in found) / len(found)
        rows.append((gain, experiment.removeprefix(PREFIX), found))
    print(f"| setting | {' | '.join(corpora)} | mean gain |\n|---{'|---' * len(corpora)}|---|")
    for gain, name, found in sorted(rows, key=lambda row: -row[0]):
        tuned = " | ".join(f"{row['tuned']:.3f}" for row in found)
        print(f"| {name} | {tuned} | {gain:+.4f} |")


def main() -> None:
    """Queue or show."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["queue", "table"])
    parser.add_argument("--also", action="append", default=[], metavar="NAME=FOLDER", help="a labelled BEIR collection")
    parser.add_argument("--only", nargs="*", default=[], choices=list(SETTINGS), help="these settings")
    parser.add_argument("--corpora", nargs="+", default=["manuals", "encyclopedia", "memories"], help="to train on")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a param changed in all")
    parser.add_argument("--share", type=float, help="one of train.interpolate, for all; without it each corpus's best")
    asked = parser.parse_args()
    if asked.what == "queue":
        collections = {name: Path(folder) for name, folder in (pair.split("=", 1) for pair in asked.also)}
        queue(collections, asked.only, asked.corpora, asked.set)
    else:
        table(asked.corpora, asked.share)


if __name__ == "__main__":
    main()
