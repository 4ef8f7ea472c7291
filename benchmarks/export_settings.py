"""The int8 export's choices beside others, by vectors: on this CPU, and as a CPU computes that adds products exactly.

For the base model and a corpus of params.yaml, after `dvc repro mine`. `here` is OpenVINO on this machine: without VNNI
two products of 8 bits are added in 16 and cut off where they do not fit. `exact` is the same graph in float arithmetic,
which is what VNNI gives. And: what noise without a direction does, by the cosine that it leaves: to the first ten
results, and to nDCG@10 on dev questions, which is no judge of so small a difference.

    python -m benchmarks.export_settings --corpora manuals --json settings.json    # some ten minutes on two cores
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import openvino
from openvino import opset13

from domain_embeddings.commands.workspace import BASE_MODEL, stage_folder
from domain_embeddings.core.beir_files import read_corpus, read_qrels, read_queries, write_json
from domain_embeddings.core.dataset import Passage, Qrels, Query
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding.dev_set import Dev, scores
from domain_embeddings.encoding.encoder import Model, encode, load
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.int8_encoder import Inputs, Int8Encoder
from domain_embeddings.encoding.roles import Role
from domain_embeddings.encoding.tokens import TOKENIZER
from domain_embeddings.packaging import int8_export
from domain_embeddings.packaging.export_fidelity import Fidelity, Texts, Vectors, evenly, measure

COSINES = (0.999, 0.998, 0.995, 0.99, 0.98)
DRAWS = 50
HARM = 0.005
"""Share of nDCG@10."""

Graph: TypeAlias = openvino.Model
Way = Callable[[Graph, Sequence[Inputs]], Graph]


WAYS: dict[str, Way] = {
    "as shipped": lambda graph, texts: int8_export.fitting(int8_export.quantized(graph, texts)),
    "whole range": int8_export.quantized,
    "alpha 0.5": lambda graph, texts: int8_export.fitting(int8_export.quantized(graph, texts, alpha=0.5)),
    "alpha 0.65": lambda graph, texts: int8_export.fitting(int8_export.quantized(graph, texts, alpha=0.65)),
    "alpha 0.85": lambda graph, texts: int8_export.fitting(int8_export.quantized(graph, texts, alpha=0.85)),
    "first block too": lambda graph, texts: int8_export.fitting(
        int8_export.quantized(graph, texts, kept=int8_export.KEPT[:1])
    ),
}


def exact(graph: Graph) -> Graph:
    """Every rounding to 8 bits as float operations, so that no sum is cut off."""
    graph = graph.clone()
    for node in graph.get_ordered_ops():
        if node.get_type_name() != "FakeQuantize":
            continue
        value, low, high, out_low, out_high = (node.input_value(i) for i in range(5))
        steps = np.float32(node.get_attributes()["levels"] - 1)
        inside = opset13.minimum(opset13.maximum(value, low), high)
        share = opset13.divide(opset13.subtract(inside, low), opset13.subtract(high, low))
        step = opset13.divide(opset13.round(opset13.multiply(share, steps), "half_to_even"), steps)
        span = opset13.subtract(out_high, out_low)
        node.output(0).replace(opset13.add(opset13.multiply(step, span), out_low).output(0))
    return graph


def judged(graph: Graph, name: str, texts: Texts, expected: Vectors, config: EncoderConfig) -> Fidelity:
    """How near a graph's vectors are on this machine."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.xml"
        openvino.save_model(graph, file, compress_to_fp16=False)
        return measure(name, Vectors.of(texts, Int8Encoder(BASE_MODEL / TOKENIZER, file, config).encode), expected)


def settings(corpus: str, model: Model, texts: Texts, contents: Sequence[str]) -> list[dict[str, Any]]:
    """A row for each way, here and exact."""
    limit, some = model.max_seq_length, evenly(contents, int8_export.CALIBRATION)
    calibration = int8_export.inputs_of(BASE_MODEL / TOKENIZER, limit, model.config.prompts.before(some, Role.PASSAGE))
    expected = Vectors.of(texts, lambda some, role: encode(model, some, role))
    rows: list[dict[str, Any]] = []
    for name, way in WAYS.items():
        graph = way(int8_export.converted(model.network), calibration)
        found = {"here": judged(graph, name, texts, expected, model.config)}
        found["exact"] = judged(exact(graph), name, texts, expected, model.config)
        for where, one in found.items():
            print(f"{corpus:13} {name:16} {where:6} cosine {one.cosine:.4f}, 1% {one.cosine_low:.4f}, "
                  f"first ten {one.overlap:.1%}", flush=True)  # fmt: skip
            figures = {"unit": "cosine", "ours": one.cosine, "peer": None, "ratio": None}
            rows.append({"name": f"{corpus}, {name}, {where}", **figures, "low": one.cosine_low, "ten": one.overlap})
    return rows


def noisy(vectors: Scores, cosine: float, draw: np.random.Generator) -> Scores:
    """Each vector turned by the angle of a cosine, in a direction of its own."""
    noise = draw.standard_normal(vectors.shape).astype(np.float32)
    noise -= (noise * vectors).sum(axis=1, keepdims=True) * vectors
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    turned: Scores = cosine * vectors + np.float32(np.sqrt(1 - cosine**2)) * noise
    return turned


def noise(corpus: str, model: Model, dev: Dev) -> None:
    """What noise costs: the first ten results, nDCG@10 on average, and how often it loses more than HARM of it."""
    clean = Vectors(
        encode(model, list(dev.passages.values()), Role.PASSAGE),
        encode(model, [query.text for query in dev.queries.values()], Role.QUERY),
    )
    draw = np.random.default_rng(0)

    def ndcg(vectors: Vectors) -> float:
        return float(np.mean([row["ndcg@10"] for row in scores(dev, vectors.passages, vectors.queries).values()]))

    before = ndcg(clean)
    for cosine in COSINES:
        draws = [Vectors(*(noisy(part, cosine, draw) for part in clean)) for _ in range(DRAWS)]
        lost = np.array([1 - ndcg(vectors) / before for vectors in draws])
        overlap = np.mean([measure("", vectors, clean).overlap for vectors in draws])
        print(f"{corpus:13} noise of cosine {cosine}: first ten {overlap:.1%}, nDCG@10 {-lost.mean():+.2%} on average, "
              f"more than {HARM:.1%} lost in {np.mean(lost > HARM):.0%} of draws", flush=True)  # fmt: skip


def read(corpus: str) -> tuple[dict[str, Passage], dict[str, Query], Qrels, Qrels]:
    """A corpus, its synthesized queries, and their train and dev qrels."""
    passages = read_corpus(stage_folder("ingest", corpus) / "corpus.jsonl")
    folder = stage_folder("synthesize", corpus)
    queries = read_queries(folder / "queries.jsonl")
    train, dev = (read_qrels(folder / "qrels" / f"{split}.tsv", queries, passages) for split in ("train", "dev"))
    return passages, queries, train, dev


def main() -> None:
    """Compare, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", nargs="+", default=["manuals"])
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    model = load(BASE_MODEL, device="cpu")
    rows: list[dict[str, Any]] = []
    for corpus in asked.corpora:
        passages, queries, train, dev = read(corpus)
        contents = [passage.content for passage in passages.values()]
        noise(corpus, model, Dev({i: p.content for i, p in passages.items()}, {i: queries[i] for i in dev}, dev))
        texts = Texts.of(contents, [queries[i].text for i in sorted(train)])
        rows += settings(corpus, model, texts, contents)
    if asked.json:
        write_json(asked.json, rows)


if __name__ == "__main__":
    main()
