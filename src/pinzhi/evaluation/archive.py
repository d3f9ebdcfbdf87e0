"""How good a scored archive is against labels of its rows: `python -m pinzhi.evaluation.archive DIR LABELS`.

LABELS are JSON lines as in `data/labels/demo.jsonl`: `kind` post or comment, the key, and what an editor says of it.
Everything is read from the tables of the run, so that search, models, context and thresholds are judged together.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from pinzhi import schemas
from pinzhi.evaluation.metrics import bootstrap
from pinzhi.tables import read_table

Report = dict[str, Any]
_POSTS = ["platform", "post_id", "originality_label", "source_platform", "source_post_id", "coherence_grade", "values"]
_COMMENTS = ["platform", "comment_id", "is_owner", "sentiment", "authenticity"]


def evaluate_archive(out: Path, labels: Path) -> Report:
    """Figures with intervals for originality, sources, grades, values, sentiment and authenticity."""
    from sklearn.metrics import accuracy_score, cohen_kappa_score, f1_score, roc_auc_score

    def macro_f1(truth: np.ndarray, guess: np.ndarray) -> float:
        return float(f1_score(truth, guess, average="macro", labels=np.unique(truth), zero_division=0))

    def kappa(truth: np.ndarray, guess: np.ndarray) -> float:
        return float(cohen_kappa_score(truth, guess, weights="quadratic"))

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
    derived = [(t, r) for t, r in of_posts if t["originality"] in ("duplicate", "rewrite")]
    values = [
        (value["value_id"] in t["expresses"], value["value_id"] in t["contradicts"], value)
        for t, r in graded
        for value in r["values"]
    ]

    def pair(rows: list[tuple[Report, Report]], said: str, found: str) -> tuple[np.ndarray, np.ndarray]:
        return np.array([t[said] for t, _ in rows]), np.array([r[found] for _, r in rows])

    is_source = np.array([
        (t["source_platform"], t["source_post_id"]) == (r["source_platform"], r["source_post_id"]) for t, r in derived
    ])  # fmt: skip
    return {
        "originality_macro_f1": bootstrap(macro_f1, *pair(of_posts, "originality", "originality_label")),
        "original_kept": bootstrap(
            accuracy_score, *pair([x for x in of_posts if x[0]["originality"] == "original"], "originality", "originality_label")
        ) if of_posts else None,
        "source_named": {"value": round(float(is_source.mean()), 4), "n": len(is_source)} if derived else None,
        "grade_kappa": bootstrap(kappa, *pair(graded, "grade", "coherence_grade")),
        "expressed_auroc": bootstrap(
            roc_auc_score, np.array([x[0] for x in values]), np.array([x[2]["p_expresses"] for x in values])
        ),
        "contradicted_auroc": bootstrap(
            roc_auc_score, np.array([x[1] for x in values]), np.array([x[2]["p_contradicts"] for x in values])
        ),
        "authenticity_macro_f1": bootstrap(macro_f1, *pair(of_comments, "authenticity", "authenticity")),
        "sentiment_macro_f1": bootstrap(macro_f1, *pair(of_comments, "sentiment", "sentiment")),
    }  # fmt: skip


def main() -> None:
    """Print the report as JSON."""
    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m pinzhi.evaluation.archive DIR LABELS")
    print(json.dumps(evaluate_archive(Path(sys.argv[1]), Path(sys.argv[2])), indent=2))


if __name__ == "__main__":
    main()
