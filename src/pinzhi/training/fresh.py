"""Label files as one more part of our own labelled sets, so that what reads those reads these; without what models are judged by."""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from pinzhi.brand import BrandProfile
from pinzhi.minhash import shingles
from pinzhi.platforms import PLATFORMS
from pinzhi.text import normalise
from pinzhi.training.corpus import text_key
from pinzhi.training.data import FRESH, parts
from pinzhi.training.label_export import account_digest
from pinzhi.training.label_files import Problem

PART = FRESH.rstrip("/")
# Of the shingles of the shorter text, numbers aside. Dev and train texts of data/labels of at least LEAST_SHINGLES share below
# 0.6; dev texts in hashtags, cut, prefixed or with other numbers share all, with two characters replaced mostly above.
NEAR = 0.7
LEAST_SHINGLES = 8  # eleven letters; below, set phrases are alike by chance
_NUMBER = re.compile(r"\d+")


class _Frozen:
    """Texts by which models are judged, known again when they come back word by word or nearly."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._by_key = {text_key(text): text for text in texts}
        self._long = [(text, said) for text in self._by_key.values() if len(said := _shingles(text)) >= LEAST_SHINGLES]
        self._holding: dict[str, list[int]] = {}  # shingle -> the long texts that hold it
        for at, (_, said) in enumerate(self._long):
            for shingle in said:
                self._holding.setdefault(shingle, []).append(at)

    def like(self, text: str) -> str | None:
        """The frozen text that `text` repeats."""
        if (key := text_key(text)) in self._by_key:
            return self._by_key[key]
        said = _shingles(text)
        shared = Counter(at for shingle in said for at in self._holding.get(shingle, ()))
        for at, n in shared.most_common() if len(said) >= LEAST_SHINGLES else ():
            if n >= NEAR * min(len(said), len(self._long[at][1])):
                return self._long[at][0]
        return None


def _shingles(text: str) -> set[str]:
    return shingles(_NUMBER.sub("0", normalise(text).text))


def without_frozen(
    table: pa.Table, texts: Iterable[str], *, columns: Sequence[str] = ("text",), of: str = "group", groups: Collection[str] = (),
) -> tuple[pa.Table, list[Problem]]:  # fmt: skip
    """Label rows (schema LABELS) that repeat none of the frozen `texts` in one of `columns` and belong to none of the frozen
    `groups` by their column `of`, plain or as `pinzhi label export` writes accounts; and the others."""
    frozen = _Frozen(texts)
    platforms = PLATFORMS | set(filter(None, table["platform"].to_pylist()))
    judges = {account_digest(platform, group) for platform in platforms for group in groups} | set(groups)
    kept, repeats = [], []
    for row in table.to_pylist():
        like = next((found for name in columns if row[name] and (found := frozen.like(row[name]))), None)
        kept.append(row[of] not in judges and like is None)
        if not kept[-1]:
            found = f"the {of} {row[of]}" if like is None else repr(like[:30])
            reason = f"expected nothing by which models are judged, found {found} of the frozen rows"
            repeats.append(Problem(row["source"], row["row"], reason, is_repeat=True))
    return table.filter(pa.array(kept, pa.bool_())), repeats


def link_parts(base: Path, kind: str, scratch: Path) -> Path:
    """A folder of labelled sets under `scratch` that holds the parts of `base`/`kind` and room for PART; returns the room."""
    folder = scratch / "labels" / kind
    folder.mkdir(parents=True)
    for part in parts(base, kind):
        (folder / part.name).symlink_to(part.resolve(), target_is_directory=True)
    room = folder / PART
    room.mkdir()
    return room


def graded_posts(table: pa.Table, brands: Sequence[BrandProfile]) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Label rows (schema LABELS) as graded posts, and those that name a brand or a value that no profile has."""
    known = {brand.id: {value.id for value in brand.values} for brand in brands}
    rows, problems = [], []
    for row in table.to_pylist():
        lists = {name: row[name] or [] for name in ("expresses", "contradicts")}
        if row["touches"] is not None:  # else nobody said which
            lists["touches"] = row["touches"]
        unknown = sorted({value for named in lists.values() for value in named} - known.get(row["brand"], set()))
        if row["brand"] not in known:
            reason = f"expected one of the brands {', '.join(known) or '(none given)'}, found {row['brand']}; name its profile with --brand"
            problems.append(Problem(row["source"], row["row"], reason))
        elif unknown:
            reason = f"expected values of {row['brand']} ({', '.join(sorted(known[row['brand']]))}), found {unknown[0]}"
            problems.append(Problem(row["source"], row["row"], reason))
        else:
            rows.append({"text": row["text"], "brand": row["brand"], "grade": int(row["label"]), **lists, "hard": False,
                         "platform": row["platform"] or "", "pair_id": None})  # fmt: skip
    return rows, problems


def write_coherence(posts: Sequence[Mapping[str, Any]], brands: Sequence[BrandProfile], room: Path) -> None:
    """Graded posts and the profiles they were graded against."""
    _write(room / "posts.jsonl", posts)
    profiles = [
        {"id": brand.id, "values": [{"id": v.id, "name": v.name, "statement": v.statement} for v in brand.values]}
        for brand in brands
    ]
    (room / "brands.yaml").write_text(yaml.safe_dump({"brands": profiles}, allow_unicode=True), "utf-8")


def write_originality(table: pa.Table, room: Path) -> None:
    """Pairs with their earlier text, and texts labelled on their own."""
    sources, pairs, alone = [], [], []
    for number, row in enumerate(table.to_pylist()):
        if row["label"] != "template" and row["context"]:
            topic = f"{FRESH}{row['group'] or number}"
            sources.append({"post_id": str(number), "topic": topic, "text": row["context"]})
            pairs.append(
                {"a_id": str(number), "b_text": row["text"], "class": row["label"], "grade": None, "how": "label"}
            )
        else:
            manner = row["label"] if row["label"] in ("template", "quote") else "own"
            alone.append({"id": str(number), "text": row["text"], "manner": manner, "kind": "label"})
    _write(room / "sources.jsonl", sources)
    _write(room / "pairs.jsonl", pairs)
    _write(room / "templates.jsonl", alone)


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")
