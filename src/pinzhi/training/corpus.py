"""Text for pre-training: read, cleaned, segmented, one Parquet file of space-joined words."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi.paths import home
from pinzhi.segment import Segmenter
from pinzhi.tables import write_parquet
from pinzhi.text import letters, normalise, without_emoticons
from pinzhi.training.data import own_texts, permitted
from pinzhi.training.settings import CorpusSettings

CORPUS = pa.schema([pa.field("words", pa.string(), nullable=False), pa.field("source", pa.string(), nullable=False)])

# Labelled sets whose training texts are read too, but for what forbids commercial use: rows of CHECKED, and OCNLI with the
# mixture that holds rows of it. The only set of triplets is cut from the same mixture: 134 of its texts stand in OCNLI.
FORBIDDEN = ("ocnli", "simclue_mix")
LABELLED = {
    "sentiment": ("text",),
    "emotion": ("text",),
    "spam": ("text",),
    "topic": ("text",),
    "clickbait": ("title", "content"),
    "paraphrase": ("text_a", "text_b"),
    "similarity": ("text_a", "text_b"),
    "news_match": ("text_a", "text_b"),
    "nli": ("text_a", "text_b"),
    "rumor": ("text",),
    "brand_posts": ("text",),
}


def text_key(text: str) -> bytes:
    """Digest under which two texts count as the same: letters, Han characters and digits of the normalised text; all of
    it where it has none, for an emoji is not every emoji."""
    clean = normalise(text).text
    return hashlib.blake2b((letters(clean) or clean).encode(), digest_size=12).digest()


def held_out_keys(data: Path) -> set[bytes]:
    """Keys of every text of every dev file under `data`; none of them may be trained on."""
    keys: set[bytes] = set()
    for path in sorted(data.rglob("dev.parquet")):
        table = pq.read_table(path)
        for name, column in zip(table.column_names, table.columns, strict=True):
            if name != "label" and (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
                keys.update(text_key(text) for text in column.to_pylist() if text)
    return keys


def _keep(text: str, share: float) -> bool:
    return share >= 1 or int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest()) < share * 2**32


def _raw_texts(data: Path, settings: CorpusSettings) -> Iterator[tuple[str, str]]:
    for name, share in settings.raw_text.items():
        table = pq.read_table(data / "raw_text" / f"{name}.parquet")
        sources = table["source"].to_pylist() if "source" in table.column_names else [name] * table.num_rows
        for text, source in zip(table["text"].to_pylist(), sources, strict=True):
            if text and source not in settings.exclude_sources and _keep(text, share):
                yield text, name
    for thread in pq.read_table(data / "threads" / "ced" / "train.parquet", columns=["text", "items"]).to_pylist():
        yield thread["text"], "ced"
        for item in thread["items"]:
            yield item["text"] or "", "ced"


def _labelled_texts(data: Path) -> Iterator[tuple[str, str]]:
    for task, columns in LABELLED.items():
        for path in sorted((data / task).glob("*/train.parquet")):
            if path.parent.name in FORBIDDEN:
                continue
            name = f"{task}/{path.parent.name}"
            table = permitted(pq.read_table(path), name)
            for column in columns:
                if column in table.column_names:
                    for text in table[column].to_pylist():
                        yield text or "", name


def build_corpus(data: Path, out: Path, settings: CorpusSettings, segmenter: Segmenter) -> Path:
    """Write the corpus of `settings` found under `data`, and of our own train rows, to `out`/corpus.parquet, each distinct
    text once and none of a dev row."""
    own, asked = own_texts(home() / settings.labels) if settings.labels else ([], [])
    seen = held_out_keys(data) | set(map(text_key, asked))
    words: list[str] = []
    sources: list[str] = []
    for texts in (_raw_texts(data, settings), _labelled_texts(data), ((text, "labels") for text in own)):
        for text, source in texts:
            key = text_key(text)
            if key in seen:
                continue
            seen.add(key)
            if not _keep(text[::-1], 1 - settings.code_dropout):
                text = without_emoticons(text)
            for start in range(0, len(text), settings.max_characters):
                cut = segmenter.cut(normalise(text[start : start + settings.max_characters]).text)
                if len(cut) > 3:
                    words.append(" ".join(cut))
                    sources.append(source)
    path = out / "corpus.parquet"
    write_parquet(pa.table({"words": words, "source": sources}, schema=CORPUS), path, CORPUS)
    return path
