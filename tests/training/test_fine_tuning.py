"""Training: what learns, what stays, the same bytes every time, and going on after a kill."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer

from domain_embeddings.core.dataset import Query
from domain_embeddings.encoding.dev_set import Dev, per_query
from domain_embeddings.encoding.encoder import encode, load
from domain_embeddings.encoding.roles import Prompts, Role
from domain_embeddings.params.train import TrainParams
from domain_embeddings.training import fine_tuning
from domain_embeddings.training.fine_tuning import DevEvaluator, History, fine_tune, freeze, interpolate, set_dropout
from tests.base_models import LEAF, SEARCHING, make_folder
from tests.knobs import knobs
from tests.train_small import ANSWERS, DEV, EXAMPLES, SMALL

Fresh = Callable[[], SentenceTransformer]


def _params(**changes: Any) -> TrainParams:
    return knobs("train", TrainParams, **{**SMALL, **changes})


def _train(model: SentenceTransformer, checkpoints: Path, **changes: Any) -> tuple[History, str]:
    """The history, and a digest of the weights as they are saved."""
    history = fine_tune(model, EXAMPLES, DEV, _params(**changes), 42, checkpoints, checkpoints / "states")
    model.save_pretrained(str(checkpoints / "tuned"), create_model_card=False)
    return history, hashlib.sha256((checkpoints / "tuned/model.safetensors").read_bytes()).hexdigest()


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes training stop short, one step after the checkpoint of a given step."""

    def arrange(step: int) -> None:
        class Killer(fine_tuning._KeepTwo):
            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                if state.global_step == step + 1:
                    raise KeyboardInterrupt

        monkeypatch.setattr(fine_tuning, "_KeepTwo", Killer)

    return arrange


Trained = tuple[SentenceTransformer, Path, tuple[History, str]]


@pytest.fixture(scope="module")
def trained(base_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """A model after a training that nobody disturbs, the folder with its checkpoints, and what `_train` gave."""
    model, folder = fine_tuning.load(base_folder, 256, device="cpu"), tmp_path_factory.mktemp("undisturbed")
    return model, folder, _train(model, folder)


@pytest.fixture
def undisturbed(trained: Trained) -> tuple[History, str]:
    return trained[2]


@pytest.mark.parametrize(
    ("blocks", "trainable"),
    [(4, 3_548_928), (5, 1_774_464), (0, 22_565_376)],  # of 22,713,216; the pooler's 147,840 never learn
)
def test_freeze_counts_what_learns(fresh_model: Fresh, blocks: int, trainable: int) -> None:
    model = fresh_model()

    assert freeze(model, blocks) == trainable
    assert sum(p.numel() for p in model.parameters() if p.requires_grad) == trainable
    assert sum(p.numel() for p in model.parameters()) == 22_713_216


def test_freeze_again_starts_anew(fresh_model: Fresh) -> None:
    model = fresh_model()
    freeze(model, 5)

    assert freeze(model, 4) == 3_548_928


@pytest.mark.parametrize("blocks", [6, 10, -1])
def test_as_many_blocks_as_there_are_cannot_be_frozen(fresh_model: Fresh, blocks: int) -> None:
    with pytest.raises(ValueError, match=f"cannot freeze {blocks} blocks of 6: allowed are 0 to 5"):
        freeze(fresh_model(), blocks)


def test_dropout_is_set_everywhere(fresh_model: Fresh) -> None:
    model = fresh_model()

    set_dropout(model, 0.25)

    assert {module.p for module in model.modules() if isinstance(module, torch.nn.Dropout)} == {0.25}


def test_only_the_upper_blocks_learn_and_the_loss_falls(fresh_model: Fresh, tmp_path: Path) -> None:
    model = fresh_model()
    before = {name: value.clone() for name, value in model.state_dict().items()}

    history, _ = _train(model, tmp_path, dropout=0.0)

    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert len(changed) == 32  # 16 tensors a block
    assert {name.split("layer.")[1][0] for name in changed} == {"4", "5"}
    assert [row["step"] for row in history.loss] == [2, 4, 6, 8, 10, 12]
    assert history.loss[-1]["loss"] < 0.9 * history.loss[0]["loss"]


@pytest.mark.slow
def test_the_best_step_is_kept(undisturbed: tuple[History, str]) -> None:
    history, _ = undisturbed

    scores = {row["step"]: row["dev_ndcg@10"] for row in history.dev}
    assert list(scores) == [0, 2, 4, 6, 8, 10, 12]  # 0 is the base
    trained = {step: score for step, score in scores.items() if step}
    assert history.best_step == min(step for step, score in trained.items() if score == max(trained.values()))
    assert (history.trainable_parameters, history.total_parameters) == (3_548_928, 22_713_216)


@pytest.mark.slow
def test_the_model_has_the_weights_of_the_best_step(trained: Trained) -> None:
    model, _, (history, _) = trained

    best = max(row["dev_ndcg@10"] for row in history.dev)
    assert DevEvaluator(DEV, Prompts())(model)["dev_ndcg@10"] == pytest.approx(best, abs=1e-6)


@pytest.mark.slow
def test_the_saved_model_is_an_ordinary_one(trained: Trained) -> None:
    model, folder, _ = trained

    loaded = load(folder / "tuned", 256, device="cpu")

    assert type(model[0]).__name__ == "Transformer"
    expected = model.encode(ANSWERS, normalize_embeddings=True)
    np.testing.assert_allclose(encode(loaded, ANSWERS, Role.PASSAGE), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("step", [4, 10])
def test_a_killed_run_ends_in_the_same_bytes(
    fresh_model: Fresh, tmp_path: Path, kill_after: Callable[[int], None], undisturbed: tuple[History, str],
    monkeypatch: pytest.MonkeyPatch, step: int,
) -> None:  # fmt: skip
    kill_after(step)
    with pytest.raises(KeyboardInterrupt):
        _train(fresh_model(), tmp_path)
    monkeypatch.undo()
    assert (tmp_path / f"checkpoint-{step}" / "complete").is_file()

    assert _train(fresh_model(), tmp_path) == undisturbed


@pytest.mark.slow
def test_a_half_written_checkpoint_is_ignored(
    fresh_model: Fresh, tmp_path: Path, undisturbed: tuple[History, str]
) -> None:
    (tmp_path / "checkpoint-8").mkdir()
    (tmp_path / "checkpoint-8" / "model.safetensors").write_bytes(b"half")

    assert _train(fresh_model(), tmp_path) == undisturbed


@pytest.mark.slow
def test_a_run_killed_while_it_removes_a_checkpoint_ends_in_the_same_bytes(
    fresh_model: Fresh, tmp_path: Path, undisturbed: tuple[History, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        raise KeyboardInterrupt

    monkeypatch.setattr("domain_embeddings.training.fine_tuning.shutil.rmtree", killed)
    with pytest.raises(KeyboardInterrupt):
        _train(fresh_model(), tmp_path)
    monkeypatch.undo()
    assert any(not (folder / "model.safetensors").exists() for folder in tmp_path.glob("checkpoint-*"))

    assert _train(fresh_model(), tmp_path) == undisturbed
    assert all((folder / "complete").exists() for folder in tmp_path.glob("checkpoint-*"))


@pytest.mark.slow
def test_a_killed_run_keeps_its_patience(
    fresh_model: Fresh, tmp_path: Path, kill_after: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    hopeless: dict[str, Any] = {"learning_rate": 1e-12, "patience": 2}  # the first evaluation stays the best
    whole = _train(fresh_model(), tmp_path / "whole", **hopeless)
    kill_after(4)
    with pytest.raises(KeyboardInterrupt):
        _train(fresh_model(), tmp_path / "killed", **hopeless)
    monkeypatch.undo()

    assert [row["step"] for row in whole[0].dev] == [0, 2, 4, 6]
    assert _train(fresh_model(), tmp_path / "killed", **hopeless) == whole


@pytest.mark.slow
@pytest.mark.parametrize(("patience", "last"), [(2, 6), (9, 12)])
def test_a_run_killed_after_its_last_step_does_not_go_on(
    fresh_model: Fresh, tmp_path: Path, patience: int, last: int
) -> None:
    hopeless: dict[str, Any] = {"learning_rate": 1e-12, "patience": patience}
    whole = _train(fresh_model(), tmp_path, **hopeless)  # its checkpoints are still there

    assert whole[0].dev[-1]["step"] == last
    assert _train(fresh_model(), tmp_path, **hopeless) == whole


@pytest.mark.slow
def test_fewer_steps_than_eval_steps_are_evaluated_all_the_same(fresh_model: Fresh, tmp_path: Path) -> None:
    history, _ = _train(fresh_model(), tmp_path, epochs=1, eval_steps=100)

    assert [row["step"] for row in history.dev] == [0, 1, 2, 3]


def test_a_model_with_prompts_and_a_head_learns_behind_them(base_folder: Path, tmp_path: Path) -> None:
    folder = make_folder(LEAF, base_folder, tmp_path / "leaf")

    history, _ = _train(
        fine_tuning.load(folder, device="cpu"), tmp_path / "run", frozen_blocks=0, epochs=1, interpolate=[1.0],
        precision="float32",
    )  # fmt: skip

    before, after = load(folder, device="cpu"), load(tmp_path / "run/tuned", device="cpu")
    scores = [float(np.mean([row["ndcg@10"] for row in per_query(one, DEV).values()])) for one in (before, after)]
    found = [row["dev_ndcg@10"] for row in history.dev]
    assert scores == pytest.approx([found[0], max(found[1:])], abs=1e-6)
    assert after.config.prompts == before.config.prompts == Prompts(SEARCHING, "")
    assert after.config.heads[0].sha256 != before.config.heads[0].sha256


def test_the_evaluator_gives_ndcg_by_hand(peer: SentenceTransformer) -> None:
    texts = {"a": "bleeding the brakes", "b": "brake bleeding procedure for the rear axle", "c": "radar antenna gain"}
    queries = {"x": Query("x", "bleeding the brakes", "car"), "y": Query("y", "bleeding the brakes", "boat")}
    dev = Dev(texts, queries, {"x": {"b": 1}, "y": {"a": 2, "c": 1}})

    found = DevEvaluator(dev, Prompts())(peer)

    # The ranking is a (the same text), b, c.
    x = 1 / math.log2(3)
    y = (2 + 1 / math.log2(4)) / (2 + 1 / math.log2(3))
    assert found["dev_ndcg@10_car"] == pytest.approx(x)
    assert found["dev_ndcg@10_boat"] == pytest.approx(y)
    assert found["dev_ndcg@10"] == pytest.approx((x + y) / 2)


def _first_weight(model: SentenceTransformer) -> torch.Tensor:
    return next(weight for weight in model.parameters() if weight.requires_grad)


@pytest.mark.parametrize(("scores", "best"), [([0.3, 0.2], 0.5), ([0.1, 0.2], 0.25), ([0.1, 0.1], 1.0)])
def test_the_best_mixture_with_the_base_is_kept(fresh_model: Fresh, scores: list[float], best: float) -> None:
    model = fresh_model()
    freeze(model, 4)
    base = {name: weight.detach().clone() for name, weight in model.named_parameters() if weight.requires_grad}
    for weight in model.parameters():
        weight.data += 0.5 * weight.requires_grad
    given = iter(scores)
    before = _first_weight(model).detach() - 0.5

    tried = interpolate(model, base, [0.25, 0.5, 1.0], 0.1, lambda: next(given))

    assert [(row["share"], row["dev_ndcg@10"]) for row in tried] == [(1.0, 0.1), (0.5, scores[0]), (0.25, scores[1])]
    assert torch.allclose(_first_weight(model), before + 0.5 * best, atol=1e-6)


def test_no_batch_holds_a_passage_beside_a_part_of_it(
    fresh_model: Fresh, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samplers: list[Any] = []
    ordinary = fine_tuning._Trainer.get_batch_sampler

    def spied(self: Any, *args: Any, **kwargs: Any) -> Any:
        samplers.append(ordinary(self, *args, **kwargs))
        return samplers[-1]

    monkeypatch.setattr(fine_tuning._Trainer, "get_batch_sampler", spied)
    part = replace(EXAMPLES[0], query="low pedal", positive="until no air leaves the nipple", whole=ANSWERS[0])
    fine_tune(fresh_model(), [*EXAMPLES[:5], part], DEV, _params(epochs=1), 42, tmp_path, tmp_path / "states")

    batches = []
    for epoch in range(20):
        samplers[0].set_epoch(epoch)
        batches += list(samplers[0])
    assert {row for batch in batches for row in batch} == set(range(6))
    assert not any({0, 5} <= set(batch) for batch in batches)
