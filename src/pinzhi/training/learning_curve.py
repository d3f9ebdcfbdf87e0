"""Whether more labelled brands would help: `python -m pinzhi.training.learning_curve`.

The grade of a post by its text alone, learnt on the posts of some of the labelled brands and asked of brands that were never seen. The
encoder is the one that was pre-trained on raw text: the shipped one has met every labelled brand.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import average_precision_score, roc_auc_score
from torch import Tensor

from pinzhi import paths
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import DeepClassifier, TextClassifier
from pinzhi.labels import Grade
from pinzhi.training.classifier import fit_deep, logits, pool_texts
from pinzhi.training.data import CoherenceRow, Target, read_coherence, split_posts
from pinzhi.training.encoders import encoder_folder
from pinzhi.training.settings import ProbeSettings
from pinzhi.training.wide import Examples, fit_wide

SHARES = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1.0)  # of the labelled brands
DRAWS = 3  # of brands for each share but the whole


@dataclass(frozen=True)
class Point:
    """What a share of the brands teaches: AUROC of grade 3 against the rest and average precision of contradictions."""

    brands: int
    posts: int
    auroc_expresses: float
    contradiction_ap: float


def draws(rows: Sequence[CoherenceRow], seed: int) -> Iterator[np.ndarray]:
    """Numbers of the rows of some brands, the fewest first; brands that are shown the same texts come together."""
    groups = np.array([row.group for row in rows])
    names = np.unique(groups)
    chance = np.random.default_rng(seed)
    for share in SHARES:
        for _ in range(DRAWS if share < 1 else 1):
            chosen = chance.permutation(names)[: max(2, round(share * len(names)))]
            yield np.flatnonzero(np.isin(groups, chosen))


def learning_curve(
    encoder: Encoder, train: Sequence[CoherenceRow], dev: Sequence[CoherenceRow], settings: ProbeSettings
) -> Iterator[Point]:
    """One point for each draw of brands of `train`, measured on `dev`."""
    head = DeepClassifier(encoder.hidden_size, len(Grade))
    learnt, asked = (
        pool_texts(encoder, head, [encoder.single(ids, "post") for ids in encoder.token_ids([row.text for row in rows], 160)])
        for rows in (train, dev)
    )  # fmt: skip
    truth = np.array([row.grade for row in dev])
    for at in draws(train, settings.seed):
        some = [train[row] for row in at]
        p = _graded(some, learnt[at], [row.text for row in dev], asked, settings)
        yield Point(
            len({row.brand for row in some}), len(some),
            float(roc_auc_score(truth == Grade.EXPRESSES, p[:, Grade.EXPRESSES])),
            float(average_precision_score(truth == Grade.CONTRADICTS, p[:, Grade.CONTRADICTS])),
        )  # fmt: skip


def _graded(
    rows: Sequence[CoherenceRow], learnt: Tensor, texts: Sequence[str], asked: Tensor, settings: ProbeSettings
) -> np.ndarray:
    """Probabilities [n, 4] of the grades of `texts`, by a classifier on hidden states and one on n-grams."""
    torch.manual_seed(settings.seed)
    every = tuple(range(len(Grade)))
    head = TextClassifier(learnt.shape[1] // 3, len(Grade))
    fit_deep(
        head.deep, learnt, [Target((row.grade,), every) for row in rows], n_classes=len(Grade), epochs=settings.epochs,
        batch_size=settings.batch_size, learning_rate=settings.learning_rate, seed=settings.seed,
    )  # fmt: skip
    head.wide = fit_wide(
        Examples(len(Grade), [row.text for row in rows], [(row.grade,) for row in rows]), settings.wide
    )
    deep, wide = (torch.from_numpy(one).softmax(-1).numpy() for one in logits(head, texts, asked))
    return np.sqrt(deep * wide)


def main() -> None:
    """Print the points as JSON, one a line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", type=Path, default=paths.labels())
    parser.add_argument("--encoder", default="data/encoder", help="a folder; our pre-trained one unless given")
    given = parser.parse_args()
    rows, _ = read_coherence(given.labels)
    train, dev = split_posts(rows)
    settings = ProbeSettings.load(paths.configs() / "train" / "probe.toml")
    for point in learning_curve(Encoder.load(encoder_folder(given.encoder)), train, dev, settings):
        print(json.dumps({name: round(value, 4) for name, value in asdict(point).items()}), flush=True)


if __name__ == "__main__":
    main()
