"""Accounts that are fed or lived in: labelled accounts, groups that share posts, and a linear model on their features."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from pinzhi.evaluation.metrics import accuracy, bootstrap, expected_calibration_error
from pinzhi.interaction.account_features import SeenPost, account_features

_SHORT = 8  # characters up to which two accounts share a post by chance
_FOLDS = 10


def shared_post_groups(accounts: Sequence[Sequence[str]]) -> np.ndarray:
    """Group [n] of each account; accounts with a post in common, through others too, are of one group."""
    numbers: dict[str, int] = {}
    pairs = [
        (row, numbers.setdefault(text, len(numbers)))
        for row, texts in enumerate(accounts) for text in texts if len(text) > _SHORT
    ]  # fmt: skip
    n = len(accounts)
    rows, posts = np.array(pairs, dtype=int).reshape(-1, 2).T
    size = n + len(numbers)
    graph = coo_matrix((np.ones(len(rows)), (rows, n + posts)), shape=(size, size))
    return connected_components(graph, directed=False)[1][:n]


def account_model() -> Pipeline:
    """Logistic regression: few rows bear no more, and its probabilities are calibrated as they are."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.3))


def evaluate_accounts(folder: Path, seed: int) -> dict[str, Any]:
    """Accuracy of the model, of a forest on the same features and of character n-grams of the posts, on the accounts under
    `folder`, each judged by models that saw no account of its group."""
    rows = pq.read_table(folder / "train.parquet").to_pylist()
    labels = np.array([int(row["label"]) for row in rows])
    features = np.stack([_features(row) for row in rows])
    texts = np.array(["\n".join(row["posts"])[:4000] for row in rows])
    groups = shared_post_groups([row["posts"] for row in rows])
    folds = list(StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed).split(features, labels, groups))

    def held_out(build: Callable[[], Any], read: np.ndarray) -> np.ndarray:
        p = np.zeros(len(labels))
        for train, dev in folds:
            p[dev] = build().fit(read[train], labels[train]).predict_proba(read[dev])[:, 1]
        return p

    p = held_out(account_model, features)
    forest = held_out(lambda: RandomForestClassifier(300, min_samples_leaf=2, random_state=seed), features)
    grams = held_out(
        lambda: make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=100_000),
            LogisticRegression(C=20),
        ),
        texts,
    )
    return {
        "metric": "accuracy, 10 folds of accounts that share no post", "n_dev": len(labels),
        "pinzhi": bootstrap(accuracy, labels, p > 0.5), "forest": bootstrap(accuracy, labels, forest > 0.5),
        "tfidf": bootstrap(accuracy, labels, grams > 0.5),
        "ece": round(expected_calibration_error((p > 0.5) == labels, np.maximum(p, 1 - p)), 4),
    }  # fmt: skip


def _features(row: dict[str, Any]) -> np.ndarray:
    posts = [
        SeenPost(text, reposts, comments, likes, repost != "noretweet")
        for text, (_, _, reposts, comments, likes), repost in zip(
            row["posts"], row["post_counts"], row["retweet_features"], strict=True
        )
    ]
    return account_features(row["follow_count"], row["statuses_count"], posts or [SeenPost("", 0, 0, 0, False)])
