"""Fine-tuning: freeze the lower blocks, contrast each query's passage with the others, keep the best checkpoint."""

import math
import shutil
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import PartialState
from datasets import Dataset as Table
from sentence_transformers import (
    SentenceTransformer,
    SentenceTransformerTrainer,
    SentenceTransformerTrainingArguments,
)
from sentence_transformers.base.evaluation import BaseEvaluator
from sentence_transformers.base.sampler import BatchSamplers
from transformers import TrainerCallback

from domain_embeddings.encoding.dev_set import Dev, scores
from domain_embeddings.encoding.encoder_config import EncoderConfig
from domain_embeddings.encoding.roles import Prompts, Role
from domain_embeddings.params.train import Teacher, TrainParams
from domain_embeddings.training.block_stacks import blocks_of
from domain_embeddings.training.frozen_layer_cache import cached_prefix, encode, resolve
from domain_embeddings.training.losses import Example, loss_of, teacher_scores

_METRIC = "dev_ndcg@10"
_COMPLETE = "complete"


def load(folder: Path, max_seq_length: int | None = None, device: str | None = None) -> SentenceTransformer:
    """Load a local model to train it, with the length that its files ask for unless another is given.

    Without a `device`, on a GPU where there is one. A DataError where `EncoderConfig.of` has one.
    """
    config = EncoderConfig.of(folder, max_seq_length)
    model = SentenceTransformer(str(folder), device=device, local_files_only=True, trust_remote_code=False)
    model.max_seq_length = config.max_seq_length
    model.prompts, model.default_prompt_name = {"query": config.prompts.query, "document": config.prompts.passage}, None
    return model


def prompts_of(model: SentenceTransformer) -> Prompts:
    """What stands before each text, as `load` has read it."""
    return Prompts(model.prompts["query"] or "", model.prompts["document"] or "")


def freeze(model: SentenceTransformer, blocks: int) -> int:
    """Freeze the embeddings and the first `blocks` blocks (0: nothing); return the number of trainable parameters.

    BERT's pooler, which no vector depends on, is frozen always. What the blocks share is frozen with the embeddings.
    """
    transformer: Any = model.transformers_model
    count = transformer.config.num_hidden_layers
    if not 0 <= blocks < count:
        raise ValueError(f"cannot freeze {blocks} blocks of {count}: allowed are 0 to {count - 1}")
    for parameter in model.parameters():
        parameter.requires_grad = True
    stack = blocks_of(transformer)
    frozen = [*stack.layers[:blocks], *stack.below] if blocks else []
    for module in (*frozen, *stack.unused):
        for parameter in module.parameters():
            parameter.requires_grad = False
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def set_dropout(model: SentenceTransformer, share: float) -> None:
    """Set every dropout of the model, that of attention with it."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share


class DevEvaluator(BaseEvaluator):
    """nDCG@10 on the dev questions, overall and by domain."""

    def __init__(self, dev: Dev, prompts: Prompts) -> None:
        """Evaluate on `dev`."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.primary_metric = _METRIC
        self._dev = dev
        self.passages = prompts.before(list(dev.passages.values()), Role.PASSAGE)
        self.queries = prompts.before([query.text for query in dev.queries.values()], Role.QUERY)

    def __call__(  # type: ignore[override]
        self, model: SentenceTransformer, output_path: str | None = None, epoch: int = -1, steps: int = -1
    ) -> dict[str, float]:
        """The mean over all questions under `dev_ndcg@10`, over a domain's under `dev_ndcg@10_<domain>`."""
        by_domain: dict[str, list[float]] = defaultdict(list)
        vectors = encode(model, self.passages), encode(model, self.queries)
        for query_id, row in scores(self._dev, *vectors).items():
            by_domain[self._dev.queries[query_id].domain].append(row["ndcg@10"])
        overall = float(np.mean([value for values in by_domain.values() for value in values]))
        domains = {f"{_METRIC}_{name}": float(np.mean(values)) for name, values in sorted(by_domain.items()) if name}
        return {_METRIC: overall, **domains}


@dataclass(frozen=True)
class History:
    """What happened in training: losses and dev scores by step (0 is the base), what was kept, and the shares tried."""

    loss: list[dict[str, float]]
    dev: list[dict[str, float]]
    best_step: int
    shares: list[dict[str, float]]
    best_share: float
    trainable_parameters: int
    total_parameters: int


class _KeepTwo(TrainerCallback):
    """Keeps the last checkpoint and the best one, each marked once all of it is written.

    Only a marked one is resumed from, and the mark is the first that goes when one is removed: a kill at any moment
    leaves a whole checkpoint. Trainer's own rotation removes files in any order, before the new one is marked.
    """

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if state.is_world_process_zero:
            last = Path(args.output_dir) / f"checkpoint-{state.global_step}"
            (last / _COMPLETE).touch()
            _remove_all_but({last, Path(state.best_model_checkpoint or last)}, last.parent)


def _remove_all_but(kept: Collection[Path], checkpoints: Path) -> None:
    for folder in set(checkpoints.glob("checkpoint-*")) - set(kept):
        (folder / _COMPLETE).unlink(missing_ok=True)
        shutil.rmtree(folder)


class _StopWhenStale(TrainerCallback):
    """Stops training after `patience` evaluations without a better dev score.

    Counts in the log, which checkpoints keep, where EarlyStoppingCallback's own count starts anew in a resumed run.
    """

    def __init__(self, patience: int) -> None:
        self._patience = patience

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        scores = [row[f"eval_{_METRIC}"] for row in state.log_history if f"eval_{_METRIC}" in row]
        if scores and len(scores) - 1 - scores.index(max(scores)) >= self._patience:
            control.should_training_stop = True

    on_train_begin = on_evaluate


def _last_complete(checkpoints: Path) -> str | None:
    found = sorted(checkpoints.glob(f"checkpoint-*/{_COMPLETE}"), key=lambda path: int(path.parent.name.split("-")[1]))
    return str(found[-1].parent) if found else None


def _arguments(params: TrainParams, seed: int, checkpoints: Path, steps: int) -> SentenceTransformerTrainingArguments:
    several = PartialState().num_processes > 1
    return SentenceTransformerTrainingArguments(
        output_dir=str(checkpoints),
        num_train_epochs=params.epochs,
        per_device_train_batch_size=params.batch_size,
        accelerator_config={"split_batches": True},  # the size above is that of all processes together
        dataloader_drop_last=several,  # each needs its part of every batch
        batch_sampler=BatchSamplers.NO_DUPLICATES,
        learning_rate=params.learning_rate,
        warmup_steps=math.ceil(params.warmup * steps),
        lr_scheduler_type="cosine",
        weight_decay=params.weight_decay,
        max_grad_norm=params.max_grad_norm,
        eval_strategy="steps",
        eval_steps=params.eval_steps,
        save_strategy="steps",
        save_steps=params.eval_steps,
        load_best_model_at_end=True,
        metric_for_best_model=f"eval_{_METRIC}",
        greater_is_better=True,
        logging_steps=min(10, params.eval_steps),
        report_to="none",
        seed=seed,
        data_seed=seed,
        dataloader_pin_memory=False,
    )


def _table(examples: Sequence[Example], prompts: Prompts, teacher: Teacher | None) -> Table:
    """Columns query, positive, negative_1, … with their prompts, and what the teacher thinks of them under `label`."""
    texts = zip(*(example.read(prompts) for example in examples), strict=True)
    names = ["query", "positive", *(f"negative_{i}" for i in range(1, len(examples[0].negatives) + 1))]
    columns: dict[str, Any] = {name: list(column) for name, column in zip(names, texts, strict=True)}
    if teacher is not None:
        columns["label"] = teacher_scores(teacher, examples).tolist()
    return Table.from_dict(columns)


class _Trainer(SentenceTransformerTrainer):
    """Draws batches by `drawn_by`, a table with the rows of the one that is trained on."""

    drawn_by: Table

    def get_batch_sampler(self, dataset: Table, *args: Any, **kwargs: Any) -> Any:
        return super().get_batch_sampler(self.drawn_by, *args, **kwargs)


Weights = dict[str, torch.Tensor]


def _trained(model: SentenceTransformer) -> Weights:
    """A copy of the weights that training may change."""
    return {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}


def _mix(model: SentenceTransformer, base: Weights, tuned: Weights, share: float) -> None:
    """Set the trained weights to base + share · (tuned − base)."""
    for name, weight in model.named_parameters():
        if name in base:
            weight.data.copy_(torch.lerp(base[name], tuned[name], share))


def interpolate(
    model: SentenceTransformer, base: Weights, shares: Sequence[float], whole: float, score: Callable[[], float]
) -> list[dict[str, float]]:
    """Leave `model` with the mixture of its weights and `base` that scores best; ties go to the larger share.

    `whole` is what the tuned weights alone score, share 1.

    Between a fine-tuned model and its base often lies one better than both, which has forgotten less (Wortsman et al.,
    Robust fine-tuning of zero-shot models, CVPR 2022; LM-Cocktail, Xiao et al., 2023, arXiv:2311.13534).
    """
    tuned = _trained(model)
    tried = []
    for share in sorted(shares, reverse=True):
        _mix(model, base, tuned, share)
        tried.append({"share": share, _METRIC: whole if share == 1 else score()})
    _mix(model, base, tuned, max(tried, key=lambda row: row[_METRIC])["share"])
    return tried


def _dev_rows(log: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """The dev scores in a training log."""
    rows = [
        {
            "step": row["step"],
            **{key.removeprefix("eval_"): row[key] for key in row if key.startswith(f"eval_{_METRIC}")},
        }
        for row in log
        if f"eval_{_METRIC}" in row
    ]
    if not rows:
        raise RuntimeError(f"no dev evaluation has run: eval_{_METRIC} is missing from the training log")
    return rows


def fine_tune(
    model: SentenceTransformer,
    examples: Sequence[Example],
    dev: Dev,
    params: TrainParams,
    seed: int,
    checkpoints: Path,
    states: Path,
) -> History:
    """Train `model` in place and leave it with the weights of the best dev nDCG@10, mixed with the base's.

    A run that was killed goes on from its last complete checkpoint in `checkpoints`, and ends in the same bytes
    as one that was not, on the same machine. The frozen blocks' states lie in `states`, for this run and the next.
    """
    torch.set_num_threads(params.threads)
    torch.manual_seed(seed)
    trainable = freeze(model, params.frozen_blocks)
    set_dropout(model, params.dropout)
    steps = math.ceil(len(examples) / params.batch_size * params.epochs)
    if steps < params.eval_steps:
        params = params.model_copy(update={"eval_steps": max(1, steps // 2)})
    examples = [replace(example, negatives=example.negatives[: params.negatives]) for example in examples]
    prompts = prompts_of(model)
    evaluator = DevEvaluator(dev, prompts)
    texts = [text for example in examples for text in example.read(prompts)]
    texts += [*evaluator.passages, *evaluator.queries]
    process = PartialState()
    with cached_prefix(model, params.frozen_blocks, texts, states, resolve(params.precision, model.device.type)):
        base, start = _trained(model), {"step": 0, **evaluator(model)}
        trainer = _Trainer(
            model=model,
            args=_arguments(params, seed, checkpoints, steps),
            train_dataset=_table(examples, prompts, params.teacher),
            loss=loss_of(model, params, examples, process.num_processes > 1),
            evaluator=evaluator,
            callbacks=[_StopWhenStale(params.patience), _KeepTwo()],
        )
        whole = [replace(example, positive=example.whole or example.positive) for example in examples]
        trainer.drawn_by = _table(whole, prompts, None)  # no text twice in a batch, nor a passage beside a part of it
        trainer.train(resume_from_checkpoint=_last_complete(checkpoints))
        log = trainer.state.log_history
        rows = _dev_rows(log)
        best = max(rows, key=lambda row: (row[_METRIC], -row["step"]))
        shares = interpolate(model, base, params.interpolate, best[_METRIC], lambda: evaluator(model)[_METRIC])
    loss = [{name: row[name] for name in ("step", "loss", "learning_rate")} for row in log if "loss" in row]
    return History(
        loss=loss,
        dev=[start, *rows],
        best_step=int(best["step"]),
        shares=shares,
        best_share=max(shares, key=lambda row: row[_METRIC])["share"],
        trainable_parameters=trainable,
        total_parameters=sum(parameter.numel() for parameter in model.parameters()),
    )
