"""The wide part of a classifier: n-grams and a linear model on them, fitted by itself in seconds."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.sparse import vstack

from pinzhi.heads.ngrams import NgramLinear, hash_ngrams, known_ngrams
from pinzhi.training.data import varied
from pinzhi.training.settings import WideSettings

_NEVER = -8.0  # logit of a class without a row


@dataclass(frozen=True)
class Examples:
    """Texts with their classes: a comment has one, a post one for each value. `others` are of other domains: they lend no n-grams and have a small say, so that the words of
    a few thousand comments are not taken for more than they are. Sets of praise and blame alone say a little against
    neutral that they do not mean; so small a say makes nothing of it."""

    n_classes: int
    texts: Sequence[str]
    labels: Sequence[Sequence[int]]
    others: Sequence[str] = ()
    other_labels: Sequence[int] = ()


def fit_wide(examples: Examples, settings: WideSettings) -> NgramLinear:
    """Logistic regression. Equal input gives equal weights."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.utils.class_weight import compute_sample_weight

    ours = hash_ngrams(all_varied(examples.texts, settings))
    wide = NgramLinear(examples.n_classes, *known_ngrams(ours, settings.least))
    of_text = np.repeat(np.arange(len(examples.texts)), [len(labels) for labels in examples.labels])
    own = np.array([label for labels in examples.labels for label in labels], dtype=int)
    labels = np.concatenate([own, examples.other_labels]).astype(int)
    present = np.unique(labels)
    bias = np.full(examples.n_classes, _NEVER)
    weight = np.zeros((examples.n_classes, len(wide.keys)))
    bias[present] = 0.0
    if len(present) > 1 and len(wide.keys):
        say = np.full(len(examples.others), settings.others_say)
        model = LogisticRegression(C=settings.strength, max_iter=300)
        model.fit(
            vstack([wide.features(ours)[of_text], wide.features(hash_ngrams(all_varied(examples.others, settings)))]),
            labels,
            sample_weight=np.concatenate(
                [compute_sample_weight("balanced" if settings.is_balanced else None, own), say]
            ),
        )  # fmt: skip
        both = len(present) == 2  # one row of weights then stands for the second class against the first
        weight[present] = np.concatenate([-model.coef_, model.coef_]) / 2 if both else model.coef_
        bias[present] = np.concatenate([-model.intercept_, model.intercept_]) / 2 if both else model.intercept_
    with torch.no_grad():
        wide.weight.copy_(torch.from_numpy(weight.T.copy()))
        wide.bias.copy_(torch.from_numpy(bias))
    return wide


def all_varied(texts: Sequence[str], settings: WideSettings) -> list[str]:
    """`texts`, some of them without their emoji and emoji codes."""
    chance = random.Random(settings.seed)
    return [varied(text, settings.code_dropout, chance) for text in texts]
