"""Retrain all heads and publish them: `python -m pipelines.retrain DATA --encoder work/encoder/encoder --date 20261124`."""

import argparse
from datetime import date
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi.paths import configs, models
from pinzhi.training.finetune import finetune
from pinzhi.training.publish import publish
from pinzhi.training.settings import FinetuneSettings


@task(cache_policy=NO_CACHE)
def train_heads(data: str, encoder: str, out: str, config: str) -> str:
    """Encoder and heads together; resumes from its last checkpoint."""
    return str(finetune(Path(data), Path(encoder), Path(out), FinetuneSettings.load(Path(config))))


@task(cache_policy=NO_CACHE)
def publish_heads(tuned: str, data: str, store: str, day: str, seed: int) -> dict[str, str]:
    """Judge, temperatures, metrics, cards; new versions become active."""
    return publish(Path(tuned), Path(data), Path(store), date=day, seed=seed)


@flow(name="retrain")
def retrain(data: str, encoder: str, out: str, store: str, config: str, day: str) -> dict[str, str]:
    """All heads from one encoder."""
    tuned = train_heads(data, encoder, out, config)
    return publish_heads(tuned, data, store, day, FinetuneSettings.load(Path(config)).seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--encoder", type=Path, default=Path("work/encoder/encoder"))
    parser.add_argument("--out", type=Path, default=Path("work/heads"))
    parser.add_argument("--config", type=Path, default=configs() / "train" / "heads.toml")
    parser.add_argument("--date", default=date.today().strftime("%Y%m%d"))
    given = parser.parse_args()
    print(retrain(str(given.data), str(given.encoder), str(given.out), str(models()), str(given.config), given.date))
