"""Params of the train stage."""

from pydantic import Field

from domain_embeddings.params.strict import Strict


class TrainParams(Strict):
    """How the model is fine-tuned."""

    seed: int = Field(ge=0)
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
