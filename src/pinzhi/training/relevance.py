"""The part of the matcher of values that tells whether a post has to do with a value at all: trained on the means of hidden states, which
takes seconds once these are read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import Relevance, masked_mean
from pinzhi.training.data import CoherenceRow, Value

_STEPS = 300
_BATCH = 256  # posts of one step
_LEARNING_RATE = 3e-4
_TEMPERATURE = 0.05  # of the cosines
_DROPOUT = 0.1
_AMONG_OWN = 0.3  # how much it weighs that a value is told from the brand's own, beside from those of all brands
OTHERS_WEIGH = 0.3  # of a post under another brand's profile beside one under its own: its values may fit too


@torch.inference_mode()
def _means(encoder: Encoder, texts: Sequence[str], role: str) -> Tensor:
    """Mean hidden states [n, h] of texts read as `role`."""
    sequences = [encoder.single(ids, role) for ids in encoder.token_ids(texts)]
    means = torch.zeros(len(texts), encoder.hidden_size)
    for batch in encoder.batches(sequences):
        means[torch.from_numpy(batch.rows)] = masked_mean(encoder.hidden(batch.ids, batch.mask), batch.mask)
    return means


def fit_relevance(
    encoder: Encoder, relevance: Relevance, rows: Sequence[CoherenceRow], values: Mapping[str, Sequence[Value]],
    seed: int,
) -> None:  # fmt: skip
    """Train the vectors of `relevance` further, in place, so that posts lie nearer to the values that they express, contradict or
    touch than to those of all brands of `rows`; of these are its others. What it says of nearness stays. Equal input and seed give
    equal weights."""
    brands = sorted({row.brand for row in rows})
    number = {(brand, value.key): (brand, value.text) for brand in brands for value in values[brand]}
    place = {key: at for at, key in enumerate(number)}
    named = [
        (row, [place[row.brand, key] for key in (*row.expresses, *row.contradicts, *(row.touches or ()))])
        for row in rows
    ]
    named = [(row, at) for row, at in named if at]
    if not named:
        return
    posts = _means(encoder, [row.text for row, _ in named], "post")
    declared = _means(encoder, [text for _, text in number.values()], "value")
    brand_of = np.array([brand for brand, _ in number.values()])
    is_named = torch.zeros(len(named), len(place), dtype=torch.bool)
    is_own = torch.from_numpy(np.array([brand_of == row.brand for row, _ in named]))
    for i, (_, at) in enumerate(named):
        is_named[i, at] = True
    torch.manual_seed(seed)
    optimizer = torch.optim.AdamW(relevance.embed.parameters(), lr=_LEARNING_RATE, weight_decay=0)
    for _ in range(_STEPS):
        some = torch.randperm(len(named))[:_BATCH]
        cosine = relevance.embed.of_mean(functional.dropout(posts[some], _DROPOUT)) @ (
            relevance.embed.of_mean(functional.dropout(declared, _DROPOUT)).T / _TEMPERATURE
        )
        of_named = cosine.masked_fill(~is_named[some], -1e9).logsumexp(1)
        among_all = (cosine.logsumexp(1) - of_named).mean()
        among_own = (cosine.masked_fill(~is_own[some], -1e9).logsumexp(1) - of_named).mean()
        optimizer.zero_grad()
        ((1 - _AMONG_OWN) * among_all + _AMONG_OWN * among_own).backward()
        optimizer.step()
    with torch.no_grad():
        chosen = np.random.default_rng(seed).permutation(len(place))[: Relevance.N_OTHERS]
        vectors = relevance.embed.of_mean(declared[torch.from_numpy(np.sort(chosen))])
        relevance.others.copy_(vectors[torch.arange(Relevance.N_OTHERS) % len(vectors)])


@torch.no_grad()
def measure_relevance(
    encoder: Encoder, relevance: Relevance, rows: Sequence[CoherenceRow], values: Mapping[str, Sequence[Value]]
) -> np.ndarray:
    """How relevant each value of its brand is to each post, [m] one after the other."""
    posts = relevance.embed.of_mean(_means(encoder, [row.text for row in rows], "post"))
    declared = {
        brand: relevance.embed.of_mean(_means(encoder, [value.text for value in values[brand]], "value"))
        for brand in {row.brand for row in rows}
    }
    return np.concatenate([
        relevance.beyond_others(vectors, post.expand(len(vectors), -1)).numpy()
        for post, vectors in ((post, declared[row.brand]) for post, row in zip(posts, rows, strict=True))
    ])  # fmt: skip


@dataclass(frozen=True)
class Weights:
    """Of the relevance for each class [4], with a bias [4] of each, and of what all other parts say together."""

    weight: np.ndarray
    bias: np.ndarray
    others: float


def fit_relevance_weights(logits: np.ndarray, relevance: np.ndarray, truth: np.ndarray, is_own: np.ndarray) -> Weights:
    """Those under which `truth` [m] is likeliest, where the other parts say `logits` [m, 4]: the weight of the relevance on all rows, the
    rest on those under their own brand (mask [m]) alone, for which the probabilities are meant."""
    from scipy.optimize import minimize
    from scipy.special import log_softmax

    n = logits.shape[1] - 1
    weigh = np.where(is_own, 1.0, OTHERS_WEIGH)

    def loss(weight: np.ndarray, rest: np.ndarray, row_weight: np.ndarray) -> float:
        said = rest[0] * logits
        said[:, 1:] += relevance[:, None] * weight + rest[1:]
        return float(-(log_softmax(said, 1)[np.arange(len(truth)), truth] * row_weight).sum() / row_weight.sum())

    start = np.r_[np.zeros(n), 1.0, np.zeros(n)]
    weight = minimize(lambda x: loss(x[:n], x[n:], weigh), start, method="L-BFGS-B").x
    rest = minimize(lambda x: loss(weight[:n], x, is_own.astype(float)), weight[n:], method="L-BFGS-B").x
    return Weights(np.r_[0.0, weight[:n]], np.r_[0.0, rest[1:]], float(rest[0]))
