"""Evaluate the active models: `python -m pipelines.evaluate DATA --out out/evaluation`."""

import argparse
import json
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

import pipelines._support  # noqa: F401  (settings that must stand before prefect is imported)
from pinzhi.evaluation import evaluate_all
from pinzhi.paths import models
from pinzhi.tables import write_text


@task(cache_policy=NO_CACHE)
def evaluate_models(data: str, out: str) -> str:
    """Metrics of every head, beside its baselines, to `out`/metrics.json."""
    path = Path(out) / "metrics.json"
    write_text(json.dumps(evaluate_all(models(), Path(data)), ensure_ascii=False, indent=2) + "\n", path)
    return str(path)


@flow(name="evaluate")
def evaluate(data: str, out: str) -> str:
    """Metrics as a file and as an artifact."""
    path = evaluate_models(data, out)
    text = Path(path).read_text("utf-8")
    create_markdown_artifact(key="pinzhi-metrics", markdown=f"```json\n{text}\n```", description="品质 metrics")
    return path


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data")
    parser.add_argument("--out", default="out/evaluation")
    given = parser.parse_args()
    print(Path(evaluate(given.data, given.out)).read_text("utf-8"))
