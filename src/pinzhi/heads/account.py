"""How likely somebody feeds an account: the one head that reads numbers alone, and no encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from pinzhi.errors import ModelError
from pinzhi.heads.predict import load_weights
from pinzhi.heads.store import open_active

HEAD = "account"
CLASSES = ("lived_in", "fed")


class Logistic(nn.Module):
    """Logistic regression on standardised features."""

    def __init__(self, n_features: int) -> None:
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.register_buffer("mean", torch.zeros(n_features))
        self.register_buffer("scale", torch.ones(n_features))
        self.layer = nn.Linear(n_features, 1)

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities [n] from features [n, n_features]."""
        return self.layer((features - self.mean) / self.scale).sigmoid()[:, 0]


class AccountModel(nn.Module):
    """Whether an account is fed, from features of which the first `n_profile` may be unknown (NaN): where one is, weights
    speak that were fitted on the others alone. No probability is nearer to 0 or 1 than `least`: so few labelled accounts bear
    no more certainty."""

    def __init__(self, n_features: int, n_profile: int) -> None:
        super().__init__()
        self.n_profile = n_profile
        self.whole = Logistic(n_features)
        self.posts_alone = Logistic(n_features - n_profile)
        self.least: Tensor
        self.register_buffer("least", torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities [n] from features [n, n_features]."""
        is_known = ~features.isnan().any(1)
        p = torch.where(is_known, self.whole(features), self.posts_alone(features[:, self.n_profile :]))
        return p.clamp(self.least, 1 - self.least)

    @torch.inference_mode()
    def p_fed(self, features: np.ndarray) -> np.ndarray:
        """Probabilities [n] in double precision."""
        return self(torch.from_numpy(features).double()).numpy()


def load_account_model(models: Path, features: Sequence[str], n_profile: int) -> AccountModel:
    """The active version of a store, every digest checked. Raises ModelError, also where it reads other `features`."""
    version = open_active(models, HEAD)
    found = version.manifest.get("features", ())
    if list(found) != list(features):
        raise ModelError(
            f"{version.folder}: expected an account model of {', '.join(features)}, found one of {', '.join(found)}; "
            "train it anew with `python -m pipelines.train_accounts DATA`"
        )
    model = AccountModel(len(features), n_profile)
    load_weights(model, version.folder / "model.safetensors")
    return model.double().eval()
