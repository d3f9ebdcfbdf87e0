"""A wide and deep classifier on hidden states that stay as they are, so that each text is encoded once."""

import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from pinzhi.heads.modules import TextClassifier, hash_ngrams
from pinzhi.training.data import Target
from pinzhi.training.multitask import marginal_loss, target_masks


class _WithLoss(nn.Module):
    """`Trainer` wants a loss."""

    def __init__(self, head: TextClassifier) -> None:
        super().__init__()
        self.head = head

    def forward(self, pooled: Tensor, ngrams: tuple[Tensor, Tensor], targets: Tensor) -> dict[str, Tensor]:
        return {"loss": marginal_loss(self.head.classify(pooled, ngrams), targets)}


def fit(
    head: TextClassifier, texts: Sequence[str], pooled: Tensor, targets: Sequence[Target], *, epochs: float, batch_size: int,
    learning_rate: float, wide_learning_rate: float, seed: int,
) -> None:  # fmt: skip
    """Train the deep and the wide part of `head` on what it reads of each text, `pooled` [n, its inputs], and on the
    n-grams of the texts, towards what is known of each label. Equal input and seed give equal weights."""
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

    set_seed(seed)
    n_classes = head.wide.embedding_dim

    def batch(chosen: list[dict[str, int]]) -> dict[str, Any]:
        rows = [one["row"] for one in chosen]
        return {"pooled": pooled[rows], "ngrams": hash_ngrams([texts[row] for row in rows]),
                "targets": target_masks([targets[row] for row in rows], n_classes)}  # fmt: skip

    optimizer = torch.optim.AdamW(
        [{"params": head.deep.parameters(), "lr": learning_rate, "weight_decay": 0.01},
         {"params": head.wide.parameters(), "lr": wide_learning_rate, "weight_decay": 0.0}]
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        arguments = TrainingArguments(
            output_dir=scratch, per_device_train_batch_size=batch_size, num_train_epochs=epochs,
            lr_scheduler_type="linear", warmup_steps=20, save_strategy="no", logging_steps=10**9, report_to="none",
            seed=seed, remove_unused_columns=False, dataloader_pin_memory=False, disable_tqdm=True,
        )  # fmt: skip
        items = [{"row": row} for row in range(len(texts))]
        trainer = Trainer(
            model=_WithLoss(head), args=arguments, train_dataset=items, data_collator=batch,
            optimizers=(optimizer, None),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
        trainer.train()
    head.eval()


@torch.inference_mode()
def logits(head: TextClassifier, texts: Sequence[str], pooled: Tensor) -> np.ndarray:
    """Logits [n, c] of `texts`, of which `head` reads `pooled`."""
    parts = [
        head.classify(pooled[start : start + 1024], hash_ngrams(texts[start : start + 1024]))
        for start in range(0, len(texts), 1024)
    ]
    return torch.cat(parts).numpy()
