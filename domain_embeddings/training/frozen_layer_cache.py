"""Do each thing once: the hidden states below the trained blocks, computed once for each distinct text.

Frozen blocks give the same output for a text in every step. `cached_prefix` computes it once, without dropout, into a
memory-mapped file, and lets the blocks above train on it through the ordinary sentence-transformers Trainer, losses and
checkpoints: the model's input module is replaced, for the while, by one whose "token ids" are row numbers of the cache.
A text that a batch holds several times is run once, and texts of like length are run together. With nothing frozen the
cache holds the texts' token ids, and all blocks run.
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from accelerate import PartialState
from numpy.typing import NDArray
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Transformer
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from tqdm.auto import tqdm

from domain_embeddings.core.errors import DataError
from domain_embeddings.core.ranking import Scores
from domain_embeddings.encoding import cpu_features
from domain_embeddings.encoding.batching import at_once, by_length
from domain_embeddings.training.block_stacks import BlockStack, blocks_of

_TOKENIZED_AT_ONCE = 256

Precision = Literal["auto", "bfloat16", "float32"]


def has_bfloat16(device: str) -> bool:
    """Whether a device multiplies bfloat16 matrices in hardware; where it does not, they are slower than float32."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device == "cpu" and cpu_features.has_bfloat16()


def resolve(precision: Precision, device: str) -> torch.dtype:
    """What the blocks compute in; a DataError where bfloat16 is asked for and the device would only emulate it."""
    if precision == "bfloat16" and not has_bfloat16(device):
        remedy = "set train.precision to auto or float32"
        raise DataError(f"this {device}", "has no bfloat16 instructions", remedy=remedy)
    return torch.bfloat16 if precision != "float32" and has_bfloat16(device) else torch.float32


class CachedTransformer(Transformer):
    """A Transformer whose inputs are rows of a cache; shares the weights of the one it stands for.

    A row is a text's hidden states after `cached_blocks` blocks, bfloat16 (tokens, dimensions), or, with none cached,
    its token ids (tokens,).
    """

    cached_blocks: int
    stack: BlockStack
    rows: dict[str, int]
    states: list[Tensor]
    dtype_inside: torch.dtype

    @classmethod
    def over(
        cls,
        transformer: Transformer,
        stack: BlockStack | None,
        blocks: int,
        texts: Sequence[str],
        folder: Path,
        dtype: torch.dtype,
    ) -> "CachedTransformer":
        """Cache `texts`. The states' file in `folder` is made unless it is there; files of others are removed.

        Without a `stack`, the blocks of the transformer, only token ids are cached.
        """
        module = cls.__new__(cls)
        module.__dict__.update(transformer.__dict__)
        module.cached_blocks, module.dtype_inside = blocks, dtype
        module.rows = {text: row for row, text in enumerate(dict.fromkeys(texts))}
        module.states = _token_ids(transformer, list(module.rows))
        if stack is not None and blocks:
            module.stack = stack
            module.states = module._prefix(folder)
        return module

    def _prefix(self, folder: Path) -> list[Tensor]:
        """Views of the states' file, which is written if it is not there."""
        lengths = [len(ids) for ids in self.states]
        file = folder / f"{self._key()}.npy"
        if not file.exists():
            folder.mkdir(parents=True, exist_ok=True)
            for old in folder.iterdir():
                old.unlink()
            unfinished = file.with_suffix(".unfinished")
            shape = (sum(lengths), self.model.config.hidden_size)
            written = np.lib.format.open_memmap(unfinished, mode="w+", dtype=np.uint16, shape=shape)
            _allocate(unfinished)
            self._write(written, [0, *accumulate(lengths)])
            written.flush()
            os.replace(unfinished, file)
        values = torch.from_numpy(np.load(file, mmap_mode="c")).view(torch.bfloat16)
        return list(torch.split(values, lengths))

    def _key(self) -> str:
        """A name for the states: the same frozen weights, token ids and precision give the same one."""
        digest = hashlib.sha256(f"{self.cached_blocks} {self.dtype_inside}".encode())
        for module in (*self.stack.below, *self.stack.layers[: self.cached_blocks]):
            for weight in module.parameters():
                digest.update(weight.detach().cpu().numpy().tobytes())
        for ids in self.states:
            digest.update(len(ids).to_bytes(4, "little") + ids.numpy().tobytes())
        return digest.hexdigest()[:32]

    def _write(self, written: NDArray[np.uint16], bounds: Sequence[int]) -> None:
        self.model.eval()  # type: ignore[no-untyped-call]
        parts = self._by_length(range(len(self.states)))
        for part in tqdm(parts, desc="frozen blocks", unit="batch", leave=False):
            ids, mask = self._padded(part)
            with torch.no_grad(), self._precision():
                hidden = self._blocks(self.stack.embed(ids), mask, 0, self.cached_blocks)
            for row, state in zip(part, hidden.to("cpu", torch.bfloat16).view(torch.uint16).numpy(), strict=True):
                start, end = bounds[row], bounds[row + 1]
                written[start:end] = state[: end - start]

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.model.device.type, self.dtype_inside, enabled=self.dtype_inside != torch.float32)

    def _by_length(self, rows: Sequence[int]) -> list[list[int]]:
        """The rows in micro-batches of like length."""
        parts = by_length([len(self.states[row]) for row in rows], at_once(self.model.device.type))
        return [[rows[place] for place in part] for part in parts]

    def _padded(self, rows: Sequence[int]) -> tuple[Tensor, Tensor]:
        """The states of `rows` (rows, tokens, …) and which tokens are real (rows, tokens)."""
        states = pad_sequence([self.states[row] for row in rows], batch_first=True).to(self.model.device)
        return states, self._mask([len(self.states[row]) for row in rows])

    def _mask(self, lengths: list[int]) -> Tensor:
        positions = torch.arange(max(lengths), device=self.model.device)
        return (positions[None, :] < torch.tensor(lengths, device=self.model.device)[:, None]).long()

    def _blocks(self, hidden: Tensor, mask: Tensor, first: int, last: int | None) -> Tensor:
        return self.stack.run(hidden, mask, first, last)

    def _run(self, rows: Sequence[int]) -> Tensor:
        """Token embeddings (rows, tokens, dimensions) of one micro-batch."""
        states, mask = self._padded(rows)
        if self.cached_blocks:
            return self._blocks(states.to(self.dtype_inside), mask, self.cached_blocks, None)
        found: Tensor = super().forward({"input_ids": states, "attention_mask": mask})["token_embeddings"]
        return found

    def preprocess(  # type: ignore[override]
        self, inputs: Sequence[Any], prompt: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Texts → their row numbers (batch, 1). A text that is not in the cache is a KeyError."""
        rows = torch.tensor([[self.rows[text]] for text in inputs])
        return {"input_ids": rows, "attention_mask": torch.ones_like(rows)}

    def forward(self, features: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        """Run the blocks above the cache, each distinct text once: token_embeddings (batch, tokens, dimensions)."""
        distinct, places = torch.unique(features["input_ids"][:, 0], return_inverse=True)
        rows = distinct.tolist()
        outputs: dict[int, Tensor] = {}
        with self._precision():
            for part in self._by_length(rows):
                for row, output in zip(part, self._run(part), strict=True):
                    outputs[row] = output[: len(self.states[row])]
        embeddings = pad_sequence([outputs[row] for row in rows], batch_first=True).float()
        features["token_embeddings"] = embeddings.index_select(0, places)
        features["attention_mask"] = self._mask([len(outputs[row]) for row in rows])[places]
        return features


def _allocate(file: Path) -> None:
    """Give a file that is written through memory all its room on disk; an OSError where there is too little.

    Without it a disk that fills up ends the process by a signal.
    """
    with file.open("rb+") as opened:
        if hasattr(os, "posix_fallocate"):  # not on macOS
            os.posix_fallocate(opened.fileno(), 0, max(1, os.fstat(opened.fileno()).st_size))


def encode(model: SentenceTransformer, texts: Sequence[str]) -> Scores:
    """Texts of the cache, within `cached_prefix`, their prompts before them → float32 (n, dimensions) of length 1."""
    return model.encode(list(texts), prompt="", batch_size=64, normalize_embeddings=True, show_progress_bar=False)


def _token_ids(transformer: Transformer, texts: Sequence[str]) -> list[Tensor]:
    """The token ids of each text, without padding."""
    found = []
    for start in range(0, len(texts), _TOKENIZED_AT_ONCE):
        features = transformer.preprocess(list(texts[start : start + _TOKENIZED_AT_ONCE]))
        found += [ids[mask.bool()] for ids, mask in zip(features["input_ids"], features["attention_mask"], strict=True)]
    return found


@contextmanager
def cached_prefix(
    model: SentenceTransformer, blocks: int, texts: Sequence[str], folder: Path, dtype: torch.dtype
) -> Iterator[None]:
    """Within the context, `model` knows only `texts` and skips its embeddings and first `blocks` blocks for them.

    Of an architecture whose blocks cannot be run on their own, all are run, and a line says so. The states lie in
    `folder`, under a name made of the frozen weights and the texts: a later run finds them there. `dtype` is what the
    blocks compute in; the trained weights stay float32.
    """
    original = model[0]
    backbone: Any = model.transformers_model
    attention = backbone.config._attn_implementation
    if backbone.device.type == "cpu" and dtype == torch.bfloat16:
        backbone.set_attn_implementation("eager")  # plain matrix products: a fifth faster in all here, most in backward
    found = blocks_of(backbone)
    stack = found if isinstance(found, BlockStack) else None
    if blocks and stack is None:
        print(f"{type(backbone).__name__}: its frozen blocks are not cached, every step runs them")
    with PartialState().main_process_first():  # the others find its file
        model[0] = CachedTransformer.over(original, stack, blocks if stack else 0, texts, folder, dtype)
    try:
        yield
    finally:
        model[0] = original
        backbone.set_attn_implementation(attention)
