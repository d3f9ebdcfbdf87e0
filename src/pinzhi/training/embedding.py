"""The embedding by which earlier posts are searched: the mean of a text's hidden states, seen from the middle of all texts, and stretched
so that what a rewriter changes counts little."""

from collections.abc import Sequence

import torch

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import SentenceEmbedder
from pinzhi.training.data import PairRow

_SAME_TO_ALL = 0.1  # how much a change that no pair shows counts, beside the mean of those that they show
_FROM_GRADE = 2  # of the rewrites that are learnt from; closer ones change hardly anything


@torch.no_grad()
def fit_embedding(encoder: Encoder, embedder: SentenceEmbedder, rows: Sequence[PairRow], texts: Sequence[str]) -> None:
    """Fit `embedder`, in place: the origin is the middle of `texts`, posts and comments of any kind, and the differences between the
    texts of a rewrite and its source among `rows` become alike in every direction (within-class covariance normalisation,
    Hatch et al. 2006, of pairs instead of speakers). Rows without two such rewrites leave it a centred mean."""
    pairs = [row for row in rows if (row.grade or 0) >= _FROM_GRADE]
    middle = encoder.mean_states(texts, "post").double().mean(0)
    change = encoder.mean_states([row.earlier for row in pairs] + [row.later for row in pairs], "post").double()
    change = change[: len(pairs)] - change[len(pairs) :]
    width = len(middle)
    stretch = torch.eye(width, dtype=torch.double)
    if len(pairs) > 1:
        within = change.T @ change / len(change)
        within += _SAME_TO_ALL * within.trace() / width * torch.eye(width)
        values, vectors = torch.linalg.eigh(within)
        stretch = vectors * (values / values.max()) ** -0.5 @ vectors.T
    embedder.project.weight.copy_(stretch)
    embedder.project.bias.copy_(-stretch @ middle)
