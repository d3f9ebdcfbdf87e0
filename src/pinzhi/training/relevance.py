"""The part of the matcher of values that tells whether a post has to do with a value at all: trained on the means of hidden states, which
takes seconds once these are read."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch.nn import functional

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import Relevance
from pinzhi.training.data import CoherenceRow, Value

_STEPS = 300
_BATCH = 256  # posts of one step
_LEARNING_RATE = 3e-4
_TEMPERATURE = 0.05  # of the cosines
_DROPOUT = 0.1
_AMONG_OWN = 0.3  # how much it weighs that a value is told from the brand's own, beside from those of all brands


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
    posts = encoder.mean_states([row.text for row, _ in named], "post")
    declared = encoder.mean_states([text for _, text in number.values()], "value")
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
