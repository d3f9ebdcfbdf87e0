"""A classifier on hidden states that stay as they are, so that each text is encoded once."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import DeepClassifier, TextClassifier
from pinzhi.heads.ngrams import hash_ngrams
from pinzhi.heads.predict import Heads
from pinzhi.training.checkpoints import last_whole
from pinzhi.training.data import Target
from pinzhi.training.multitask import marginal_loss, target_masks

COMMENT_HEADS = ("sentiment", "authenticity")


class _WithLoss(nn.Module):
    """`Trainer` wants a loss."""

    def __init__(self, layers: nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, pooled: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return {"loss": marginal_loss(self.layers(pooled), targets)}


def fit_deep(
    deep: DeepClassifier, pooled: Tensor, targets: Sequence[Target], *, n_classes: int, epochs: float, batch_size: int,
    learning_rate: float, seed: int, checkpoints: Path | None = None, save_steps: int = 100,
) -> None:  # fmt: skip
    """Train the layers of `deep` on what it reads of each text, `pooled` [n, its inputs], towards what is known of each
    label. Goes on from what a killed training left in `checkpoints`. Equal input and seed give equal weights."""
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

    set_seed(seed)

    def batch(chosen: list[dict[str, int]]) -> dict[str, Any]:
        rows = [one["row"] for one in chosen]
        return {"pooled": pooled[rows], "targets": target_masks([targets[row] for row in rows], n_classes)}

    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=str(checkpoints or scratch), per_device_train_batch_size=batch_size, num_train_epochs=epochs,
            lr_scheduler_type="linear", warmup_steps=20, save_strategy="steps" if checkpoints else "no",
            save_steps=save_steps, save_total_limit=1, logging_steps=10**9, report_to="none", seed=seed,
            remove_unused_columns=False, dataloader_pin_memory=False, disable_tqdm=True,
        )  # fmt: skip
        trainer = Trainer(
            model=_WithLoss(deep.layers), args=arguments, train_dataset=[{"row": row} for row in range(len(pooled))],
            data_collator=batch,
            optimizers=(torch.optim.AdamW(deep.layers.parameters(), lr=learning_rate, weight_decay=0.01), None),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
        trainer.train(resume_from_checkpoint=last_whole(checkpoints) if checkpoints else None)
    deep.eval()


@torch.no_grad()
def pool_texts(encoder: Encoder, deep: DeepClassifier, sequences: Sequence[list[int]]) -> Tensor:
    """What `deep` reads of each sequence of token ids [n, its inputs], without a post and plain features."""
    pooled = torch.zeros((len(sequences), 3 * encoder.hidden_size))
    for batch in encoder.batches(sequences):
        pooled[torch.from_numpy(batch.rows)] = deep.pool(encoder.hidden(batch.ids, batch.mask), batch.mask)
    return pooled


@torch.no_grad()
def pool_comments(
    heads: Heads, chosen: Sequence[TextClassifier], texts: Sequence[str], posts: Sequence[str]
) -> list[Tensor]:
    """What the deep part of each of the `chosen` heads reads of each comment under its post [n, its inputs]."""
    rows: list[int] = []
    parts: list[list[Tensor]] = [[] for _ in chosen]
    for at, hidden, mask, context in heads.read_comments(texts, posts):
        rows += at.tolist()
        for part, head in zip(parts, chosen, strict=True):
            part.append(head.deep.pool(hidden, mask, context=context))
    order = np.argsort(rows)
    return [torch.cat(part)[order] for part in parts]


def comment_logits(
    heads: Heads, names: Sequence[str], texts: Sequence[str], posts: Sequence[str]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Head -> logits [n, c] of its deep and of its wide part for comments under their posts."""
    chosen = [heads.copy(name) for name in names]
    classifiers = [head for head in chosen if isinstance(head, TextClassifier)]
    pooled = pool_comments(heads, classifiers, texts, posts)
    return {name: logits(head, texts, read) for name, head, read in zip(names, classifiers, pooled, strict=True)}


@torch.inference_mode()
def logits(head: TextClassifier, texts: Sequence[str], pooled: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Logits [n, c] of the deep part, which reads `pooled`, and of the wide one, which reads `texts`."""
    return head.deep.layers(pooled).numpy(), head.wide(hash_ngrams(texts)).numpy()
