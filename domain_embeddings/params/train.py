"""Params of the train stage."""

from typing import Literal

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class Teacher(Strict):
    """A stronger model, in a local folder, to learn scores from."""

    kind: Literal["bi_encoder", "cross_encoder"]
    """Whether it encodes texts one by one or scores a pair."""
    path: str = Field(min_length=1)
    """Its folder."""
    temperature: float = Field(gt=0)
    """Its scores are divided by it before they become shares: 0.05 for cosines, 1 for a cross-encoder's logits."""


class TrainParams(Strict):
    """How the model is fine-tuned."""

    seed: int = Field(ge=0)
    """Of the order of batches; the model is this seed's."""
    further_seeds: list[int]
    """A training more for each, to show what a seed alone changes; the result is that of `seed`."""
    threads: int = Field(ge=1)
    """CPU threads; part of the result, for another number adds floats in another order."""
    precision: Literal["auto", "bfloat16", "float32"]
    """Of the blocks' arithmetic; the trained weights are float32. auto: bfloat16 where the device computes in it."""
    frozen_blocks: int = Field(ge=0)
    """Lower transformer blocks that stay as they are (the embeddings with them, from 1 on)."""
    epochs: float = Field(gt=0)
    """Passes over the triplets."""
    batch_size: int = Field(ge=2)
    """Pairs a step, over all processes together."""
    mini_batch: int = Field(ge=0)
    """Pairs at once in memory: a larger batch is computed in such parts, its gradient is the same. 0: all at once."""
    negatives: int = Field(ge=0, le=10)
    """Mined hard negatives used for each pair, beside the other pairs of the batch."""
    cloze: float = Field(ge=0, le=1)
    """Share of the queries made of a passage's sentences that are trained against the passage without the sentence."""
    guide: str | None
    """A model that says which negatives of a batch are none ("": the base; a folder: another one); null: nobody."""
    guide_margin: float = Field(default=0.05, ge=0, lt=1)
    """A negative is left out if the guide scores it above (1 - margin) times the positive."""
    matryoshka: list[int]
    """Leading dimensions that are trained to serve alone, the full width among them; empty: the full width only."""
    teacher: Teacher | None
    """A model whose shares over positive and negatives are learned, in place of the contrast within a batch."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """In the trained blocks. A short fine-tuning does without, and is then about twice as fast."""
    learning_rate: float = Field(gt=0, le=1)
    """Its highest value, after the warm-up."""
    warmup: float = Field(default=0.1, ge=0, lt=1)
    """Share of the steps over which the learning rate rises; it then falls along a cosine."""
    weight_decay: float = Field(default=0.01, ge=0)
    """Of AdamW."""
    max_grad_norm: float = Field(default=1.0, gt=0)
    """Gradients with a larger norm are scaled down to it."""
    scale: float = Field(default=20.0, gt=0)
    """Inverse temperature of the loss: cosine similarities are multiplied by it."""
    eval_steps: int = Field(ge=1)
    """Steps between two evaluations on the dev questions, each of which writes a checkpoint."""
    patience: int = Field(default=4, ge=1)
    """Evaluations without a better dev nDCG@10 after which training stops."""
    dev_pool: int = Field(default=2000, ge=100)
    """Passages that dev questions are ranked against; a larger corpus is sampled around the relevant ones."""
    interpolate: list[float] = Field(min_length=1)
    """Shares of the tuned weights mixed with the base's that are tried on dev: 1 is tuned alone. The best is kept."""
    interpolate_unlabelled: float = Field(default=0.7, gt=0, le=1)
    """The share where nobody asked dev questions: those made from passages would always choose tuned alone."""

    @property
    def seeds(self) -> list[int]:
        """All of them, that of the result first."""
        return [self.seed, *self.further_seeds]

    @model_validator(mode="after")
    def _lists(self) -> "TrainParams":
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds must be different and not negative, are {self.seeds} (the first is `seed`)")
        if not all(0 < share <= 1 for share in self.interpolate):
            raise ValueError(f"interpolate takes shares above 0 and up to 1, not {self.interpolate}")
        if any(dimensions < 1 for dimensions in self.matryoshka):
            raise ValueError(f"matryoshka takes numbers of dimensions from 1 on, not {self.matryoshka}")
        return self

    @model_validator(mode="after")
    def _losses(self) -> "TrainParams":
        if self.teacher is not None and self.guide is not None:
            raise ValueError("guide and teacher exclude each other: with a teacher nothing is contrasted in a batch")
        if self.teacher is not None and self.negatives == 0:
            raise ValueError("a teacher needs negatives to tell from the positive: set negatives to 1 or more")
        if self.teacher is not None and self.mini_batch:
            raise ValueError("a teacher needs no large batch: set mini_batch to 0")
        if self.guide is not None and self.negatives > 1:
            raise ValueError(f"a guide goes with at most 1 negative, negatives is {self.negatives}")
        return self
