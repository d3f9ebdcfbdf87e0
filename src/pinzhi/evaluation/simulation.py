"""Whether shares and ranks can be trusted, on archives simulated from labelled comments that no model was trained on: how often the
interval of `genuine_share` covers the truth, and how surely honest accounts rank above bought ones.

Run: python -m pinzhi.evaluation.simulation [LABELS] [--seed 0]

A simulated post draws its comments from the dev rows of the labelled sets, as often genuine ones as its true share says; models,
thresholds, shares and ranks are those of a run. Acting together is left out: drawn comments have no common context, so a run with
its bursts and repeated wordings knows more.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pinzhi import schemas
from pinzhi.config import ScoreConfig
from pinzhi.decide import decide_comments
from pinzhi.interaction import aggregate_accounts, count_genuine, share_interval
from pinzhi.labels import Authenticity
from pinzhi.paths import labels
from pinzhi.scoring import Scorer
from pinzhi.training.data import AUTHENTICITIES, CommentRow, read_comments, split

SIZES = (5, 10, 20, 50, 100, 300)  # comments of a post
_POSTS = 1000  # of each size
_ACCOUNTS = 400  # half of them honest
_POSTS_OF_ACCOUNT = 12
_INFLATED = (5.0, 50.0)  # followers of a bought account, times those who are real


@dataclass(frozen=True)
class Pool:
    """Comments [n] to draw from: what an editor calls genuine, what the models do, and how likely they find it."""

    truth: np.ndarray
    label: np.ndarray
    p: np.ndarray

    def draw(self, share: float, size: int, chance: np.random.Generator) -> np.ndarray:
        """Rows of `size` comments of which each is genuine with probability `share`."""
        genuine = chance.random(size) < share
        rows = np.empty(size, dtype=int)
        for kind in (True, False):
            rows[genuine == kind] = chance.choice(np.flatnonzero(self.truth == kind), int((genuine == kind).sum()))
        return rows


def judge(scorer: Scorer, rows: Sequence[CommentRow]) -> Pool:
    """What the models say of `rows`, each under its post."""
    n = len(rows)
    comments = pa.table(
        {"platform": ["sim"] * n, "comment_id": [f"c{i}" for i in range(n)], "post_id": [f"p{i}" for i in range(n)],
         "text": [row.text for row in rows]}
    )  # fmt: skip
    posts = pa.table({"platform": ["sim"] * n, "post_id": comments["post_id"], "text": [row.post for row in rows]})
    measures = scorer.measure_comments(comments, posts)
    decided = decide_comments(measures.append_column("text", comments["text"]), scorer.config)
    genuine = Authenticity.GENUINE
    truth = [row.authenticity is not None and AUTHENTICITIES[row.authenticity.allowed[0]] is genuine for row in rows]
    return Pool(
        np.array(truth), np.array([label == genuine for label in decided["authenticity"].to_pylist()]),
        measures["p_genuine"].to_numpy().astype(float),
    )  # fmt: skip


def coverage(pool: Pool, config: ScoreConfig, chance: np.random.Generator) -> dict[str, Any]:
    """Share of simulated posts whose interval covers their true share, mean width of the intervals, mean error of the share and of
    the plain share of labels: by number of comments."""
    report: dict[str, Any] = {}
    hits: list[bool] = []
    for size in SIZES:
        widths, errors, plain, covered = [], [], [], []
        for _ in range(_POSTS):
            truth = float(chance.uniform(0.02, 0.98))
            at = pool.draw(truth, size, chance)
            share, low, high = share_interval(pool.label[at], pool.p[at], config.interaction.interval)
            covered.append(low <= truth <= high)
            widths.append(high - low)
            errors.append(abs(share - truth))
            plain.append(abs(float(pool.label[at].mean()) - truth))
        hits += covered
        report[f"n_{size}"] = {
            "covered": round(float(np.mean(covered)), 4), "width": round(float(np.mean(widths)), 4),
            "error": round(float(np.mean(errors)), 4), "error_of_labels": round(float(np.mean(plain)), 4), "n": _POSTS,
        }  # fmt: skip
    return {"covered": round(float(np.mean(hits)), 4), "wanted": config.interaction.interval, **report}


def ranking(pool: Pool, config: ScoreConfig, chance: np.random.Generator) -> dict[str, float]:
    """AUROC of honest against bought accounts by `real_share`, beside comments per follower and the share of genuine comments.

    An honest account of f followers gets 30 (f / 100,000)^0.8 comments a post, a third to three times as many, mostly genuine. A
    bought one has as many real followers as an honest one and claims 5 to 50 times as many; every other one buys half to six
    times as many comments as the genuine ones on top.
    """
    from sklearn.metrics import roc_auc_score

    posts: list[dict[str, Any]] = []
    seen: list[dict[str, Any]] = []
    drawn: list[np.ndarray] = []
    honest = np.arange(_ACCOUNTS) % 2 == 0
    naive = np.empty(_ACCOUNTS)
    for number in range(_ACCOUNTS):
        real = 10 ** float(chance.uniform(3.5, 6))
        usual = 30 * (real / 100_000) ** 0.8 * float(np.exp(chance.normal(0, 0.5)))
        bought = float(chance.uniform(0.5, 6)) if number % 4 == 1 else 0.0
        share = float(chance.uniform(0.7, 0.98)) / (1 + bought)
        followers = round(real * (1 if honest[number] else float(chance.uniform(*_INFLATED))))
        counts = np.maximum(1, chance.poisson(usual * (1 + bought) * np.exp(chance.normal(0, 0.4, _POSTS_OF_ACCOUNT))))
        account = {"platform": "sim", "account_id": f"a{number:04d}"}
        seen.append(account | {"followers": followers})
        for count in counts.tolist():
            at = pool.draw(share, min(count, 100), chance)  # crawlers read so many
            drawn.append(at)
            posts.append(account | {
                "post_id": f"p{len(posts)}", "n_comments": len(at), "comments": count, "reposts": 0, "reads": None,
                "burst_share": None, "quality": None, "originality": None, "originality_label": "original",
            })  # fmt: skip
        naive[number] = counts.mean() / followers
    table = count_genuine(pa.Table.from_pylist(posts), _comments(pool, drawn), config)
    accounts = aggregate_accounts(table, pa.Table.from_pylist(seen, schema=schemas.ACCOUNTS), config).to_pylist()
    judged = np.array([row["real_share"] is not None for row in accounts])

    def auroc(values: Sequence[float | None] | np.ndarray) -> float:
        return round(float(roc_auc_score(honest[judged], np.array(values, dtype=float)[judged])), 4)

    return {
        "auroc": auroc([row["real_share"] for row in accounts]), "comments_per_follower": auroc(naive),
        "genuine_share": auroc([row["genuine_share"] for row in accounts]), "n": int(judged.sum()), "abstained": int((~judged).sum()),
    }  # fmt: skip


def _comments(pool: Pool, drawn: Sequence[np.ndarray]) -> pa.Table:
    """What `count_genuine` reads of the comments drawn for each post."""
    at = np.concatenate(drawn)
    label = np.where(pool.label, Authenticity.GENUINE.value, Authenticity.WATER_ARMY.value)
    posts = np.repeat([f"p{number}" for number in range(len(drawn))], [len(rows) for rows in drawn])
    n = len(at)
    return pa.table(
        {
            "platform": ["sim"] * n,
            "post_id": posts,
            "is_owner": [False] * n,
            "authenticity": label[at],
            "p_genuine": pool.p[at],
        }
    )


def main() -> None:
    """Print the report as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("labels", type=Path, nargs="?", default=labels(), help="data/labels unless given")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rows = read_comments(given.labels)
    _, dev = split(rows, [row.group for row in rows])
    scorer = Scorer.load()
    pool = judge(scorer, dev)
    chance = np.random.default_rng(given.seed)
    report = {
        "n_comments": len(dev), "accuracy_of_genuine": round(float((pool.truth == pool.label).mean()), 4),
        "coverage": coverage(pool, scorer.config, chance), "ranking": ranking(pool, scorer.config, chance),
    }  # fmt: skip
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
