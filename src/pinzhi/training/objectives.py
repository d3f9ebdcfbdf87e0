"""What an encoder is pre-trained on. Shapes: n rows, t tokens, m masked tokens, v tokens of the vocabulary."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

IGNORED = -100  # label of a token that is not masked, as the collator of `transformers` writes it


class MaskedWords(nn.Module):
    """Guess the masked words. Only they meet the vocabulary, whose vectors are those of the input."""

    def __init__(self, trunk: Any) -> None:
        super().__init__()
        self.trunk = trunk
        self._embedding = (trunk.get_input_embeddings(),)  # in a tuple: one parameter must not have two names
        n_tokens, size = self._embedding[0].weight.shape
        self.transform = nn.Sequential(nn.Linear(size, size), nn.GELU(), nn.LayerNorm(size))
        self.bias = nn.Parameter(torch.zeros(n_tokens))

    def forward(self, input_ids: Tensor, labels: Tensor, attention_mask: Tensor | None = None) -> dict[str, Tensor]:
        """Loss, and logits [m, v] of the masked tokens in row order."""
        hidden = self.trunk(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        masked = labels != IGNORED
        logits = functional.linear(self.transform(hidden[masked]), self._embedding[0].weight, self.bias)
        return {"loss": functional.cross_entropy(logits, labels[masked]), "logits": logits}


class ReplacedWords(nn.Module):
    """Tell which words a small generator has put in the place of masked ones (ELECTRA: Clark and others, 2020). Every
    token teaches, not the masked share alone."""

    def __init__(self, trunk: nn.Module, hidden_size: int, generator: MaskedWords, weight: float) -> None:
        super().__init__()
        self.trunk = trunk
        self.generator = generator
        self.detect = nn.Sequential(nn.Linear(hidden_size, hidden_size), nn.GELU(), nn.Linear(hidden_size, 1))
        self.weight = weight

    def forward(self, input_ids: Tensor, labels: Tensor, attention_mask: Tensor | None = None) -> dict[str, Tensor]:
        """Loss of both, and logits [n, t] of being replaced."""
        generated = self.generator(input_ids, labels, attention_mask)
        masked = labels != IGNORED
        original = torch.where(masked, labels, input_ids)
        corrupted = original.clone()
        corrupted[masked] = _sampled(generated["logits"].detach())
        hidden = self.trunk(input_ids=corrupted, attention_mask=attention_mask).last_hidden_state
        logits = self.detect(hidden).squeeze(-1)
        losses = functional.binary_cross_entropy_with_logits(
            logits, (corrupted != original).to(logits.dtype), reduction="none"
        )
        read = torch.ones_like(losses) if attention_mask is None else attention_mask.to(losses.dtype)
        return {"loss": generated["loss"] + self.weight * (losses * read).sum() / read.sum(), "logits": logits}


def _sampled(logits: Tensor) -> Tensor:
    """One token [m] of each distribution [m, v]; one random number a row, where Gumbel noise wants one a token."""
    below = logits.softmax(-1).cumsum(-1)
    return (
        torch.searchsorted(below, torch.rand(len(logits), 1) * below[:, -1:]).squeeze(-1).clamp(max=logits.shape[1] - 1)
    )


def shrunk(vectors: Tensor, size: int) -> Tensor:
    """The `size` strongest directions of `vectors` [v, h], spread as they were: a starting embedding for a generator."""
    centred = vectors - vectors.mean(0)
    _, _, directions = torch.linalg.svd(centred.T @ centred)
    small = centred @ directions[:size].T
    return small * (vectors.std() / small.std())
