"""The shared encoder: any `transformers` encoder in a local folder, fed with jieba words."""

import json
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pinzhi.errors import ModelError
from pinzhi.heads.modules import masked_mean
from pinzhi.heads.precision import short_floats
from pinzhi.heads.tokenizer import CODES, ROLES, SPECIAL_TOKENS
from pinzhi.segment import Segmenter
from pinzhi.text import letters, normalise

MAX_TOKENS = 320  # of one text; a longer one keeps its head and its tail, where posts say what they are about
TOKEN_BUDGET = 4096  # padded tokens in one batch


@dataclass(frozen=True)
class Batch:
    """Token ids and mask [n, length]; `rows[i]` is the position of row `i` in the input."""

    rows: np.ndarray
    ids: Tensor
    mask: Tensor


class Encoder:
    """Texts to token ids, token ids to hidden states. Safe to share between threads."""

    def __init__(self, model: Any, tokenizer: Any, segmenter: Segmenter) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.segmenter = segmenter
        self.is_short = False  # whether short floats may be multiplied
        self._lock = threading.Lock()
        # A draft is read for its originality and again for its values: one pass serves both.
        self._hidden_of = lru_cache(maxsize=8)(lambda ids: self._read(torch.tensor([ids]), None))

    @classmethod
    def load(cls, folder: Path, segmenter: Segmenter | None = None) -> "Encoder":
        """Load an encoder from a local folder; never from the network. Raises ModelError."""
        model, tokenizer = load_transformer(folder)
        return cls(model.eval(), tokenizer, segmenter or Segmenter())

    @property
    def hidden_size(self) -> int:
        """Width of the hidden states."""
        return int(self.model.config.hidden_size)

    @property
    def word_vectors(self) -> Tensor:
        """Static vectors of the vocabulary [n_tokens, hidden_size]."""
        return self.model.get_input_embeddings().weight.detach()

    @cached_property
    def token_weights(self) -> np.ndarray:
        """How much each token tells [n_tokens], 0-1: its surprise in the pre-training texts, the same for all where the
        tokenizer does not know how frequent they are; 0 for marks and without letters."""
        scored = json.loads(self.tokenizer.backend_tokenizer.to_str())["model"]["vocab"]
        surprise = np.full(len(self.tokenizer), 0.5, dtype=np.float32)
        if isinstance(scored, list):
            surprise[: len(scored)] = np.clip((-np.array([score for _, score in scored]) - 4) / 8, 0, 1)
        tokens = self.tokenizer.convert_ids_to_tokens(range(len(self.tokenizer)))
        marks = {*self.tokenizer.all_special_tokens, *SPECIAL_TOKENS}
        spoken = np.array([bool(letters(token)) and token not in marks for token in tokens])
        return np.where(spoken, surprise, 0).astype(np.float32)

    def words(self, text: str) -> str:
        """Words of raw `text`, joined by spaces as the tokenizer wants them."""
        return " ".join(self.segmenter.cut(normalise(text).text))

    def token_ids(self, texts: Sequence[str], max_tokens: int = MAX_TOKENS) -> list[list[int]]:
        """Ids of the words of raw `texts`, without special tokens, cut in the middle to `max_tokens`."""
        joined = [self.words(text) for text in texts]
        return [clip(ids, max_tokens) for ids in self.word_ids(joined)]

    def word_ids(self, joined: Sequence[str]) -> list[list[int]]:
        """Ids of space-joined words."""
        if not joined:
            return []
        with self._lock:  # the fast tokenizer keeps its padding state in the object
            return self.tokenizer(list(joined), add_special_tokens=False)["input_ids"]

    def role(self, name: str) -> int:
        """Id of the mark that says what a text is: `[post]`, `[comment]`, `[value]`."""
        return int(self.tokenizer.convert_tokens_to_ids(f"[{name}]"))

    def single(self, ids: list[int], role: str) -> list[int]:
        """`[CLS] [role] ids [SEP]`"""
        return [self.tokenizer.cls_token_id, self.role(role), *ids, self.tokenizer.sep_token_id]

    def batches(self, sequences: Sequence[list[int]], budget: int = TOKEN_BUDGET) -> Iterator[Batch]:
        """Batches of sequences of like length, at most `budget` padded tokens each."""
        order = sorted(range(len(sequences)), key=lambda row: (len(sequences[row]), sequences[row]))
        start = 0
        while start < len(order):
            end = start + 1
            while end < len(order) and (end + 1 - start) * len(sequences[order[end]]) <= budget:
                end += 1
            rows = order[start:end]
            ids, mask = pad([sequences[row] for row in rows], self.tokenizer.pad_token_id)
            yield Batch(np.asarray(rows), ids, mask)
            start = end

    def hidden(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Hidden states [n, length, hidden_size]."""
        if len(ids) == 1 and bool(mask.all()):
            return self._hidden_of(tuple(ids[0].tolist()))
        return self._read(ids, mask)

    @torch.inference_mode()
    def states(self, texts: Sequence[list[int]], role: str) -> list[Tensor]:
        """Hidden states [t, hidden_size] of each of the texts, of which the tokens are given, read as `role`."""
        sequences = [self.single(ids, role) for ids in texts]
        found = [torch.zeros(0)] * len(sequences)
        for batch in self.batches(sequences):
            for row, one in zip(batch.rows, self.hidden(batch.ids, batch.mask), strict=True):
                found[row] = one[: len(sequences[row])]
        return found

    @torch.inference_mode()
    def mean_states(self, texts: Sequence[str], role: str) -> Tensor:
        """Mean hidden states [n, hidden_size] of texts read as `role`."""
        means = torch.zeros(len(texts), self.hidden_size)
        for batch in self.batches([self.single(ids, role) for ids in self.token_ids(texts)]):
            means[torch.from_numpy(batch.rows)] = masked_mean(self.hidden(batch.ids, batch.mask), batch.mask)
        return means

    def _read(self, ids: Tensor, mask: Tensor | None) -> Tensor:
        return hidden_states(self.model, ids, mask, self.is_short)


def hidden_states(model: Any, ids: Tensor, mask: Tensor | None, is_short: bool) -> Tensor:
    """Hidden states [n, length, hidden_size] of an encoder of `transformers`, in single precision; inside, short floats may be
    multiplied."""
    with short_floats(is_short):
        return model(input_ids=ids, attention_mask=mask).last_hidden_state.float()


def load_transformer(folder: Path) -> tuple[Any, Any]:
    """Model in single precision and tokenizer of a local folder. A foreign encoder gets the marks that ours has, with
    vectors of their own to be trained. Raises ModelError."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.utils import logging

    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, dtype=torch.float32)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{folder}: expected an encoder (config.json, model.safetensors, tokenizer.json), found {error}; "
            "restore the folder or run `pinzhi models list`"
        ) from error
    known = tokenizer.get_vocab()
    if missing := [mark for mark in (*CODES, *ROLES) if mark not in known]:
        tokenizer.add_special_tokens({"additional_special_tokens": missing}, replace_extra_special_tokens=False)
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        with torch.random.fork_rng(devices=[]):  # their vectors are the same each time
            torch.manual_seed(0)
            model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    return model, tokenizer


def clip(ids: list[int], max_tokens: int) -> list[int]:
    """The first two thirds and the last third of a text that is too long."""
    if len(ids) <= max_tokens:
        return ids
    head = max_tokens * 2 // 3
    return ids[:head] + ids[len(ids) - (max_tokens - head) :]


def pad(sequences: Sequence[Sequence[int]], pad_id: int) -> tuple[Tensor, Tensor]:
    """Ids and mask [n, longest]; the mask is 1 on tokens."""
    longest = max(map(len, sequences))
    ids = torch.full((len(sequences), longest), pad_id, dtype=torch.long)
    mask = torch.zeros((len(sequences), longest), dtype=torch.long)
    for row, sequence in enumerate(sequences):
        ids[row, : len(sequence)] = torch.as_tensor(sequence)
        mask[row, : len(sequence)] = 1
    return ids, mask


def pad_states(states: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
    """Hidden states [t, h] of n texts as one block [n, longest, h], and its mask [n, longest]."""
    block = torch.nn.utils.rnn.pad_sequence(list(states), batch_first=True)
    lengths = torch.tensor([len(one) for one in states])
    return block, (torch.arange(block.shape[1]) < lengths[:, None]).long()
