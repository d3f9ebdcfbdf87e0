"""Encoders by name, for training; scoring opens folders of the store and nothing else."""

from pathlib import Path

from pinzhi.errors import ModelError

_FILES = ["*.json", "*.txt", "*.model", "*.safetensors"]  # no pickled weights


def encoder_folder(name: str) -> Path:
    """The folder of the encoder that the settings name: a local one or, if there is none, one of that name on the model hub,
    which is fetched (weights as safetensors only). Raises ModelError."""
    if Path(name).is_dir():
        return Path(name)
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(name, allow_patterns=_FILES))
    except Exception as error:  # the library raises its own, httpx's and OSError's
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(
            f"{name}: expected a local folder of an encoder or its name on the model hub, found neither ({reason}); "
            "train one with `python -m pipelines.pretrain DATA`, or name another in configs/train/"
        ) from error
