"""Which encoder learns most in a given time: `python -m pipelines.compare_encoders DATA --out work/comparison`."""

import argparse
from pathlib import Path

from prefect import flow, task
from prefect.cache_policies import NO_CACHE

from pinzhi import paths
from pinzhi.training.comparison import compare_encoders
from pinzhi.training.settings import ComparisonSettings, EncoderSettings
from pipelines.evaluate import publish, write_each


@task(cache_policy=NO_CACHE)
def measure(data: str, out: str, encoder: str, config: str, variants: list[str] | None) -> str:
    """Every variant, or `variants`, in turn into `out`/metrics.json; returns its path."""
    settings = ComparisonSettings.load(Path(config))
    reports = compare_encoders(Path(data), Path(out), EncoderSettings.load(Path(encoder)), settings, variants)
    return write_each({}, reports, Path(out))


@flow(name="compare-encoders", log_prints=True)
def compare(data: str, out: str, encoder: str, config: str, variants: list[str] | None = None) -> str:
    """Words and characters, shapes and objectives, each pre-trained for about as long; returns the page."""
    return publish(measure(data, out, encoder, config, variants), "comparison")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("work/comparison"))
    parser.add_argument("--encoder", type=Path, default=paths.configs() / "train" / "encoder.toml")
    parser.add_argument("--config", type=Path, default=paths.configs() / "train" / "comparison.toml")
    parser.add_argument("--variants", nargs="+", help="names of configs/train/comparison.toml; all unless given")
    given = parser.parse_args()
    print(compare(str(given.data), str(given.out), str(given.encoder), str(given.config), given.variants))
