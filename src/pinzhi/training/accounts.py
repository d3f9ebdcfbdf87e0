"""Accounts that are fed or lived in: labelled accounts, groups that share posts, and a linear model on their features."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import torch
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from pinzhi.errors import InputError
from pinzhi.evaluation.metrics import accuracy, bootstrap, expected_calibration_error
from pinzhi.heads.account import AccountModel, Logistic
from pinzhi.interaction.account_features import MOST_POSTS, PROFILE, TAUGHT, SeenAccount, SeenPost, taught_features
from pinzhi.interaction.graph import component_of

ACCOUNTS = "accounts/weibo_568"
_TRAIN = "train.parquet"
_SHORT = 8  # characters up to which two accounts share a post by chance
_FOLDS = 10
_FEW = (2, 5)  # posts by which accounts are judged as well: archives often hold no more
_SURE = 0.9  # what is said of an account from there on is a reason of its own, as `fed_from` of the settings


def shared_post_groups(accounts: Sequence[Sequence[str]]) -> np.ndarray:
    """Group [n] of each account; accounts with a post in common, through others too, are of one group."""
    numbers: dict[str, int] = {}
    pairs = [
        (row, numbers.setdefault(text, len(numbers)))
        for row, texts in enumerate(accounts) for text in texts if len(text) > _SHORT
    ]  # fmt: skip
    n = len(accounts)
    ends = np.array(pairs, dtype=int).reshape(-1, 2) + np.array([0, n])
    return component_of(ends, n + len(numbers))[:n]


def account_model() -> Pipeline:
    """Logistic regression: few rows bear no more, and its probabilities are calibrated as they are (at C of 0.3 it was not
    sure enough: ECE 0.043 instead of 0.025)."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1000))


def has_accounts(data: Path) -> bool:
    """Whether the labelled accounts are under `data`."""
    return (data / ACCOUNTS / _TRAIN).exists()


def fit_accounts(folder: Path) -> AccountModel:
    """The model that ships, from all accounts under `folder`. Raises InputError."""
    labelled = _Labelled.read(folder)
    model = AccountModel(len(TAUGHT), len(PROFILE))
    model.least.fill_(_least(len(labelled.labels)))
    features = labelled.features()
    for part, read in ((model.whole, features), (model.posts_alone, features[:, len(PROFILE) :])):
        _copy(account_model().fit(read, labelled.labels), part)
    return model.eval()


def _least(n: int) -> float:
    """What one more account like all of `n` could still be otherwise: Laplace's rule of succession."""
    return 1 / (n + 2)


@torch.no_grad()
def _copy(fitted: Pipeline, part: Logistic) -> None:
    """The weights of a fitted `account_model` into `part`."""
    scaler, regression = fitted[0], fitted[-1]
    weights = ((part.mean, scaler.mean_), (part.scale, scaler.scale_), (part.layer.weight, regression.coef_),
               (part.layer.bias, regression.intercept_))  # fmt: skip
    for into, learnt in weights:
        into.copy_(torch.from_numpy(learnt))


def evaluate_accounts(folder: Path, seed: int) -> dict[str, Any]:
    """Accuracy and calibration of the model with and without what the profile tells, by all posts and by few; of a forest on the
    same features and of character n-grams of the posts. Accounts under `folder`, each judged by models that saw no account
    of its group. Raises InputError."""
    labelled = _Labelled.read(folder)
    labels, features = labelled.labels, labelled.features()
    texts = np.array(["\n".join(post.text for post in one.posts)[:4000] for one in labelled.accounts])
    folds = list(StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=seed).split(features, labels, labelled.groups))

    def held_out(build: Callable[[], Any], read: np.ndarray, judged: np.ndarray | None = None) -> np.ndarray:
        shown = read if judged is None else judged
        p = np.zeros(len(labels))
        for train, dev in folds:
            p[dev] = build().fit(read[train], labels[train]).predict_proba(shown[dev])[:, 1]
        return p.clip(_least(len(labels)), 1 - _least(len(labels)))

    p = held_out(account_model, features)
    forest = held_out(lambda: RandomForestClassifier(300, min_samples_leaf=2, random_state=seed), features)
    grams = held_out(
        lambda: make_pipeline(
            TfidfVectorizer(analyzer="char", ngram_range=(1, 4), min_df=2, sublinear_tf=True, max_features=100_000),
            LogisticRegression(C=20),
        ),
        texts,
    )
    alone = slice(len(PROFILE), None)
    parts = {"posts_alone": held_out(account_model, features[:, alone])}
    parts |= {f"by_{n}_posts": held_out(account_model, features, labelled.features(n, seed)) for n in _FEW}
    return {
        "metric": "accuracy, 10 folds of accounts that share no post", "n_dev": len(labels),
        "pinzhi": bootstrap(accuracy, labels, p > 0.5), "forest": bootstrap(accuracy, labels, forest > 0.5),
        "tfidf": bootstrap(accuracy, labels, grams > 0.5), "ece": _ece(labels, p), "forest_ece": _ece(labels, forest),
        "tfidf_ece": _ece(labels, grams), "reliability": _reliability(labels, p),
        **{name: bootstrap(accuracy, labels, one > 0.5) for name, one in parts.items()},
        **{f"{name}_ece": _ece(labels, one) for name, one in parts.items()},
        f"called_fed_from_{_SURE}": {
            "of_fed": round(float((p[labels == 1] >= _SURE).mean()), 4), "of_real": round(float((p[labels == 0] >= _SURE).mean()), 4),
        },
    }  # fmt: skip


def _ece(labels: np.ndarray, p: np.ndarray) -> float:
    return round(expected_calibration_error((p > 0.5) == labels, np.maximum(p, 1 - p)), 4)


def _reliability(labels: np.ndarray, p: np.ndarray, n_bins: int = 5) -> dict[str, dict[str, float]]:
    """For each bin of what was said of an account how likely it is fed: how many, the mean said, and the share that is."""
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return {
        f"{b / n_bins:.1f}-{(b + 1) / n_bins:.1f}": {
            "n": int((bins == b).sum()),
            "said": round(float(p[bins == b].mean()), 3),
            "is": round(float(labels[bins == b].mean()), 3),
        }
        for b in np.unique(bins).tolist()
    }


@dataclass(frozen=True)
class _Labelled:
    """Labelled accounts, 1 for fed ones in `labels` [n], and the group of each [n]."""

    accounts: Sequence[SeenAccount]
    labels: np.ndarray
    groups: np.ndarray

    @classmethod
    def read(cls, folder: Path) -> "_Labelled":
        """Raises InputError where there are none."""
        path = folder / _TRAIN
        if not path.exists():
            raise InputError(f"{path}: expected labelled accounts, found no file; name the folder of the public sets")
        rows = pq.read_table(path).to_pylist()
        labels = np.array([int(row["label"]) for row in rows])
        return cls([_account(row) for row in rows], labels, shared_post_groups([row["posts"] for row in rows]))

    def features(self, n: int = MOST_POSTS, seed: int = 0) -> np.ndarray:
        """Features [n, TAUGHT], by `n` posts of each at most, drawn by `seed` where fewer than all that are looked at."""
        chance = np.random.default_rng(seed)

        def shown(posts: Sequence[SeenPost]) -> Sequence[SeenPost]:
            seen = posts[:MOST_POSTS]
            return [seen[i] for i in sorted(chance.permutation(len(seen))[:n])] if n < MOST_POSTS else seen

        return taught_features([replace(one, posts=shown(one.posts)) for one in self.accounts])


def _account(row: dict[str, Any]) -> SeenAccount:
    posts = [
        SeenPost(text, reposts, comments, likes, repost != "noretweet")
        for text, (_, _, reposts, comments, likes), repost in zip(
            row["posts"], row["post_counts"], row["retweet_features"], strict=True
        )
    ]
    return SeenAccount(row["follow_count"], row["statuses_count"], posts or [SeenPost("", 0, 0, 0, False)])
