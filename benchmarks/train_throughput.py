"""Training speed: this repository's engine against the plain recipe, in turn, on the same triplets.

Plain is what the sentence-transformers documentation shows: the Trainer, MultipleNegativesRankingLoss, four of six
blocks without gradients. Ours is the same Trainer and loss over the cached states of the frozen blocks (building the
cache is counted), each distinct text of a batch once, texts of like length together, bfloat16 where the CPU has it, no
dropout. Each runs in a process of its own, so that its peak memory is its own.

    python -m benchmarks.train_throughput ../shared/data/seed_manuals/training_pairs.jsonl --json speed.json

A line of the file is {"query": …, "positive": …, "negative": …}. All of 4,010 such triplets for three epochs take the
plain recipe an hour a setting on two cores; `--triplets 512` gives the same ratios in minutes, and
`--triplets 64 --epochs 1 --batch-sizes 32 --precisions float32` a first look in two.
"""

import argparse
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from datasets import Dataset as Table
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.base.sampler import BatchSamplers
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch.utils.flop_counter import FlopCounterMode

from domain_embeddings.core.beir_files import read_jsonl, write_json
from domain_embeddings.core.dataset import Query
from domain_embeddings.core.errors import DataError
from domain_embeddings.encoding.dev_set import Dev
from domain_embeddings.training.fine_tuning import DevEvaluator, freeze, load, prompts_of, set_dropout
from domain_embeddings.training.frozen_layer_cache import cached_prefix, has_bfloat16
from domain_embeddings.training.losses import Example
from scripts.pipeline_copy import command

DEV_EVERY = 10
COUNTED_STEPS = 2


@dataclass(frozen=True)
class Setting:
    """One side of one comparison."""

    side: str
    precision: str
    batch_size: int
    epochs: float
    threads: int


@dataclass(frozen=True)
class Measured:
    """What a side took: rates per second of wall time, memory in MiB, arithmetic in GFLOP/s of the steps alone."""

    triplets_per_second: float
    seconds: float
    cache_seconds: float
    gflops_per_second: float
    peak_mib: float
    dev_ndcg: float


def read(file: Path, limit: int | None) -> tuple[list[Example], Dev]:
    """Triplets to train on, and the questions of every tenth passage to judge by, with all passages as their pool."""
    triplets = []
    for line, row in read_jsonl(file):
        if not all(isinstance(row.get(name), str) for name in ("query", "positive", "negative")):
            raise DataError(file, "query, positive and negative must be texts", line=line)
        triplets.append(Example(row["query"], row["positive"], (row["negative"],)))
    held_out = set(list(dict.fromkeys(t.positive for t in triplets))[::DEV_EVERY])
    passages = list(dict.fromkeys(text for t in triplets for text in t.texts[1:]))
    place = {text: f"p{i}" for i, text in enumerate(passages)}
    asked = {t.query: t.positive for t in triplets if t.positive in held_out}
    queries = {f"q{i}": Query(f"q{i}", text) for i, text in enumerate(asked)}
    qrels = {query_id: {place[asked[query.text]]: 1} for query_id, query in queries.items()}
    train = [t for t in triplets if t.positive not in held_out and t.query not in asked]
    return train[:limit], Dev({i: text for text, i in place.items()}, queries, qrels)


def trainer(
    model: SentenceTransformer, examples: Sequence[Example], setting: Setting, steps: int
) -> SentenceTransformerTrainer:
    """The same trainer for both; `steps` above 0 ends it early."""
    columns = zip(*(example.texts for example in examples), strict=True)
    table = Table.from_dict(dict(zip(("query", "positive", "negative"), map(list, columns), strict=True)))
    arguments = SentenceTransformerTrainingArguments(
        output_dir=tempfile.mkdtemp(),
        num_train_epochs=setting.epochs,
        max_steps=steps or -1,
        per_device_train_batch_size=setting.batch_size,
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        learning_rate=1e-4,
        warmup_steps=0.1,
        lr_scheduler_type="cosine",
        save_strategy="no",
        report_to="none",
        seed=42,
        use_cpu=True,
        bf16=setting.side == "plain" and setting.precision == "bfloat16",
        dataloader_pin_memory=False,
    )
    return SentenceTransformerTrainer(
        model=model, args=arguments, train_dataset=table, loss=MultipleNegativesRankingLoss(model)
    )


def counted_flops(model: SentenceTransformer, examples: Sequence[Example], setting: Setting, steps: int) -> float:
    """Floating-point operations a step, forward and backward: those of matrix products, over the first `steps`."""
    few = trainer(model, examples, setting, steps)
    with FlopCounterMode(display=False) as counter:
        few.train()
    return float(counter.get_total_flops()) / steps


def measure(base: Path, examples: list[Example], dev: Dev, setting: Setting) -> Measured:
    """Train, time, and judge the result with the plain float32 model."""
    torch.set_num_threads(setting.threads)
    torch.manual_seed(42)
    ours = setting.side == "ours"
    model = load(base, 256, device="cpu")
    freeze(model, 4)
    if ours:
        set_dropout(model, 0.0)
    texts = [text for example in examples for text in example.texts]
    dtype = torch.bfloat16 if setting.precision == "bfloat16" else torch.float32
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        with cached_prefix(model, 4, texts, Path(folder), dtype) if ours else nullcontext():
            cached = time.perf_counter()
            run = trainer(model, examples, setting, 0)
            run.train()
            end = time.perf_counter()
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            steps = run.state.global_step
            weights = {name: weight.clone() for name, weight in model.state_dict().items()}
            flops = counted_flops(model, examples, setting, min(COUNTED_STEPS, steps)) * steps
            model.load_state_dict(weights)
    ndcg = DevEvaluator(dev, prompts_of(model))(model)["dev_ndcg@10"]
    gflops = flops / (end - cached) / 1e9
    done = len(examples) * setting.epochs
    return Measured(done / (end - start), end - start, cached - start, gflops, peak, ndcg)


def matrix_rate(dtype: torch.dtype, threads: int) -> float:
    """The machine's GFLOP/s on products of 2,048 x 2,048 matrices, the best of several."""
    torch.set_num_threads(threads)
    one, other = (torch.randn(2048, 2048).to(dtype) for _ in range(2))
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        torch.mm(one, other)
        seconds.append(time.perf_counter() - start)
    return float(2 * 2048**3 / min(seconds) / 1e9)


def in_a_process(base: Path, examples: list[Example], dev: Dev, setting: Setting) -> Measured:
    """`measure` in a fresh process; ours with the allocator's settings that dvc.yaml gives the train stage."""
    _, allocator, *_ = command(Path.cwd(), "train").split()  # env NAME=value python …
    name, _, value = allocator.partition("=")
    os.environ.pop(name, None)
    if setting.side == "ours":
        os.environ[name] = value
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (base, examples, dev, setting))


def show(setting: Setting, found: Measured, rate: float) -> None:
    """A line of the table."""
    print(
        f"{setting.side:6} {setting.precision:9} batch {setting.batch_size:4}"
        f"  {found.triplets_per_second:6.1f} triplets/s"
        f"  {found.gflops_per_second / rate:4.0%} of {rate:.0f} GFLOP/s  {found.peak_mib:6.0f} MiB"
        f"  dev nDCG@10 {found.dev_ndcg:.4f}  ({found.seconds:.0f} s, cache {found.cache_seconds:.0f} s)",
        flush=True,
    )


def main() -> None:
    """Compare at every batch size: plain in each precision, ours in the best that the machine has."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--base", type=Path, default=Path("models/base"))
    parser.add_argument("--triplets", type=int, help="train on the first so many")
    parser.add_argument("--epochs", type=float, default=3)
    parser.add_argument("--batch-sizes", type=int, nargs="+", default=[32, 128])
    best = "bfloat16" if has_bfloat16("cpu") else "float32"
    own = sorted({"float32", best}, reverse=True)  # a CPU without bfloat16 would emulate it, slowly
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"], default=own)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    if not (asked.base / "model.safetensors").is_file():
        parser.error(f"{asked.base} holds no model: `dvc repro base_model` fetches it")
    examples, dev = read(asked.file, asked.triplets)
    print(f"{len(examples)} triplets, {asked.epochs:g} epochs; judged by {len(dev.queries)} queries")
    rates = {name: matrix_rate(getattr(torch, name), asked.threads) for name in {best, *asked.precisions}}
    rows = []
    for size in asked.batch_sizes:
        print(f"batch {size}: training ours, then plain in {', '.join(asked.precisions)} ...", flush=True)
        ours = Setting("ours", best, size, asked.epochs, asked.threads)
        found = in_a_process(asked.base, examples, dev, ours)
        show(ours, found, rates[best])
        for precision in asked.precisions:
            plain = Setting("plain", precision, size, asked.epochs, asked.threads)
            peer = in_a_process(asked.base, examples, dev, plain)
            show(plain, peer, rates[precision])
            ratio = found.triplets_per_second / peer.triplets_per_second
            print(f"       ratio to plain {precision} at batch {size}: {ratio:.1f}", flush=True)
            rows.append(
                {
                    "name": f"train, batch {size}, against plain {precision}",
                    "unit": "triplets/s",
                    "ours": found.triplets_per_second,
                    "peer": peer.triplets_per_second,
                    "ratio": ratio,
                    "matrix_rate": rates,
                    "ours_measured": asdict(found),
                    "peer_measured": asdict(peer),
                }
            )
    if asked.json:
        write_json(asked.json, rows)


if __name__ == "__main__":
    main()
