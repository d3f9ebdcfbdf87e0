"""Pre-train the shared encoder: `python -m pipelines.pretrain DATA --out work/encoder`."""

import argparse
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi.paths import configs
from pinzhi.training.encoders import encoder_folder
from pinzhi.training.pretrain import pretrain
from pinzhi.training.settings import EncoderSettings


@task(cache_policy=NO_CACHE)
def train_encoder(data: str, out: str, config: str, start: str | None) -> str:
    """One task: its steps and checkpoints resume on their own."""
    settings = EncoderSettings.load(Path(config))
    named = start or settings.start
    return str(pretrain(Path(data), Path(out), settings, None if named is None else encoder_folder(named)))


@flow(name="pretrain")
def pretrain_encoder(data: str, out: str, config: str, start: str | None = None) -> str:
    """Corpus, vocabulary, static vectors, masked or replaced words; with `start`, an encoder's folder, on from there."""
    return train_encoder(data, out, config, start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("work/encoder"))
    parser.add_argument("--config", type=Path, default=configs() / "train" / "encoder.toml")
    parser.add_argument(
        "--start", help="encoder to go on from: a folder or a name on the model hub; else as the settings say"
    )
    given = parser.parse_args()
    pretrain_encoder(str(given.data), str(given.out), str(given.config), given.start)
