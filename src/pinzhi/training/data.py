"""Labelled rows for every task, with the group that a split must not cut: brand, account or source post."""

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import yaml

from pinzhi.brand import value_text
from pinzhi.errors import InputError
from pinzhi.glossary import is_english
from pinzhi.labels import Authenticity, Grade, Sentiment
from pinzhi.text import without_emoticons

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
    public: Target | None = None  # of the labels of its own set: PUBLIC_LABELS
    platform: str = ""  # of the post
    kind: str = ""  # what its label calls it, for figures of its own; "" where it says nothing
    part: str = ""  # of our own sets


@dataclass(frozen=True)
class Value:
    """A declared value as the model reads it."""

    key: str
    text: str
    is_english: bool = False  # before it was translated


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
    group: str = ""  # the brand, or what `group` names for brands to whom the same texts are shown
    kind: str = ""  # as that of a comment

    @property
    def part(self) -> str:
        """Of our own sets."""
        return self.brand.partition("/")[0]


def joined(row: CoherenceRow, other: CoherenceRow) -> CoherenceRow:
    """Two posts of one brand as one: a deed does not make up for a violation of the same value, nor one for another value's."""
    contradicts = tuple(dict.fromkeys((*row.contradicts, *other.contradicts)))
    named = [one.touches if one.grade != Grade.UNRELATED else () for one in (row, other)]
    return replace(
        row,
        text=f"{row.text}\n{other.text}",
        grade=min(row.grade, other.grade) if contradicts else max(row.grade, other.grade),
        expresses=tuple(key for key in dict.fromkeys((*row.expresses, *other.expresses)) if key not in contradicts),
        contradicts=contradicts,
        touches=None if named[0] is None or named[1] is None else (*named[0], *named[1]),
    )


RELATIONS = ("entailment", "neutral", "contradiction", "about", "apart")


@dataclass(frozen=True)
class RelationRow:
    """A text and a statement that follows from it, contradicts it, or names what it is about."""

    text: str
    statement: str
    relation: str  # of RELATIONS


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
    platform: str = ""  # of the earlier text; where the later one stood is not labelled


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


def varied(text: str, code_dropout: float, chance: random.Random) -> str:
    """`text`, in a share `code_dropout` of all cases without its emoji and emoji codes: no label may lean on them."""
    return without_emoticons(text) if chance.random() < code_dropout else text


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
                    Target((sentiment,), (0, 1, 2)), Target((authenticity,), (0, 1, 2, 3, 4)), platform=post["platform"],
                    kind=row.get("kind") or "", part=folder.name,
                )
            )  # fmt: skip
    return rows


@dataclass(frozen=True)
class PublicSet:
    """A public set of single texts: its folder, what of a row is read, all its labels in order, what they say of our
    classes (as far as they go, no further), and the share of its train rows that is enough."""

    path: str
    labels: tuple[str, ...]
    sentiment: Mapping[str, int] = field(default_factory=dict)
    spam: str | None = None  # the label of advertisements
    columns: tuple[str, ...] = ("text",)
    share: float = 1.0
    without: str = ""  # the source of rows whose licence forbids commercial use

    @property
    def name(self) -> str:
        """Of the set, without its kind."""
        return self.path.split("/")[1]

    @property
    def among(self) -> tuple[int, ...]:
        """Sentiments that the set knows; without neutral it says nothing about it."""
        return tuple(sorted(set(self.sentiment.values())))


_POLAR_LABELS = {"0": NEGATIVE, "1": POSITIVE}
PUBLIC_SETS = (
    *(
        PublicSet(f"sentiment/{name}", ("0", "1"), _POLAR_LABELS)
        for name in ("online_shopping_10_cats", "chnsenticorp_htl", "waimai_10k", "weibo2018", "eprstmt")
    ),
    # says what is thought of an aspect, not of the car, let alone of a post
    PublicSet("sentiment/bdci2018_car_aspect", ("-1", "0", "1"), columns=("aspect", "text")),
    PublicSet(
        "sentiment/osm2022", ("positive", "weak_negative", "anger", "anxiety"),
        {"positive": POSITIVE, "weak_negative": NEGATIVE, "anger": NEGATIVE, "anxiety": NEGATIVE},
    ),
    PublicSet(
        "emotion/smp2020_ewect", ("happy", "angry", "sad", "fear", "surprise", "neutral"),
        {"happy": POSITIVE, "angry": NEGATIVE, "sad": NEGATIVE, "fear": NEGATIVE, "neutral": NEUTRAL},
    ),
    PublicSet(
        "emotion/weibo_moods8", ("anger", "disgust", "happiness", "like", "sadness", "fear", "surprise", "none"),
        {"like": POSITIVE, "happiness": POSITIVE, "anger": NEGATIVE, "disgust": NEGATIVE, "sadness": NEGATIVE,
         "none": NEUTRAL},
        share=0.6,
    ),
    PublicSet(
        "emotion/covid19_weibo_7emo", ("fear", "disgust", "optimism", "surprise", "gratitude", "sadness", "anger")
    ),
    PublicSet("spam/group_chat_ads", ("0", "1"), spam="1"),
    PublicSet("spam/game_chat_ads", ("0", "1"), spam="1", share=0.125),  # many and alike
    PublicSet("rumor/weibo_rumor", ("0", "1"), without="CHECKED"),
    PublicSet("clickbait/hancd_clickbait", ("0", "1"), columns=("title", "content")),
    PublicSet(
        "topic/thucnews_titles",
        ("finance", "realty", "stocks", "education", "science", "society", "politics", "sports", "game", "entertainment"),
    ),
    PublicSet(
        "topic/nlpcc2017_headline",
        ("baby", "car", "discovery", "entertainment", "essay", "fashion", "finance", "food", "game", "history", "military",
         "regimen", "society", "sports", "story", "tech", "travel", "world"),
        share=0.4,
    ),
)  # fmt: skip
_WITHOUT = {one.path: one.without for one in PUBLIC_SETS if one.without}
PUBLIC_LABELS = tuple((one.name, label) for one in PUBLIC_SETS for label in one.labels)


def permitted(table: pa.Table, path: str) -> pa.Table:
    """Rows of the public set at `path` without those whose licence forbids commercial use."""
    return table.filter(pc.not_equal(table["source"], _WITHOUT[path])) if path in _WITHOUT else table


def read_public(data: Path, part: str, sets: Iterable[PublicSet] = PUBLIC_SETS) -> list[CommentRow]:
    """Rows of the public `sets` under `data`; `part` is "train" or "dev". Raises InputError."""
    rows: list[CommentRow] = []
    spam = AUTHENTICITIES.index(Authenticity.SPAM)
    everything = tuple(range(len(AUTHENTICITIES)))
    for one in sets:
        path = data / one.path / f"{part}.parquet"
        if not path.is_file():
            raise InputError(f"{path}: expected a file of the public sets, found none; name the folder that holds them")
        table = permitted(pq.read_table(path), one.path)
        first = PUBLIC_LABELS.index((one.name, one.labels[0]))
        own = tuple(range(first, first + len(one.labels)))
        texts = zip(*(table[column].to_pylist() for column in one.columns), strict=True)
        for parts_of, label in zip(texts, map(str, table["label"].to_pylist()), strict=True):
            others = tuple(i for i in everything if i != spam)
            rows.append(
                CommentRow(
                    "\n".join(filter(None, parts_of)), "", one.name, one.name,
                    Target((one.sentiment[label],), one.among) if label in one.sentiment else None,
                    None if one.spam is None else Target((spam,) if label == one.spam else others, everything),
                    Target((first + one.labels.index(label),), own),
                )
            )  # fmt: skip
    return rows


def _brands(folder: Path) -> list[dict[str, Any]]:
    listed = yaml.safe_load((folder / "brands.yaml").read_text("utf-8"))
    return listed["brands"] if isinstance(listed, dict) else listed


def read_coherence(labels: Path) -> tuple[list[CoherenceRow], dict[str, list[Value]]]:
    """All posts graded against brand profiles; brand keys carry their part, so that no two brands are one."""
    rows: list[CoherenceRow] = []
    values: dict[str, list[Value]] = {}
    for folder in parts(labels, "coherence"):
        brands = {brand["id"]: brand for brand in _brands(folder)}
        for brand in brands.values():
            values[f"{folder.name}/{brand['id']}"] = [
                Value(value["id"], value_text(value["name"], value["statement"]), is_english(value["statement"]))
                for value in brand["values"]
            ]
        rows.extend(
            CoherenceRow(
                row["text"], f"{folder.name}/{row['brand']}", row["grade"], tuple(row["expresses"]),
                tuple(row["contradicts"]), tuple(row["touches"]) if "touches" in row else None,
                f"{folder.name}/{row['pair_id']}" if row.get("pair_id") else None, row["hard"], row["platform"],
                f"{folder.name}/{brands[row['brand']].get('group', row['brand'])}", row.get("kind") or "",
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
            pairs.append(
                PairRow(
                    source["text"], row["b_text"], row["class"], row["grade"], row["how"], group, others,
                    source.get("platform", ""),
                )
            )  # fmt: skip
            if row["class"] in ("quote", "original", "rewrite"):
                label = "quote" if row["class"] == "quote" else "own"
                manners.append(MannerRow(row["b_text"], label, group))
        manners.extend(MannerRow(row["text"], "own", f"topic/{row['topic']}") for row in sources.values())
        manners.extend(
            MannerRow(
                row["text"],
                row.get("manner") or ("template" if row["is_template"] else "own"),
                f"{folder.name}/{row.get('account_id') or row['kind'] + '/' + row['id'][-1]}",
            )
            for row in _lines(folder / "templates.jsonl")
        )
    return pairs, manners


SAME = 0.8  # from this likeness on two sentences say the same


def read_likenesses(data: Path) -> list[tuple[str, list[tuple[str, str, float]]]]:
    """Pairs of public sentences and how alike they are in meaning, 0 to 1, per source; for the sentence embedding.
    simclue_mix is left out: it holds rows of OCNLI, whose licence forbids commercial use."""
    sets: list[tuple[str, list[tuple[str, str, float]]]] = []
    folders = [f"paraphrase/{name}" for name in ("lcqmc", "bq_corpus", "afqmc", "atec", "oppo_xiaobu", "pawsx_zh")]
    for folder, most in [*((folder, 1) for folder in folders), ("similarity/stsb_zh", 5)]:
        table = pq.read_table(data / folder / "train.parquet", columns=["text_a", "text_b", "label"])
        columns = [column.to_pylist() for column in table.columns]
        sets.append((folder, [(a, b, float(label) / most) for a, b, label in zip(*columns, strict=True)]))
    return sets


def read_relations(data: Path) -> list[RelationRow]:
    """Public texts with a statement each: premises with hypotheses, and descriptions of apps with what they are for. How a
    value stands to a post is learnt from few brands; how a sentence stands to a text can be learnt from many. OCNLI is left
    out for its licence."""
    rows: list[RelationRow] = []
    for name in ("cmnli_zh", "csnli_zh"):
        table = pq.read_table(data / "nli" / name / "train.parquet", columns=["text_a", "text_b", "label"])
        rows += [RelationRow(*row) for row in zip(*(column.to_pylist() for column in table.columns), strict=True)]
    table = pq.read_table(data / "topic" / "iflytek_few" / "train.parquet", columns=["text", "label"])
    rows += [RelationRow(row["text"], row["label"], "about") for row in table.to_pylist()]
    return rows


def split(rows: Iterable[Row], groups: Sequence[str]) -> tuple[list[Row], list[Row]]:
    """Train and dev rows; no group is on both sides. Fresh rows are never held out: the dev rows by which models are
    compared must not change under them."""
    train: list[Row] = []
    dev: list[Row] = []
    for row, group in zip(rows, groups, strict=True):
        (dev if is_dev(group) and FRESH not in group else train).append(row)
    return train, dev


def split_posts(rows: Sequence[CoherenceRow]) -> tuple[list[CoherenceRow], list[CoherenceRow]]:
    """Train and dev rows by brand. A text that is asked of a dev brand is not learnt from under another."""
    train, dev = split(rows, [row.group for row in rows])
    asked = {row.text for row in dev}
    return [row for row in train if row.text not in asked], dev


def own_texts(labels: Path) -> tuple[list[str], list[str]]:
    """Texts of the train rows of our own sets, and texts of their dev rows; one may be among both."""
    comments, (posts, _), (pairs, manners) = read_comments(labels), read_coherence(labels), read_pairs(labels)
    sets: list[tuple[tuple[list[Any], list[Any]], tuple[str, ...]]] = [
        (split(comments, [row.group for row in comments]), ("text", "post")),
        (split_posts(posts), ("text",)),
        (split(pairs, [row.group for row in pairs]), ("earlier", "later")),
        (split(manners, [row.group for row in manners]), ("text",)),
    ]
    train: list[str] = []
    dev: list[str] = []
    for sides, columns in sets:
        for rows, texts in zip(sides, (train, dev), strict=True):
            texts += [getattr(row, column) for row in rows for column in columns]
    return train, dev
