"""Turn per-query results into the figures that are kept in Git, and into a page to read.

Reads data/ingest/<corpus>/, data/synthesize/<corpus>/, data/train/<corpus>/history.json,
data/evaluate/<corpus>/ and data/guard/<corpus>/; writes metrics/<corpus>/ (tables, verdict, promotion, plot data,
report.md) and data/report/<corpus>/report.html. Cheap: it encodes nothing.

    python -m stages.report manuals
"""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from domain_embeddings.commands.workspace import load_params, metrics_folder, section, stage_folder
from domain_embeddings.core.beir_files import read_dataset, read_jsonl, read_queries, write_json
from domain_embeddings.core.dataset import asked_by
from domain_embeddings.evaluation.result_tables import with_slices
from domain_embeddings.evaluation.summarizing import Results, summarize, tables
from domain_embeddings.params.report import ReportParams
from domain_embeddings.params.search import SearchParams
from domain_embeddings.reporting.html_report import html
from domain_embeddings.reporting.markdown_report import markdown
from domain_embeddings.reporting.plot_data import write_plots
from domain_embeddings.systems.system import System
from stages.stage import asks_synthetic, corpus_argument, run_stage


def read_rows(path: Path) -> pd.DataFrame:
    """Per-query rows."""
    return pd.DataFrame([row for _, row in read_jsonl(path)])


def read_value(stage: str, corpus: str, name: str) -> Any:
    """A JSON file of a stage."""
    return json.loads((stage_folder(stage, corpus) / name).read_text(encoding="utf-8"))


def read_results(corpus: str) -> Results:
    """All that is reported on."""
    dataset = read_dataset(stage_folder("ingest", corpus))
    dev = read_rows(stage_folder("evaluate", corpus) / "dev.jsonl")
    made = read_queries(stage_folder("synthesize", corpus) / "queries.jsonl")
    search = section("search", SearchParams)
    offered = read_value("evaluate", corpus, "systems.json")
    return Results(
        corpus=corpus,
        kind=load_params()["corpora"][corpus]["kind"],
        dataset=dataset,
        ingested=read_value("ingest", corpus, "report.json")["counts"],
        test=with_slices(read_rows(stage_folder("evaluate", corpus) / "per_query.jsonl"), dataset),
        dev=dev,
        synthetic_dev=asks_synthetic(corpus),
        log=read_rows(stage_folder("evaluate", corpus) / "log.jsonl"),
        dev_asked_by=asked_by(made[i] for i in dev["query_id"].unique()),
        guard=read_rows(stage_folder("guard", corpus) / "per_query.jsonl"),
        history=read_value("train", corpus, "history.json"),
        seeds=[load_params()["seed"], *load_params()["train"]["further_seeds"]],
        depth=search.depth,
        systems=[System.model_validate(each["system"]) for each in offered],
        stored={each["system"]["name"]: each["bytes"] for each in offered},
        budget_kb=search.budget_kb,
        skipped=read_value("evaluate", corpus, "skipped.json"),
    )


def main() -> None:
    """Read, summarize, write."""
    name = corpus_argument()
    results = read_results(name)
    summary = summarize(results, section("report", ReportParams))
    folder = metrics_folder(name)
    for file, value in tables(summary, results).items():
        write_json(folder / file, value)
    write_plots(folder, summary, results.history["loss"])
    (folder / "report.md").write_text(markdown(summary), encoding="utf-8")
    page = stage_folder("report", name) / "report.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(html(summary), encoding="utf-8")


if __name__ == "__main__":
    run_stage(main)
