"""Whether the source of a copy or rewrite is among the candidates that are found for it, in a large archive of other posts.

Run: python -m pinzhi.evaluation.candidates DATA [--posts 100000]
"""

import argparse
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pinzhi import schemas
from pinzhi.originality.index import PostIndex
from pinzhi.originality.ranking import union
from pinzhi.originality.rows import IndexRows, Order
from pinzhi.paths import labels
from pinzhi.scoring import Scorer
from pinzhi.training.data import PairRow, read_pairs, split

LIMITS = (1, 5, 8, 20)
NETS = ("near_duplicates", "partial_copies", "related")
PARTS = ("shared_words", "nearest")  # of the last one
_AT_ONCE = 512
_LEAST = 20  # characters of a post of the archive


def evaluate_candidates(scorer: Scorer, rows: Sequence[PairRow], others: Sequence[str], folder: Path) -> dict[str, Any]:
    """For each net, and for all together, the share of the duplicates and rewrites among `rows` whose source is among the first k
    candidates, where the archive holds the sources and the texts `others`; by k, and by grade at the last of LIMITS."""
    derived = [row for row in rows if row.label in ("duplicate", "rewrite")]
    sources = sorted({row.earlier for row in rows})
    index = scorer.open_index(folder / "index")
    for number, texts in enumerate(_chunks([*sources, *others])):
        index.append(scorer.fingerprint(_posts(texts, f"{number}-", 0)), str(number))
    asked = IndexRows.of(scorer.fingerprint(_posts([row.later for row in derived], "later-", 1)))
    place = {text: at for at, text in enumerate(sources)}
    wanted = index.find([("weibo", "{}-{}".format(*divmod(place[row.earlier], _AT_ONCE))) for row in derived])
    found = {name: _search(index, name, asked) for name in (*NETS, *PARTS)}
    found["together"] = [
        np.array(union(*nets, limit=max(LIMITS)), np.int64)
        for nets in zip(*(found[name] for name in NETS), strict=True)
    ]
    grade = np.array([row.grade or 0 for row in derived])
    report: dict[str, Any] = {"n_archive": len(index), "n_derived": len(derived)}
    for name, candidates in found.items():
        hits = {k: np.array([at in net[:k] for at, net in zip(wanted, candidates, strict=True)]) for k in LIMITS}
        last = hits[max(LIMITS)]
        report[name] = {
            **{f"at_{k}": round(float(hit.mean()), 4) for k, hit in hits.items()},
            "rewrites": round(float(last[grade > 0].mean()), 4),
            "by_grade": {int(g): round(float(last[grade == g].mean()), 4) for g in np.unique(grade) if g},
        }
    return report


def _search(index: PostIndex, net: str, asked: IndexRows) -> list[np.ndarray]:
    return getattr(index, net)(asked, Order.EARLIER, max(LIMITS), np.full(len(asked), -1))


def _chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(texts), _AT_ONCE):
        yield texts[start : start + _AT_ONCE]


def _posts(texts: Sequence[str], prefix: str, day: int) -> pa.Table:
    n = len(texts)
    return pa.table(
        {
            "platform": ["weibo"] * n, "post_id": [f"{prefix}{i}" for i in range(n)], "text": list(texts),
            "published_at": pa.array([day * 86_400_000] * n, schemas.TIME),
        }
    )  # fmt: skip


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of the public sets; posts of raw_text are the archive")
    parser.add_argument("--posts", type=int, default=100_000)
    given = parser.parse_args()
    texts = pq.read_table(given.data / "raw_text" / "weibo_posts_covid19.parquet", columns=["text"])["text"]
    others = [text for text in texts.slice(0, 2 * given.posts).to_pylist() if len(text) >= _LEAST][: given.posts]
    pairs, _ = read_pairs(labels())
    _, dev = split(pairs, [row.group for row in pairs])
    with tempfile.TemporaryDirectory() as scratch:
        print(json.dumps(evaluate_candidates(Scorer.load(), dev, others, Path(scratch)), indent=2))


if __name__ == "__main__":
    main()
