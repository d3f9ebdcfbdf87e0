"""Pre-train the shared encoder: `python -m pipelines.pretrain DATA --out work/encoder`."""

import argparse
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi.paths import configs
from pinzhi.training.pretrain import pretrain
from pinzhi.training.settings import EncoderSettings


@task(cache_policy=NO_CACHE)
def train_encoder(data: str, out: str, config: str) -> str:
    """One task: its steps and checkpoints resume on their own."""
    return str(pretrain(Path(data), Path(out), EncoderSettings.load(Path(config))))


@flow(name="pretrain")
def pretrain_encoder(data: str, out: str, config: str) -> str:
    """Corpus, vocabulary, static vectors, masked words."""
    return train_encoder(data, out, config)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("work/encoder"))
    parser.add_argument("--config", type=Path, default=configs() / "train" / "encoder.toml")
    given = parser.parse_args()
    pretrain_encoder(str(given.data), str(given.out), str(given.config))
