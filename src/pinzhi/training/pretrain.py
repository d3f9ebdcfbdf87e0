"""Pre-training of the encoder: vocabulary, static vectors, then the objective of the settings. Resumes from its last checkpoint."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from torch import nn

from pinzhi.heads.encoder import load_transformer
from pinzhi.heads.precision import has_short_floats
from pinzhi.heads.tokenizer import SPECIAL_TOKENS, build_tokenizer
from pinzhi.segment import Segmenter
from pinzhi.training.checkpoints import last_whole
from pinzhi.training.corpus import build_corpus
from pinzhi.training.deterministic import deterministic
from pinzhi.training.encoders import plain_attention
from pinzhi.training.objectives import MaskedWords, ReplacedWords, shrunk
from pinzhi.training.settings import (
    EncoderSettings,
    ModelSettings,
    ObjectiveSettings,
    SkipgramSettings,
    VocabularySettings,
)


def count_vocabulary(corpus: Path, settings: VocabularySettings) -> dict[str, int]:
    """The `size` most useful tokens with their counts: every frequent character, then words by frequency."""
    words: Counter[str] = Counter()
    for batch in pq.ParquetFile(corpus).iter_batches(columns=["words"]):
        for line in batch.column(0).to_pylist():
            words.update(line.split(" "))
    characters: Counter[str] = Counter()
    for word, count in words.items():
        for character in word:
            characters[character] += count
    kept = {c: n for c, n in characters.items() if n >= settings.min_character_count}
    room = settings.size - len(SPECIAL_TOKENS) - len(kept)
    longer = ((word, n) for word, n in words.most_common() if len(word) > 1 and word not in SPECIAL_TOKENS)
    kept.update(word_count for _, word_count in zip(range(room), longer, strict=False))
    return kept


def skipgram_vectors(lines: list[list[int]], n_tokens: int, size: int, settings: SkipgramSettings, seed: int) -> Any:
    """Static vectors [n_tokens, size], scaled to the spread of a fresh embedding; zero where a token was never seen."""
    from gensim.models import Word2Vec

    model = Word2Vec(
        [[str(token) for token in line] for line in lines],
        vector_size=size, window=settings.window, sg=1, negative=5, sample=1e-4, min_count=3,
        epochs=settings.epochs, workers=2, seed=seed,
    )  # fmt: skip
    vectors = np.zeros((n_tokens, size), dtype=np.float32)
    for token, row in model.wv.key_to_index.items():
        vectors[int(token)] = model.wv.vectors[row]
    seen = np.abs(vectors).sum(axis=1) > 0
    vectors[seen] -= vectors[seen].mean(axis=0)
    vectors[seen] *= 0.05 / vectors[seen].std()
    return vectors


def pack_words(lines: list[str], tokenizer: Any, length: int) -> dict[str, list[Any]]:
    """Texts, as words joined by spaces, one after the other in rows of `length` tokens, each begun with the first mark; with the
    places of the tokens in their texts, by which a collator tells which of them are one word."""
    told = tokenizer(lines, add_special_tokens=False, return_offsets_mapping=True)
    marks = {"input_ids": (tokenizer.cls_token_id, tokenizer.sep_token_id), "offset_mapping": ((0, 0), (0, 0))}
    packed: dict[str, list[Any]] = {}
    for name, (first, last) in marks.items():
        row = [one for text in told[name] for one in (*text, last)]
        packed[name] = [[first, *row[start : start + length - 1]] for start in range(0, len(row), length - 1)][:-1]
    return packed


def whole_word_masks(tokenizer: Any, share: float) -> Any:
    """A collator of packed rows that masks a `share` of the words, whole (Cui and others, 2019)."""
    from transformers import DataCollatorForLanguageModeling

    return DataCollatorForLanguageModeling(
        tokenizer, mlm_probability=share, whole_word_mask=True, mask_replace_prob=1.0, random_replace_prob=0.0
    )


def pretrain(data: Path, out: Path, settings: EncoderSettings, start: Path | None = None) -> Path:
    """Train an encoder on the texts under `data`; every step writes into `out` and is skipped when it is there. With
    `start`, the folder of any encoder and its tokenizer, training goes on from there; else vocabulary and static vectors
    are made from the texts.

    Returns the folder of the trained encoder, loadable by `AutoModel` and `AutoTokenizer`.
    """
    from datasets import Dataset
    from transformers import (
        AutoModel,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    out.mkdir(parents=True, exist_ok=True)
    corpus = out / "corpus.parquet"
    if not corpus.exists():
        build_corpus(data, out, settings.corpus, Segmenter())
    encoder = out / "encoder"
    set_seed(settings.seed)
    trunk = None
    if start is not None:
        trunk, tokenizer = load_transformer(start)
    elif (encoder / "tokenizer.json").exists():
        tokenizer = AutoTokenizer.from_pretrained(encoder, local_files_only=True)
    else:
        tokenizer = build_tokenizer(count_vocabulary(corpus, settings.vocabulary))
    tokenizer.save_pretrained(encoder)

    dataset = Dataset.from_parquet(str(corpus)).shuffle(seed=settings.seed)
    packed = dataset.map(
        pack_words, batched=True, batch_size=2000, remove_columns=dataset.column_names, input_columns=["words"],
        fn_kwargs={"tokenizer": tokenizer, "length": settings.training.sequence_length},
    )  # fmt: skip

    set_seed(settings.seed)
    if trunk is None:
        trunk = AutoModel.from_config(_shape(settings.model, tokenizer))
    if start is None and settings.skipgram.epochs:
        vectors = out / "skipgram.npy"
        if not vectors.exists():
            table = skipgram_vectors(
                packed["input_ids"], len(tokenizer), settings.model.hidden_size, settings.skipgram, settings.seed
            )
            np.save(vectors, table)
        static = torch.from_numpy(np.load(vectors))
        seen = static.abs().sum(1) > 0
        with torch.no_grad():
            trunk.get_input_embeddings().weight[seen] = static[seen]

    plain_attention(trunk)
    checkpoints = out / "checkpoints"
    trainer = Trainer(
        model=_learner(trunk, settings.objective, tokenizer),
        args=TrainingArguments(
            output_dir=str(checkpoints),
            per_device_train_batch_size=settings.training.batch_size,
            max_steps=settings.training.max_steps,
            learning_rate=settings.training.learning_rate,
            lr_scheduler_type="warmup_stable_decay",
            lr_scheduler_kwargs={"num_decay_steps": settings.training.decay_steps},
            warmup_steps=settings.training.warmup_steps,
            weight_decay=0.01,
            use_cpu=not torch.cuda.is_available(),
            bf16=has_short_floats(),
            save_steps=settings.training.save_steps,
            save_total_limit=2,
            logging_steps=50,
            report_to="none",
            seed=settings.seed,
            dataloader_num_workers=0,
            dataloader_pin_memory=False,
            disable_tqdm=False,
            remove_unused_columns=False,
        ),
        train_dataset=packed,
        data_collator=whole_word_masks(tokenizer, settings.objective.masked_share),
    )
    with deterministic():
        trainer.train(resume_from_checkpoint=last_whole(checkpoints))
    trunk.save_pretrained(encoder)
    return encoder


def _shape(model: ModelSettings, tokenizer: Any) -> Any:
    """A configuration of `model` for the words of `tokenizer`."""
    from transformers import AutoConfig

    tokens = {
        "pad_token_id": tokenizer.pad_token_id, "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
    }  # fmt: skip
    own: dict[str, dict[str, Any]] = {
        "modernbert": {
            "global_attn_every_n_layers": 1, "attn_implementation": "sdpa",
            "cls_token_id": tokenizer.cls_token_id, "sep_token_id": tokenizer.sep_token_id,
        },
        # random numbers for dropout alone cost 30% of a step
        "roformer": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "rotary_value": False},
        "bert": {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "attn_implementation": "sdpa"},
    }  # fmt: skip
    return AutoConfig.for_model(
        model.architecture, **model.model_dump(exclude={"architecture"}), **own[model.architecture], **tokens,
        vocab_size=len(tokenizer), max_position_embeddings=1024,
    )  # fmt: skip


def _learner(trunk: Any, objective: ObjectiveSettings, tokenizer: Any) -> nn.Module:
    """`trunk` under the objective of the settings."""
    from transformers import AutoModel

    if objective.name == "masked":
        return MaskedWords(trunk)
    known = trunk.get_input_embeddings().weight
    size = min(objective.generator_size, known.shape[1])
    shape = ModelSettings(
        hidden_size=size, num_hidden_layers=objective.generator_layers, num_attention_heads=max(1, size // 64),
        intermediate_size=2 * size,
    )  # fmt: skip
    small = AutoModel.from_config(_shape(shape, tokenizer))
    small.resize_token_embeddings(len(known), mean_resizing=False)  # some encoders have more rows than tokens
    with torch.no_grad():
        small.get_input_embeddings().weight.copy_(shrunk(known, size))
    return ReplacedWords(trunk, trunk.config.hidden_size, MaskedWords(small), objective.weight)
