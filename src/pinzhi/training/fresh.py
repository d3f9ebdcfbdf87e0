"""Label files as one more part of our own labelled sets, so that what reads those reads these."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from pinzhi.brand import BrandProfile
from pinzhi.training.data import FRESH, parts
from pinzhi.training.label_files import Problem

PART = FRESH.rstrip("/")


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
