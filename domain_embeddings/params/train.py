"""Params of the train stage."""

from pydantic import Field, model_validator

from domain_embeddings.params.strict import Strict


class TrainParams(Strict):
    """How the model is fine-tuned."""

    seeds: list[int] = Field(min_length=1)
    """A training for each; the first one's weights are the result, the others show what a seed alone changes."""
    threads: int = Field(ge=1)
    """CPU threads; part of the result, for another number adds floats in another order."""
    frozen_blocks: int = Field(ge=0)
    """Lower transformer blocks that stay as they are (the embeddings with them, from 1 on)."""
    epochs: float = Field(gt=0)
    batch_size: int = Field(ge=2)
    negatives: int = Field(ge=0, le=10)
    """Mined hard negatives used for each pair, beside the other pairs of the batch."""
    dropout: float = Field(ge=0, lt=1)
    """In the trained blocks. Above 0 attention takes a slower path that needs several times the memory."""
    learning_rate: float = Field(gt=0, le=1)
    warmup: float = Field(ge=0, lt=1)
    """Share of the steps over which the learning rate rises; it then falls along a cosine."""
    weight_decay: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    scale: float = Field(gt=0)
    """Inverse temperature of the loss: cosine similarities are multiplied by it."""
    eval_steps: int = Field(ge=1)
    """Steps between two evaluations on the dev questions, each of which writes a checkpoint."""
    patience: int = Field(ge=1)
    """Evaluations without a better dev nDCG@10 after which training stops."""
    dev_pool: int = Field(ge=100)
    """Passages that dev questions are ranked against; a larger corpus is sampled around the relevant ones."""
    interpolate: list[float] = Field(min_length=1)
    """Shares of the tuned weights mixed with the base's that are tried on dev: 1 is tuned alone. The best is kept."""

    @model_validator(mode="after")
    def _lists(self) -> "TrainParams":
        if len(set(self.seeds)) < len(self.seeds) or min(self.seeds) < 0:
            raise ValueError(f"seeds must be different and not negative, are {self.seeds}")
        if not all(0 < share <= 1 for share in self.interpolate):
            raise ValueError(f"interpolate takes shares above 0 and up to 1, not {self.interpolate}")
        return self
