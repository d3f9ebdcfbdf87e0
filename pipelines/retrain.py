"""Retrain encoder and heads and publish them: `python -m pipelines.retrain DATA`.

DATA holds the public sets; our own are in data/labels. Each `--config` is one stage, which goes on from what the one before
it left; with `--heads` the first goes on from an earlier fine-tuning.
"""

import argparse
from collections.abc import Sequence
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
    trunk = encoder_folder(encoder or settings.encoder) if encoder or start is None else start / "encoder"
    return str(finetune(Path(own), Path(data), trunk, Path(out), settings, start))


@task(cache_policy=NO_CACHE)
def publish_heads(tuned: str, own: str, data: str, store: str, day: str, seed: int) -> dict[str, str]:
    """Judge, temperatures, metrics, cards; new versions become active."""
    return publish(Path(tuned), Path(own), Path(data), Path(store), date=day, seed=seed)


@flow(name="retrain")
def retrain(
    own: str, data: str, encoder: str | None, out: str, store: str, stages: Sequence[str], day: str,
    heads: str | None = None,
) -> dict[str, str]:  # fmt: skip
    """All heads from one encoder, by way of one or more `stages`: files of settings."""
    for config in stages:
        heads = train_heads(own, data, encoder, str(Path(out) / Path(config).stem), config, heads)
        encoder = None  # that of the heads
    assert heads is not None
    return publish_heads(heads, own, data, store, day, FinetuneSettings.load(Path(stages[0])).seed)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument(
        "--encoder", help="a folder or a name on the model hub; else that of --heads, or as the settings say"
    )
    parser.add_argument("--out", type=Path, default=Path("work/heads"))
    parser.add_argument("--config", type=Path, action="append", help="heads.toml, then readers.toml, by default")
    parser.add_argument("--date", default=date.today().strftime("%Y%m%d"))
    parser.add_argument("--heads", type=Path, default=None)
    parser.add_argument("--labels", type=Path, default=labels())
    given = parser.parse_args()
    stages = given.config or [configs() / "train" / name for name in ("heads.toml", "readers.toml")]
    print(
        retrain(
            str(given.labels), str(given.data), given.encoder, str(given.out), str(models()), [str(stage) for stage in stages],
            given.date, None if given.heads is None else str(given.heads),
        )
    )  # fmt: skip
