"""Encoders of several kinds, each pre-trained for about as long and probed on the same tasks."""

import os
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from pinzhi.errors import ConfigError
from pinzhi.heads.encoder import Encoder
from pinzhi.segment import Segmenter
from pinzhi.training.corpus import build_corpus
from pinzhi.training.pretrain import pretrain
from pinzhi.training.probe import probe
from pinzhi.training.settings import ComparisonSettings, EncoderSettings, VariantSettings


def varied(settings: EncoderSettings, variant: VariantSettings) -> EncoderSettings:
    """`settings` with what `variant` says otherwise."""
    told = variant.model_dump(exclude_none=True)
    changes: dict[str, dict[str, Any]] = {"training": {"max_steps": variant.max_steps}}
    changes["training"]["decay_steps"] = variant.max_steps // 4
    changes["training"]["warmup_steps"] = min(settings.training.warmup_steps, variant.max_steps // 8)
    for key, (part, field) in {
        "architecture": ("model", "architecture"), "objective": ("objective", "name"),
        "vocabulary_size": ("vocabulary", "size"), "sequence_length": ("training", "sequence_length"),
        "batch_size": ("training", "batch_size"), "skipgram_epochs": ("skipgram", "epochs"),
    }.items():  # fmt: skip
        if key in told:
            changes.setdefault(part, {})[field] = told[key]
    return settings.model_copy(
        update={part: getattr(settings, part).model_copy(update=change) for part, change in changes.items()}
    )


def compare_encoders(
    data: Path, out: Path, base: EncoderSettings, settings: ComparisonSettings, only: Collection[str] | None = None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Pre-train every variant (or `only` those) into `out`/<name> and probe it, one after the other: its name and {"minutes" of processor time with the making of its vocabulary and
    static vectors, "steps", "tokens" shown, task -> figures}, of which "deep" are those of the encoder without the help of
    n-grams. What is there is gone on with; minutes count this run alone."""
    if unknown := set(only or ()) - settings.variants.keys():
        raise ConfigError(f"expected variants of {', '.join(settings.variants)}, found {sorted(unknown)[0]}")
    texts = out / "corpus.parquet"
    out.mkdir(parents=True, exist_ok=True)
    if not texts.exists():
        build_corpus(data, out, base.corpus, Segmenter())
    for name, variant in settings.variants.items():
        if only is not None and name not in only:
            continue
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        corpus = folder / "corpus.parquet"
        if not corpus.exists():
            os.link(texts, corpus)  # the same for all
        one = varied(base, variant)
        started = time.process_time()
        encoder = pretrain(data, folder, one)
        minutes = (time.process_time() - started) / 60
        figures = dict(probe(Encoder.load(encoder), data, settings.probe, settings.tasks))
        tokens = variant.max_steps * one.training.batch_size * one.training.sequence_length
        yield name, {"minutes": round(minutes, 1), "steps": variant.max_steps, "tokens": tokens, **figures}
