"""How good a scored archive is against labels of its rows: `python -m pinzhi.evaluation.archive DIR LABELS`.

LABELS are JSON lines as in `data/labels/demo.jsonl`: `kind` post or comment, the key, and what an editor says of it.
Everything is read from the tables of the run, so that search, models, context and thresholds are judged together.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pinzhi import schemas
from pinzhi.errors import InputError
from pinzhi.evaluation.coherence import weighted_kappa
from pinzhi.evaluation.metrics import bootstrap, macro_f1
from pinzhi.tables import read_table

Report = dict[str, Any]
_POSTS = ["platform", "post_id", "originality_label", "source_platform", "source_post_id", "coherence_grade", "values"]
_COMMENTS = ["platform", "comment_id", "text", "is_owner", "sentiment", "authenticity"]
_DERIVED = ("duplicate", "rewrite")


def evaluate_archive(out: Path, labels: Path) -> Report:
    """Figures with intervals for originality, sources of the derived posts that are found, grades, values, sentiment and
    authenticity."""
    from sklearn.metrics import roc_auc_score

    posts = {
        (r["platform"], r["post_id"]): r for r in read_table(out / "posts", schemas.SCORED_POSTS, _POSTS).to_pylist()
    }
    comments = {
        (r["platform"], r["comment_id"]): r
        for r in read_table(out / "comments", schemas.SCORED_COMMENTS, _COMMENTS).to_pylist()
        if not r["is_owner"]
    }
    lines = [json.loads(line) for line in labels.read_text("utf-8").splitlines() if line]
    of_posts = [(t, posts[key]) for t in lines if (key := (t["platform"], t.get("post_id"))) in posts]
    of_comments = [(t, comments[key]) for t in lines if (key := (t["platform"], t.get("comment_id"))) in comments]
    of_comments = [(t, r) for t, r in of_comments if t.get("authenticity")]
    graded = [(t, r) for t, r in of_posts if "grade" in t and r["coherence_grade"] is not None]
    if not graded or not of_comments:
        raise InputError(
            f"{labels}: expected labels of the rows under {out}, found none that match; name the archive they describe"
        )
    derived = [(t, r) for t, r in of_posts if t["originality"] in _DERIVED]
    values = [
        (value["value_id"] in t["expresses"], value["value_id"] in t["contradicts"], value)
        for t, r in graded
        for value in r["values"]
    ]

    def pair(rows: list[tuple[Report, Report]], said: str, found: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array([t[said] for t, _ in rows]), np.array([r[found] for _, r in rows])

    return {
        "originality_macro_f1": bootstrap(macro_f1, *pair(of_posts, "originality", "originality_label")),
        "original_kept": _share([r["originality_label"] == "original" for t, r in of_posts if t["originality"] == "original"]),
        "derived_found": _share([r["originality_label"] in _DERIVED for _, r in derived]),
        "source_named": _share([
            (t["source_platform"], t["source_post_id"]) == (r["source_platform"], r["source_post_id"])
            for t, r in derived if r["originality_label"] in _DERIVED
        ]),
        "grade_kappa": bootstrap(weighted_kappa, *pair(graded, "grade", "coherence_grade")),
        "expressed_auroc": bootstrap(
            roc_auc_score, np.array([x[0] for x in values]), np.array([x[2]["p_expresses"] for x in values])
        ),
        "contradicted_auroc": bootstrap(
            roc_auc_score, np.array([x[1] for x in values]), np.array([x[2]["p_contradicts"] for x in values])
        ),
        "authenticity_macro_f1": bootstrap(macro_f1, *pair(of_comments, "authenticity", "authenticity")),
        "sentiment_macro_f1": bootstrap(macro_f1, *pair(of_comments, "sentiment", "sentiment")),
        "sentiment_macro_f1_of_snownlp": bootstrap(
            macro_f1, np.array([t["sentiment"] for t, _ in of_comments]), _snownlp([r["text"] for _, r in of_comments])
        ),
    }  # fmt: skip


def _share(hits: Sequence[bool]) -> dict[str, float]:
    return {"value": round(sum(hits) / len(hits), 4) if hits else float("nan"), "n": len(hits)}


def _snownlp(texts: Sequence[str]) -> np.ndarray:
    """SnowNLP's sentiment in three classes: below 0.4 negative, above 0.6 positive."""
    from snownlp import SnowNLP

    score = np.array([SnowNLP(text).sentiments if text.strip() else 0.5 for text in texts])
    return np.where(score > 0.6, 1, np.where(score < 0.4, -1, 0))


def main() -> None:
    """Print the report as JSON."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m pinzhi.evaluation.archive DIR LABELS")
    print(json.dumps(evaluate_archive(Path(sys.argv[1]), Path(sys.argv[2])), indent=2))


if __name__ == "__main__":
    main()
