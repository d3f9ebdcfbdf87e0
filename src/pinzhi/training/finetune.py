"""Multi-task fine-tuning: rows to batches, batches through `Trainer`, the best of it to `out`. Resumable."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from pinzhi.heads.encoder import Encoder
from pinzhi.training.data import (
    CoherenceRow,
    PairRow,
    is_dev,
    read_coherence,
    read_comments,
    read_pairs,
    read_paraphrases,
    read_public_comments,
    split,
)
from pinzhi.training.multitask import BatchMaker, MultiTask, TaskBatch
from pinzhi.training.settings import FinetuneSettings

HEADS = ("sentiment", "authenticity", "manner", "coherence", "embedding")


def kept_for_judge(row: PairRow) -> bool:
    """Whether a training pair is kept from the embedding: the judge must learn from cosines of texts that the
    embedding has not learnt by heart."""
    return is_dev("judge/" + row.group, 0.4)


def _chunks(rows: Sequence[Any], size: int) -> list[list[Any]]:
    return [list(rows[start : start + size]) for start in range(0, len(rows), size)]


def _epochs(rows: Sequence[Any], epochs: float, chance: random.Random, key: Callable[[Any], Any] | None = None) -> list:
    """`epochs` passes over `rows`, each shuffled anew; rows of one `key` stay together, so that they share a batch."""
    passes: list[Any] = []
    for _ in range(int(epochs)):
        order = list(rows)
        chance.shuffle(order)
        if key is not None:
            rank = {k: chance.random() for k in sorted({key(row) for row in order})}
            order.sort(key=lambda row: rank[key(row)])
        passes.extend(order)
    return passes


def task_batches(data: Path, encoder: Encoder, settings: FinetuneSettings) -> list[TaskBatch]:
    """Every batch of the whole training, in the order in which it is shown."""
    chance = random.Random(settings.seed)
    make = BatchMaker(encoder, settings)
    authored = data / "authored"
    batches: list[TaskBatch] = []

    def add(task: str, rows: Sequence[Any], build: Callable[[Sequence[Any]], TaskBatch]) -> None:
        size = settings.tasks[task].batch_size
        batches.extend({"task": task, **build(chunk)} for chunk in _chunks(rows, size) if len(chunk) > 1)

    def limited(task: str, rows: Sequence[Any]) -> list[Any]:
        rows = list(rows)
        chance.shuffle(rows)
        return rows[: settings.tasks[task].max_rows]

    own = read_comments(authored)
    train, _ = split(own, [row.group for row in own])
    public = limited("public", _thinned(read_public_comments(data, "train"), chance))
    make.prepare([text for row in (*train, *public) for text in (row.text, row.post)])
    add("comments", _epochs(train, settings.tasks["comments"].epochs, chance), make.comments)
    # length in tens of characters: batches of like length waste no padding
    by_length = _epochs(public, settings.tasks["public"].epochs, chance, key=lambda row: min(len(row.text) // 10, 20))
    add("public", by_length, make.comments)

    posts, values = read_coherence(authored)
    posts, _ = split(posts, [row.brand for row in posts])
    brands = {row.brand for row in posts}
    values = {brand: listed for brand, listed in values.items() if brand in brands}
    make.prepare([row.text for row in posts] + [value.text for listed in values.values() for value in listed])
    together: Callable[[CoherenceRow], str] = lambda row: row.brand  # noqa: E731  (a brand's values are encoded once a batch)
    add(
        "coherence",
        _epochs(posts, settings.tasks["coherence"].epochs, chance, key=together),
        lambda rows: make.coherence(rows, values),
    )

    pairs, manners = read_pairs(authored)
    pairs, _ = split(pairs, [row.group for row in pairs])
    manners, _ = split(manners, [row.group for row in manners])
    make.prepare(
        [row.text for row in manners] + [t for row in pairs for t in (row.earlier, row.later, *row.same_topic)]
    )
    add("manner", _epochs(manners, settings.tasks["manner"].epochs, chance), make.manner)
    derived = [row for row in pairs if row.label in ("rewrite", "duplicate") and not kept_for_judge(row)]
    for chunk in _epoch_batches(derived, settings, chance):
        batches.append({"task": "rewrite", **make.rewrite(chunk)})

    for _, rows in read_paraphrases(data):
        chosen = rows[: (settings.tasks["paraphrase"].max_rows or len(rows)) // 6]
        make.prepare([text for pair in chosen for text in pair])
        add("paraphrase", _epochs(chosen, settings.tasks["paraphrase"].epochs, chance), make.paraphrase)
    chance.shuffle(batches)
    return batches


def _thinned(rows: Sequence[Any], chance: random.Random) -> list[Any]:
    """Game-chat advertisements are many and alike: one in eight is enough."""
    return [row for row in rows if row.source != "game_chat_ads" or chance.random() < 0.125]


def _epoch_batches(rows: Sequence[Any], settings: FinetuneSettings, chance: random.Random) -> list[list[Any]]:
    """Batches in which no two rows share a source: a rewrite of the same source would be a false negative."""
    task = settings.tasks["rewrite"]
    batches = []
    for _ in range(int(task.epochs)):
        order = list(rows)
        chance.shuffle(order)
        while len(order) >= task.batch_size // 2:
            seen: set[str] = set()
            chosen: list[PairRow] = []
            rest: list[PairRow] = []
            for row in order:
                if row.earlier in seen or len(chosen) == task.batch_size:
                    rest.append(row)
                else:
                    seen.add(row.earlier)
                    chosen.append(row)
            if len(chosen) < task.batch_size // 2:
                break
            batches.append(chosen)
            order = rest
    return batches


def finetune(data: Path, encoder_folder: Path, out: Path, settings: FinetuneSettings) -> Path:
    """Fine-tune encoder and heads on `data`; writes `out`/encoder and `out`/<head>.safetensors."""
    from transformers import Trainer, TrainingArguments, set_seed
    from transformers.trainer_utils import get_last_checkpoint

    set_seed(settings.seed)
    encoder = Encoder.load(encoder_folder)
    batches = task_batches(data, encoder, settings)
    weights = {name: task.weight for name, task in settings.tasks.items()}
    model = MultiTask(encoder.model, encoder.hidden_size, weights, settings.temperature)
    checkpoints = out / "checkpoints"
    arguments = TrainingArguments(
        output_dir=str(checkpoints),
        per_device_train_batch_size=1,  # one item is one batch of one task
        num_train_epochs=1,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="linear",
        warmup_steps=int(len(batches) * settings.warmup_share),
        weight_decay=0.01,
        max_grad_norm=1.0,
        save_steps=settings.save_steps,
        save_total_limit=1,
        logging_steps=50,
        report_to="none",
        seed=settings.seed,
        remove_unused_columns=False,
        dataloader_pin_memory=False,
    )
    trunk = {id(parameter) for parameter in encoder.model.parameters()}
    groups = [
        {"params": [p for p in model.parameters() if id(p) in trunk], "lr": settings.learning_rate},
        {"params": [p for p in model.parameters() if id(p) not in trunk], "lr": settings.head_learning_rate},
    ]
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=batches,  # a list is a map-style dataset
        data_collator=lambda items: items[0],
        optimizers=(torch.optim.AdamW(groups, weight_decay=0.01), None),
    )
    trainer.train(resume_from_checkpoint=get_last_checkpoint(str(checkpoints)) if checkpoints.exists() else None)
    model.eval()
    save(encoder, model, out)
    return out


def save(encoder: Encoder, model: nn.Module, out: Path) -> None:
    """Encoder as a `transformers` folder, each head as safetensors, in half precision: nothing measurable is lost."""
    folder = out / "encoder"
    encoder.tokenizer.save_pretrained(folder)
    encoder.model.to(torch.float16).save_pretrained(folder)
    encoder.model.to(torch.float32)
    for head in HEADS:
        state = getattr(model, head).state_dict()
        save_file({k: v.to(torch.float16).contiguous() for k, v in state.items()}, out / f"{head}.safetensors")
