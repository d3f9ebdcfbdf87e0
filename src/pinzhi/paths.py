"""Where `configs/` and `models/` are: a checkout, the folder that PINZHI_HOME names, or the installed package."""

import os
from pathlib import Path

from pinzhi.errors import ConfigError


def home() -> Path:
    """The folder that holds `configs/` and `models/`.

    Raises ConfigError when PINZHI_HOME names a folder without them, or the installation lacks them.
    """
    named = os.environ.get("PINZHI_HOME")
    here = Path(__file__).resolve()
    candidates = [Path(named)] if named else [here.parents[2], here.parent / "assets"]
    for candidate in candidates:
        if (candidate / "configs").is_dir() and (candidate / "models").is_dir():
            return candidate
    raise ConfigError(
        f"expected folders configs/ and models/ in {' or '.join(map(str, candidates))}, found neither; "
        "set PINZHI_HOME to a checkout of pinzhi"
    )


def configs() -> Path:
    """Folder of shipped configuration."""
    return home() / "configs"


def labels() -> Path:
    """Folder of our own labelled sets: comments/, coherence/, originality/. A checkout has it."""
    return home() / "data" / "labels"


def models() -> Path:
    """Folder of model versions and `active.toml`."""
    return home() / "models"
