"""Encoder and classifier trained together for one task alone, as a user of `transformers` would."""

import copy
import tempfile
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from pinzhi.heads.encoder import Encoder, hidden_states, pad
from pinzhi.heads.modules import DeepClassifier
from pinzhi.training.deterministic import deterministic
from pinzhi.training.encoders import plain_attention
from pinzhi.training.settings import TuningSettings


class _Tuned(nn.Module):
    """`Trainer` wants a loss."""

    def __init__(self, trunk: nn.Module, head: DeepClassifier) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, ids: Tensor, mask: Tensor, shares: Tensor) -> dict[str, Tensor]:
        said = self.head(hidden_states(self.trunk, ids, mask, True), mask)
        return {"loss": functional.cross_entropy(said, shares)}


def tune(
    encoder: Encoder, head: DeepClassifier, sequences: Sequence[list[int]], shares: np.ndarray, settings: TuningSettings,
    seed: int,
) -> Encoder:  # fmt: skip
    """A copy of `encoder`, trained with `head`, which is changed in place, on `sequences` of token ids and how likely each
    class is for each of them, `shares` [n, c]. Equal input and seed give equal weights."""
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

    set_seed(seed)
    trunk = copy.deepcopy(encoder.model)
    plain_attention(trunk)
    wanted = torch.from_numpy(shares.astype(np.float32))

    def batch(chosen: list[dict[str, Any]]) -> dict[str, Tensor]:
        ids, mask = pad([row["input_ids"] for row in chosen], encoder.tokenizer.pad_token_id)
        return {"ids": ids, "mask": mask, "shares": wanted[[row["row"] for row in chosen]]}

    with tempfile.TemporaryDirectory() as scratch, deterministic():
        arguments = TrainingArguments(
            output_dir=scratch, per_device_train_batch_size=settings.batch_size,
            num_train_epochs=min(settings.epochs, settings.max_shown / len(sequences)),
            lr_scheduler_type="linear", warmup_steps=settings.warmup_steps, save_strategy="no", logging_steps=10**9,
            report_to="none", seed=seed, remove_unused_columns=False, dataloader_pin_memory=False,
            train_sampling_strategy="group_by_length",
        )  # fmt: skip
        trainer = Trainer(
            model=_Tuned(trunk, head), args=arguments, data_collator=batch,
            train_dataset=[{"row": row, "input_ids": ids} for row, ids in enumerate(sequences)],
            optimizers=(
                torch.optim.AdamW(
                    [
                        {"params": list(trunk.parameters()), "lr": settings.learning_rate},
                        {"params": list(head.parameters()), "lr": settings.head_learning_rate},
                    ],
                    weight_decay=0.01,
                ),
                None,
            ),
        )  # fmt: skip
        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
        trainer.train()
    head.eval()
    return Encoder(trunk.eval(), encoder.tokenizer, encoder.segmenter)
