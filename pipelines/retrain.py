"""Retrain one task on new labels as a flow: `python -m pipelines.retrain TASK LABELS... [--promote]`."""

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pipelines._support  # noqa: F401  (settings that must stand before prefect is imported)
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from pinzhi import paths
from pinzhi.heads import store
from pinzhi.training.heads import train_head


@task(cache_policy=NO_CACHE)
def train(head: str, labels: list[str], models: str, seed: int) -> dict[str, Any]:
    """Train, and compare with the active model on the frozen set."""
    return asdict(train_head(head, [Path(path) for path in labels], Path(models), seed))


@task(cache_policy=NO_CACHE)
def conclude(head: str, result: dict[str, Any], models: str, promote: bool) -> bool:
    """Switch when asked to and when the new version is better; returns whether it did."""
    switched = promote and bool(result["promote"])
    if switched:
        store.promote(Path(models), head, result["version"])
    create_markdown_artifact(as_markdown(head, result, switched), key="retrain", description=result["version"])
    return switched


def as_markdown(head: str, result: dict[str, Any], switched: bool) -> str:
    """New figures beside those of the active model, and what was decided."""
    rows = [f"| {name} | {result['active_metrics'].get(name)} | {value} |" for name, value in result["metrics"].items()]
    outcome = "promoted" if switched else "better, not promoted" if result["promote"] else "kept the active model"
    head_line = f"# {head} {result['version']}: {outcome}"
    return "\n".join([head_line, "", result["reason"], "", "| metric | active | new |", "| --- | --- | --- |", *rows])


@flow(name="retrain")
def retrain(head: str, labels: list[str], models: str, seed: int = 0, promote: bool = False) -> str:
    """One head; returns the new version. With `promote` a better version becomes active."""
    result = train(head, labels, models, seed)
    conclude(head, result, models, promote)
    return str(result["version"])


def main() -> None:
    """The flow from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task")
    parser.add_argument("labels", nargs="+", type=Path)
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--promote", action="store_true")
    given = parser.parse_args()
    models = given.models or paths.models()
    print(retrain(given.task, [str(path) for path in given.labels], str(models), given.seed, given.promote))


if __name__ == "__main__":
    main()
