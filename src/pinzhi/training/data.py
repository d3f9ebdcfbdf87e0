"""Labelled rows for every task, with the group that a split must not cut: brand, account or source post."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq
import yaml

from pinzhi.errors import InputError
from pinzhi.labels import Authenticity, Sentiment

Row = TypeVar("Row")

SENTIMENTS = tuple(Sentiment)
AUTHENTICITIES = tuple(Authenticity)

NEGATIVE, NEUTRAL, POSITIVE = range(3)
POLAR = (NEGATIVE, POSITIVE)


@dataclass(frozen=True)
class Target:
    """What is known of a label: it is one of `among`, of which `allowed` agree with the annotation. A two-class set
    says nothing about neutral, an advertisement set nothing about who is hired; both still teach."""

    allowed: tuple[int, ...]
    among: tuple[int, ...]


@dataclass(frozen=True)
class CommentRow:
    """A comment (or review) with the post it answers, if there is one."""

    text: str
    post: str
    group: str
    source: str
    sentiment: Target | None = None
    authenticity: Target | None = None


@dataclass(frozen=True)
class Value:
    """A declared value as the model reads it."""

    key: str
    text: str


@dataclass(frozen=True)
class CoherenceRow:
    """A post against one brand's values."""

    text: str
    brand: str
    grade: int
    expresses: tuple[str, ...]
    contradicts: tuple[str, ...]
    touches: tuple[str, ...] | None
    pair_id: str | None = None
    hard: bool = False
    platform: str = ""


@dataclass(frozen=True)
class PairRow:
    """An earlier text, a later text, and what the later one is."""

    earlier: str
    later: str
    label: str
    grade: int | None
    how: str
    group: str
    same_topic: tuple[str, ...] = field(default=(), repr=False)  # other earlier posts of the topic: hard negatives


@dataclass(frozen=True)
class MannerRow:
    """A text on its own: own words, boilerplate, or an open quotation."""

    text: str
    label: str
    group: str


FRESH = "fresh/"  # begins the groups of rows from a user's label files


def is_dev(group: str, share: float = 0.16) -> bool:
    """Whether `group` belongs to the dev part; stable over machines and data sets."""
    return int.from_bytes(hashlib.blake2b(group.encode(), digest_size=4).digest()) < share * 2**32


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line]


def parts(labels: Path, kind: str) -> list[Path]:
    """The parts of one of our own sets, `labels`/`kind`/*, by name. Raises InputError when there are none."""
    found = sorted(path for path in (labels / kind).glob("*") if path.is_dir())
    if not found:
        raise InputError(f"{labels / kind}: expected folders of labelled rows, found none; restore data/labels")
    return found


def read_comments(labels: Path) -> list[CommentRow]:
    """Our own labelled comments, grouped by the account that published the post; the brand's own replies left out."""
    rows = []
    for folder in parts(labels, "comments"):
        posts = {row["post_id"]: row for row in _lines(folder / "posts.jsonl")}
        for row in _lines(folder / "comments.jsonl"):
            post = posts[row["post_id"]]
            if row["author_id"] == post["account_id"]:
                continue
            sentiment = SENTIMENTS.index(Sentiment(row["sentiment"]))
            authenticity = AUTHENTICITIES.index(Authenticity(row["authenticity"]))
            rows.append(
                CommentRow(
                    row["text"], post["text"], "comments/" + post["account_id"], "own",
                    Target((sentiment,), (0, 1, 2)), Target((authenticity,), (0, 1, 2, 3, 4)),
                )
            )  # fmt: skip
    return rows


_EMOTIONS = {
    "emotion/smp2020_ewect": {
        "happy": POSITIVE, "angry": NEGATIVE, "sad": NEGATIVE, "fear": NEGATIVE, "neutral": NEUTRAL,
    },
    "emotion/weibo_moods8": {
        "like": POSITIVE, "happiness": POSITIVE, "anger": NEGATIVE, "disgust": NEGATIVE, "sadness": NEGATIVE,
        "none": NEUTRAL,
    },
    "sentiment/osm2022": {"positive": POSITIVE, "weak_negative": NEGATIVE, "anger": NEGATIVE, "anxiety": NEGATIVE},
}  # fmt: skip
_POLAR_SETS = ("online_shopping_10_cats", "chnsenticorp_htl", "waimai_10k", "weibo2018", "eprstmt")


def read_public_comments(data: Path, part: str) -> list[CommentRow]:
    """Sentiment and advertisement sets; `part` is "train" or "dev". Labels are mapped as far as they go, no further."""
    rows: list[CommentRow] = []
    for name in _POLAR_SETS:
        table = pq.read_table(data / "sentiment" / name / f"{part}.parquet", columns=["text", "label"])
        rows.extend(
            CommentRow(row["text"], "", name, name, Target((POLAR[int(row["label"])],), POLAR))
            for row in table.to_pylist()
        )
    for path, mapping in _EMOTIONS.items():
        table = pq.read_table(data / path / f"{part}.parquet", columns=["text", "label"])
        among = (0, 1, 2) if NEUTRAL in mapping.values() else POLAR
        name = path.split("/")[1]
        rows.extend(
            CommentRow(row["text"], "", name, name, Target((mapping[row["label"]],), among))
            for row in table.to_pylist()
            if row["label"] in mapping
        )
    for name in ("group_chat_ads", "game_chat_ads"):
        source = data / "spam" / name / f"{part}.parquet"
        spam = AUTHENTICITIES.index(Authenticity.SPAM)
        others = tuple(i for i in range(5) if i != spam)
        rows.extend(
            CommentRow(
                row["text"], "", name, name, None, Target((spam,) if int(row["label"]) else others, (0, 1, 2, 3, 4))
            )
            for row in pq.read_table(source, columns=["text", "label"]).to_pylist()
        )
    return rows


def read_brand_values(folder: Path) -> dict[str, list[Value]]:
    """Values of the brands of one part, keyed by brand id."""
    listed = yaml.safe_load((folder / "brands.yaml").read_text("utf-8"))
    brands = listed["brands"] if isinstance(listed, dict) else listed
    return {
        brand["id"]: [Value(value["id"], f"{value['name']}：{value['statement']}") for value in brand["values"]]
        for brand in brands
    }


def read_coherence(labels: Path) -> tuple[list[CoherenceRow], dict[str, list[Value]]]:
    """All posts graded against brand profiles; brand keys carry their part, so that no two brands are one."""
    rows: list[CoherenceRow] = []
    values: dict[str, list[Value]] = {}
    for folder in parts(labels, "coherence"):
        values.update({f"{folder.name}/{brand}": listed for brand, listed in read_brand_values(folder).items()})
        rows.extend(
            CoherenceRow(
                row["text"], f"{folder.name}/{row['brand']}", row["grade"], tuple(row["expresses"]),
                tuple(row["contradicts"]), tuple(row["touches"]) if "touches" in row else None,
                f"{folder.name}/{row['pair_id']}" if row.get("pair_id") else None, row["hard"], row["platform"],
            )
            for row in _lines(folder / "posts.jsonl")
        )  # fmt: skip
    return rows, values


def read_pairs(labels: Path) -> tuple[list[PairRow], list[MannerRow]]:
    """Originality pairs grouped by topic (which also holds their source posts), and texts by manner."""
    pairs: list[PairRow] = []
    manners: list[MannerRow] = []
    for folder in parts(labels, "originality"):
        sources = {row["post_id"]: row for row in _lines(folder / "sources.jsonl")}
        topics: dict[str, list[str]] = {}
        for row in sources.values():
            topics.setdefault(row["topic"], []).append(row["text"])
        for row in _lines(folder / "pairs.jsonl"):
            source = sources[row["a_id"]]
            group = f"topic/{source['topic']}"
            others = tuple(text for text in topics[source["topic"]] if text != source["text"])
            pairs.append(PairRow(source["text"], row["b_text"], row["class"], row["grade"], row["how"], group, others))
            if row["class"] in ("quote", "original", "rewrite"):
                label = "quote" if row["class"] == "quote" else "own"
                manners.append(MannerRow(row["b_text"], label, group))
        manners.extend(MannerRow(row["text"], "own", f"topic/{row['topic']}") for row in sources.values())
        manners.extend(
            MannerRow(
                row["text"],
                row.get("manner") or ("template" if row["is_template"] else "own"),
                f"{folder.name}/{row['kind']}/{row['id'][-1]}",
            )
            for row in _lines(folder / "templates.jsonl")
        )
    return pairs, manners


def read_paraphrases(data: Path) -> list[tuple[str, list[tuple[str, str]]]]:
    """Pairs of public sentences that mean the same, per source; for the sentence embedding."""
    sets: list[tuple[str, list[tuple[str, str]]]] = []
    for name in ("lcqmc", "bq_corpus", "afqmc", "atec", "oppo_xiaobu", "simclue_mix"):
        table = pq.read_table(data / "paraphrase" / name / "train.parquet", columns=["text_a", "text_b", "label"])
        rows = table.to_pylist()
        sets.append((name, [(r["text_a"], r["text_b"]) for r in rows if int(r["label"]) == 1]))
    sts = pq.read_table(data / "similarity" / "stsb_zh" / "train.parquet").to_pylist()
    sets.append(("stsb_zh", [(r["text_a"], r["text_b"]) for r in sts if r["label"] >= 4]))
    return sets


def split(rows: Iterable[Row], groups: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Train and dev rows; no group is on both sides. Fresh rows are never held out: the dev rows by which models are
    compared must not change under them."""
    train: list[Row] = []
    dev: list[Row] = []
    for row, group in zip(rows, groups, strict=True):
        (dev if is_dev(group) and FRESH not in group else train).append(row)
    return train, dev
