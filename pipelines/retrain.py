"""Retrain encoder and heads and publish them: `python -m pipelines.retrain DATA --encoder work/encoder/encoder`.

DATA holds the public sets; our own are in data/labels. With `--heads` an earlier fine-tuning goes on.
"""

import argparse
from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi.paths import configs, labels, models
from pinzhi.training.encoders import encoder_folder
from pinzhi.training.finetune import finetune
from pinzhi.training.publish import publish
from pinzhi.training.settings import FinetuneSettings


@task(cache_policy=NO_CACHE)
def train_heads(own: str, data: str, encoder: str | None, out: str, config: str, heads: str | None) -> str:
    """Encoder and heads together; resumes from its last checkpoint."""
    settings = FinetuneSettings.load(Path(config))
    start = None if heads is None else Path(heads)
    return str(finetune(Path(own), Path(data), encoder_folder(encoder or settings.encoder), Path(out), settings, start))


@task(cache_policy=NO_CACHE)
def publish_heads(tuned: str, own: str, data: str, store: str, day: str, seed: int) -> dict[str, str]:
    """Judge, temperatures, metrics, cards; new versions become active."""
    return publish(Path(tuned), Path(own), Path(data), Path(store), date=day, seed=seed)


@flow(name="retrain")
def retrain(
    own: str, data: str, encoder: str | None, out: str, store: str, config: str, day: str, heads: str | None = None
) -> dict[str, str]:
    """All heads from one encoder."""
    tuned = train_heads(own, data, encoder, out, config, heads)
    return publish_heads(tuned, own, data, store, day, FinetuneSettings.load(Path(config)).seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", help="a folder or a name on the model hub; else as the settings say")
    parser.add_argument("--out", type=Path, default=Path("work/heads"))
    parser.add_argument("--config", type=Path, default=configs() / "train" / "heads.toml")
    parser.add_argument("--date", default=date.today().strftime("%Y%m%d"))
    parser.add_argument("--heads", type=Path, default=None)
    parser.add_argument("--labels", type=Path, default=labels())
    given = parser.parse_args()
    print(
        retrain(
            str(given.labels), str(given.data), given.encoder, str(given.out), str(models()), str(given.config),
            given.date, None if given.heads is None else str(given.heads),
        )
    )  # fmt: skip
