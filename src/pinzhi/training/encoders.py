"""Encoders for training: by name, and as fast as they train; scoring opens folders of the store and nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from pinzhi.errors import ModelError
from pinzhi.heads import IS_HUB_CLOSED_BY_DEFAULT
from pinzhi.paths import home

_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]  # no pickled weights


def encoder_folder(name: str) -> Path:
    """The folder of the encoder that the settings name: one here or in the checkout or, if there is none, `owner/name` or
    `owner/name@revision` on the model hub, which is fetched (weights as safetensors only). What begins like a folder of the
    checkout is never looked for elsewhere, and where the environment says HF_HUB_OFFLINE nothing is fetched. Raises
    ModelError."""
    for folder in (Path(name), home() / name):
        if folder.is_dir():
            return folder
    if (home() / Path(name).parts[0]).is_dir():
        raise ModelError(
            f"{name}: expected a folder of an encoder, found none; train one with `python -m pipelines.pretrain DATA`, "
            "or name another in configs/train/"
        )
    from huggingface_hub import snapshot_download

    repository, _, revision = name.partition("@")
    try:
        with _open_hub():
            return Path(snapshot_download(repository, revision=revision or None, allow_patterns=_FILES))
    except Exception as error:  # the library raises its own, httpx's and OSError's
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{name}: expected a local folder of an encoder or its name on the model hub, found neither ({reason}); "
            "train one with `python -m pipelines.pretrain DATA`, or name another in configs/train/"
        ) from error


@contextmanager
def _open_hub() -> Iterator[None]:
    """The model hub may be asked, which importing the heads has forbidden the whole process."""
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before and not IS_HUB_CLOSED_BY_DEFAULT
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def plain_attention(trunk: Any) -> None:
    """Let `trunk`, an encoder of `transformers`, multiply its attention out: on a processor the gradient of the fused form takes
    longer than that of the products, for texts as short as ours."""
    if not torch.cuda.is_available():
        trunk.set_attn_implementation("eager")
