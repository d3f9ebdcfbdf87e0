"""How loud each part of the matcher of values speaks: fitted on posts that no part has learnt from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.special import softmax
from torch import Tensor
from torch.nn import functional

from pinzhi.heads.modules import ValueMatcher
from pinzhi.training.data import Target
from pinzhi.training.multitask import marginal_loss, target_masks

OTHERS_WEIGH = 0.3  # of a post under another brand's profile beside one under its own: its values may fit too
_PENALTY = 1e-4  # on the squares of all weights
_LEAST = 1e-6  # probability of a grade
_SHAPE = len(ValueMatcher.PARTS), len(ValueMatcher.CLASSES)
_RELEVANCE = ValueMatcher.PARTS.index("relevance")


@dataclass(frozen=True)
class SaidOfValues:
    """What the parts of a matcher say [m, 5, 4] of values, each asked about one of p posts, `post_of` [m], and what is known of each; the
    grades of the posts as classes [p]."""

    parts: np.ndarray
    post_of: np.ndarray
    known: Sequence[Target]
    grade: np.ndarray

    def of(self, chosen: np.ndarray) -> "SaidOfValues":
        """The same of some of the posts (mask [p])."""
        kept, number = chosen[self.post_of], chosen.cumsum() - 1
        known = [one for one, is_kept in zip(self.known, kept, strict=True) if is_kept]
        return SaidOfValues(self.parts[kept], number[self.post_of[kept]], known, self.grade[chosen])


@dataclass(frozen=True)
class ValueWeights:
    """Of each part for each class [5, 4], and a bias [4]."""

    weights: np.ndarray
    bias: np.ndarray

    def probabilities(self, parts: np.ndarray) -> np.ndarray:
        """Of the classes [m, 4] from what the parts say [m, 5, 4]."""
        return softmax((parts * self.weights).sum(1) + self.bias, axis=-1)


def fit_weights(own: SaidOfValues, other: SaidOfValues) -> ValueWeights:
    """Those under which what is known is likeliest: of each value, and of the grade that all values of a post make together. What the relevance
    says is fitted on posts under their `own` brand and under an `other`, whose values they have nothing to do with as a rule; the rest on
    those under their own alone, for which the probabilities are meant."""
    said, of_others = (torch.from_numpy(one.parts).double() for one in (own, other))
    known, of_other = (target_masks(one.known, len(ValueMatcher.CLASSES)) for one in (own, other))
    post_of, grade = torch.from_numpy(own.post_of), torch.from_numpy(own.grade)
    share = OTHERS_WEIGH * len(of_others) / max(1, len(said))

    def loss(weights: Tensor, bias: Tensor) -> Tensor:
        logits = (said * weights).sum(1) + bias
        of_posts = functional.nll_loss(of_grades(logits.softmax(-1), post_of, len(grade)), grade)
        return marginal_loss(logits, known) + of_posts + _PENALTY * (weights.square().sum() + bias.square().sum())

    def with_others(weights: Tensor, bias: Tensor) -> Tensor:
        return loss(weights, bias) + share * marginal_loss((of_others * weights).sum(1) + bias, of_other)

    start = torch.full(_SHAPE, 0.2, dtype=torch.double), torch.zeros(_SHAPE[1], dtype=torch.double)
    weights, bias = _minimised(with_others, *start)
    relevance = weights[_RELEVANCE : _RELEVANCE + 1].clone()

    def whole(some: Tensor) -> Tensor:
        return torch.cat([some[:_RELEVANCE], relevance, some[_RELEVANCE + 1 :]])

    weights, bias = _minimised(lambda w, b: loss(whole(w), b), weights, bias)
    return ValueWeights(whole(weights).float().numpy(), bias.float().numpy())


def of_grades(p: Tensor, post_of: Tensor, n: int) -> Tensor:
    """Log-probabilities [n, 4] of the grades of posts, in the order of the classes, from those of their values [m, 4], row by row of post
    `post_of` [m]: as if values were independent, and what contradicts one did not express another, as `decide.any_value` has it."""

    def none(chance: Tensor) -> Tensor:
        logs = torch.log1p(-chance.clamp(max=1 - _LEAST))
        return torch.zeros(n, dtype=p.dtype).index_add(0, post_of, logs).exp()

    contradicts = 1 - none(p[:, 3])
    expresses = (1 - none(p[:, 2])) * (1 - contradicts)
    unrelated = none(1 - p[:, 0])
    touches = 1 - unrelated - expresses - contradicts  # may fall below 0, for the values are not independent
    likely = torch.stack([unrelated, touches, expresses, contradicts], 1).clamp(min=_LEAST)
    return (likely / likely.sum(1, keepdim=True)).log()


def _minimised(loss: Callable[[Tensor, Tensor], Tensor], *start: Tensor) -> list[Tensor]:
    """Where `loss` is least, looked for from `start`."""
    at = [one.clone().requires_grad_() for one in start]
    search = torch.optim.LBFGS(at, max_iter=300, line_search_fn="strong_wolfe")

    def step() -> float:
        search.zero_grad()
        found = loss(*at)
        found.backward()
        return found.item()

    search.step(step)
    return [one.detach() for one in at]
