"""Multi-task fine-tuning: rows to batches, batches through `Trainer`, the best of it to `out`. Resumable."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from pinzhi.errors import InputError
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import ValueMatcher
from pinzhi.heads.predict import MANNERS, Heads, load_weights
from pinzhi.training.checkpoints import last_whole
from pinzhi.training.corpus import held_out_keys, text_key
from pinzhi.training.data import (
    AUTHENTICITIES,
    PUBLIC_SETS,
    SENTIMENTS,
    CoherenceRow,
    PairRow,
    Value,
    is_dev,
    read_coherence,
    read_comments,
    read_likenesses,
    read_pairs,
    read_public,
    read_relations,
    split,
    split_posts,
)
from pinzhi.training.deterministic import deterministic
from pinzhi.training.encoders import plain_attention
from pinzhi.training.multitask import BatchMaker, MultiTask, TaskBatch, grade_class
from pinzhi.training.relevance import fit_relevance
from pinzhi.training.settings import FinetuneSettings, TaskSettings
from pinzhi.training.wide import Examples, fit_wide


def kept_for_judge(row: PairRow) -> bool:
    """Whether a training pair is kept from the encoder's practice with rewrites: the judge must learn from cosines of texts that the
    encoder has not learnt by heart."""
    return is_dev("judge/" + row.group, 0.4)


Build = Callable[[random.Random], TaskBatch]


class Batches:
    """Every batch of one training, of the tasks that the settings name, in random order: a map-style dataset. Rows are held,
    tensors are built when they are asked for; each batch has its own chance, so that a resumed training sees the same ones."""

    def __init__(self, labels: Path, data: Path | None, encoder: Encoder, settings: FinetuneSettings) -> None:
        self._labels, self._data, self._settings = labels, data, settings
        self._chance = random.Random(settings.seed)
        self._make = BatchMaker(encoder, settings)
        self.examples: dict[str, Examples] = {}  # of each head with a wide part
        # posts and values, where they are asked for
        self.coherence: tuple[list[CoherenceRow], dict[str, list[Value]]] = ([], {})
        self._dev_keys: set[bytes] | None = None
        self._others: list[tuple[str, int]] = []  # public texts and their sentiment
        builders: dict[str, Callable[[TaskSettings], Iterator[Build]]] = {
            "comments": self._comments, "public": self._public, "coherence": self._coherence, "manner": self._manner,
            "rewrite": self._rewrite, "likeness": self._likeness, "relation": self._relation,
            "pairs": self._pairs,
        }  # fmt: skip
        self._planned = [(task, build) for task, one in sorted(settings.tasks.items()) for build in builders[task](one)]
        if self._others and "sentiment" in self.examples:
            texts, labels_of = zip(*self._others, strict=True)
            self.examples["sentiment"] = replace(self.examples["sentiment"], others=texts, other_labels=labels_of)
        self._chance.shuffle(self._planned)

    def __len__(self) -> int:
        return len(self._planned)

    def __getitem__(self, number: int) -> TaskBatch:
        task, build = self._planned[number]
        return {"task": task, **build(random.Random(f"{self._settings.seed}/{number}"))}

    def _epochs(self, rows: Sequence[Any], task: TaskSettings, key: Callable[[Any], Any] | None = None) -> list[list]:
        """Chunks of `task.epochs` passes over `rows`, each shuffled anew; rows of one `key` stay together, so that they
        share a batch."""
        passes: list[Any] = []
        for _ in range(task.epochs):
            order = list(rows)
            self._chance.shuffle(order)
            if key is not None:
                rank = {k: self._chance.random() for k in sorted({key(row) for row in order})}
                order.sort(key=lambda row: rank[key(row)])
            passes.extend(order)
        chunks = [passes[start : start + task.batch_size] for start in range(0, len(passes), task.batch_size)]
        return [chunk for chunk in chunks if len(chunk) > 1]

    def _comments(self, task: TaskSettings) -> Iterator[Build]:
        rows = read_comments(self._labels)
        train, _ = split(rows, [row.group for row in rows])
        self._make.prepare([text for row in train for text in (row.text, row.post)])
        texts = [row.text for row in train]
        for name, n_classes in (("sentiment", len(SENTIMENTS)), ("authenticity", len(AUTHENTICITIES))):
            self.examples[name] = Examples(n_classes, texts, [getattr(row, name).allowed for row in train])
        return (partial(self._make.comments, batch) for batch in self._epochs(train, task))

    def _public(self, task: TaskSettings) -> Iterator[Build]:
        share = {one.name: one.share for one in PUBLIC_SETS}
        rows = [row for row in read_public(self._public_data(), "train") if self._chance.random() < share[row.source]]
        rows = [row for row in rows if text_key(row.text) not in self._held_out()]
        self._chance.shuffle(rows)
        rows = rows[: task.max_rows]
        self._make.prepare([text for row in rows for text in (row.text, row.post)])
        self._others = [(row.text, row.sentiment.allowed[0]) for row in rows if row.sentiment]
        # length in tens of characters: batches of like length waste no padding
        return (
            partial(self._make.public, batch)
            for batch in self._epochs(rows, task, lambda row: min(len(row.text) // 10, 20))
        )

    def _held_out(self) -> set[bytes]:
        """Keys of the dev texts: what one set teaches, another may ask."""
        if self._dev_keys is None:
            self._dev_keys = held_out_keys(self._public_data())
        return self._dev_keys

    def _public_data(self) -> Path:
        if self._data is None:
            raise InputError("expected the folder of the public sets, found none; name it as DATA")
        return self._data

    def _coherence(self, task: TaskSettings) -> Iterator[Build]:
        posts, values = read_coherence(self._labels)
        posts, _ = split_posts(posts)
        group_of = {row.brand: row.group for row in posts}
        values = {brand: listed for brand, listed in values.items() if brand in group_of}
        self._make.prepare([row.text for row in posts] + [value.text for listed in values.values() for value in listed])
        self.examples["coherence"] = Examples(
            len(ValueMatcher.CLASSES), [row.text for row in posts], [(grade_class(row),) for row in posts]
        )
        self.coherence = posts, values
        # a brand's values are encoded once a batch, and posts of like length waste no padding in the matcher
        by_brand = self._epochs(posts, task, lambda row: (row.brand, min(len(row.text) // 60, 3)))
        return (partial(self._make.coherence, batch, values=values, group_of=group_of) for batch in by_brand)

    def _manner(self, task: TaskSettings) -> Iterator[Build]:
        _, rows = read_pairs(self._labels)
        train, _ = split(rows, [row.group for row in rows])
        self._make.prepare([row.text for row in train])
        self.examples["manner"] = Examples(
            len(MANNERS), [row.text for row in train], [(MANNERS.index(row.label),) for row in train]
        )
        return (partial(self._make.manner, batch) for batch in self._epochs(train, task))

    def _rewrite(self, task: TaskSettings) -> Iterator[Build]:
        pairs, _ = read_pairs(self._labels)
        pairs, _ = split(pairs, [row.group for row in pairs])
        self._make.prepare([text for row in pairs for text in (row.earlier, row.later, *row.same_topic)])
        derived = [row for row in pairs if row.label in ("rewrite", "duplicate") and not kept_for_judge(row)]
        return (partial(self._make.rewrite, batch) for batch in _of_different_sources(derived, task, self._chance))

    def _pairs(self, task: TaskSettings) -> Iterator[Build]:
        pairs, _ = read_pairs(self._labels)
        train, _ = split(pairs, [row.group for row in pairs])
        self._make.prepare([text for row in train for text in (row.earlier, row.later, *row.same_topic)])
        by_length = self._epochs(train, task, lambda row: min((len(row.earlier) + len(row.later)) // 60, 8))
        return (partial(self._make.pairs, batch) for batch in by_length)

    def _likeness(self, task: TaskSettings) -> Iterator[Build]:
        for _, rows in read_likenesses(self._public_data()):
            chosen = [row for row in rows[: task.max_rows] if not {*map(text_key, row[:2])} & self._held_out()]
            self._make.prepare([text for a, b, _ in chosen for text in (a, b)])
            yield from (partial(self._make.likeness, batch) for batch in self._epochs(chosen, task))

    def _relation(self, task: TaskSettings) -> Iterator[Build]:
        rows = [
            row for row in read_relations(self._public_data())
            if not {text_key(row.text), text_key(row.statement)} & self._held_out()
        ]  # fmt: skip
        self._make.prepare([text for row in rows for text in (row.text, row.statement)])
        self._chance.shuffle(rows)
        key = lambda row: (row.relation == "about", min(len(row.text) // 10, 20))  # noqa: E731
        return (partial(self._make.relation, batch) for batch in self._epochs(rows[: task.max_rows], task, key))


def _of_different_sources(rows: Sequence[PairRow], task: TaskSettings, chance: random.Random) -> list[list[PairRow]]:
    """Chunks in which no two rows share a source: a rewrite of the same source would be a false negative."""
    batches = []
    for _ in range(task.epochs):
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


def finetune(
    labels: Path, data: Path | None, encoder_folder: Path, out: Path, settings: FinetuneSettings,
    heads: Path | None = None, *, is_quiet: bool = False,
) -> Path:  # fmt: skip
    """Fine-tune encoder and heads on our own sets `labels` and the public ones `data` (None where no task reads them); writes `out`/encoder and
    `out`/<head>.safetensors. With `heads`, the folder of an earlier fine-tuning, they go on from there; heads without a
    task stay as they are. Without `settings.learning_rate` the encoder stays as it is.
    """
    from transformers import PrinterCallback, Trainer, TrainingArguments, set_seed

    set_seed(settings.seed)
    encoder = Encoder.load(encoder_folder)
    batches = Batches(labels, data, encoder, settings)
    model = MultiTask(encoder.model, encoder.hidden_size, settings)
    if heads is not None:
        for head in Heads.NAMES:
            load_weights(model.heads[head], heads / f"{head}.safetensors")
    plain_attention(encoder.model)
    encoder.model.requires_grad_(settings.learning_rate > 0)
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
        disable_tqdm=is_quiet,
    )
    rates = {"trunk.": settings.learning_rate, "": settings.head_learning_rate}
    apart = (".wide.", ".relevance.")  # trained by themselves
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad and not any(x in name for x in apart)]
    parts = [next(part for part in rates if part in name) for name, _ in named]
    groups = [
        {"params": [p for (_, p), of in zip(named, parts, strict=True) if of == part], "lr": rate}
        for part, rate in rates.items()
    ]
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=batches,
        data_collator=lambda items: items[0],
        optimizers=(
            torch.optim.AdamW([group for group in groups if group["params"]], weight_decay=0.01, fused=True),
            None,
        ),
    )
    if is_quiet:
        trainer.remove_callback(PrinterCallback)  # stdout belongs to the caller
    with deterministic():
        trainer.train(resume_from_checkpoint=last_whole(checkpoints))
    model.eval()
    for name, examples in batches.examples.items():
        module = model.heads[name]
        if isinstance(module, ValueMatcher):
            module.alone.wide = fit_wide(examples, settings.wide.model_copy(update={"is_balanced": False}))
            if heads is None:
                module.relevance.embed.load_state_dict(model.embed.state_dict())
            with deterministic():
                fit_relevance(encoder, module.relevance, *batches.coherence, settings.seed)
        else:
            module.wide = fit_wide(examples, settings.wide)
    save(encoder, {name: model.heads[name] for name in Heads.NAMES}, out)
    return out


def half(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights in half precision; whole numbers stay what they are."""
    return {k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in state.items()}


def save(encoder: Encoder, heads: Mapping[str, nn.Module], out: Path) -> None:
    """Encoder as a `transformers` folder, each head as safetensors, in half precision: nothing measurable is lost."""
    folder = out / "encoder"
    encoder.tokenizer.save_pretrained(folder)
    encoder.model.to(torch.float16).save_pretrained(folder)
    encoder.model.to(torch.float32)
    for name, head in heads.items():
        state = head.state_dict()
        save_file(half(state), out / f"{name}.safetensors")
