"""Retrain one head as a flow, on new labels or on --base alone: `python -m pipelines.train_head sentiment [LABELS...]`.

The work is `pinzhi.training.retrain`, the same as `pinzhi train`: a gate decides whether the new model becomes active.
"""

import argparse
from pathlib import Path

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE

from pinzhi import paths
from pinzhi.brand import BrandProfile
from pinzhi.training.label_files import LabelTask
from pinzhi.training.retrain import retrain
from pinzhi.training.settings import RetrainSettings


@task(cache_policy=NO_CACHE)
def fit(
    head: str, labels: list[str], brands: list[str], public: str | None, base: str, models: str, config: str
) -> dict[str, str]:
    """Train, judge, write, and promote where it is better; returns the version and what was decided."""
    done = retrain(
        LabelTask(head), [Path(path) for path in labels], models=Path(models), base=Path(base),
        settings=RetrainSettings.load(Path(config)), brands=[BrandProfile.load(Path(path)) for path in brands],
        public=Path(public) if public else None,
    )  # fmt: skip
    rows = [{"rows": "all", "n": done.verdict.n, "active": done.verdict.before, "new": done.verdict.after}]
    rows += [{"rows": one.name, "n": one.n, "active": one.before, "new": one.after} for one in done.verdict.slices]
    create_table_artifact(rows, key=f"retrained-{head}", description=f"{done.version}: {done.verdict.reason}")
    problems = [{"file": one.source, "row": one.row, "reason": one.reason} for one in done.problems]
    if problems:
        create_table_artifact(problems, key=f"labels-{head}", description=f"{len(problems)} labels not used")
    return {
        "version": done.version,
        "decision": "promoted" if done.is_promoted else "kept",
        "reason": done.verdict.reason,
    }


@flow(name="train-head", log_prints=True)
def train_head(
    head: str,
    labels: list[str],
    base: str,
    models: str,
    config: str,
    brands: list[str] | None = None,
    public: str | None = None,
) -> dict[str, str]:
    """One head anew; returns its version, `promoted` or `kept`, and why."""
    return fit(head, labels, brands or [], public, base, models, config)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("head", choices=[task.value for task in LabelTask])
    parser.add_argument("labels", nargs="*", type=Path, help="none: learn from --base alone")
    parser.add_argument("--brand", action="append", default=[], type=Path, dest="brands")
    parser.add_argument("--public", type=Path, default=None)
    parser.add_argument("--base", type=Path, default=paths.labels())
    parser.add_argument("--models", type=Path, default=paths.models())
    parser.add_argument("--config", type=Path, default=paths.configs() / "train" / "retrain.toml")
    given = parser.parse_args()
    print(
        train_head(
            given.head,
            [str(path) for path in given.labels],
            str(given.base),
            str(given.models),
            str(given.config),
            [str(path) for path in given.brands],
            str(given.public) if given.public else None,
        )
    )
