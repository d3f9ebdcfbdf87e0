"""Evaluate the active models as a flow: `python -m pipelines.evaluate [DATA] --out out/evaluation`."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson
from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from pinzhi import paths
from pinzhi.evaluation import evaluate_all
from pinzhi.evaluation.figures import SLICES, figure_table, figures, shown
from pinzhi.evaluation.targets import target_table
from pinzhi.heads.store import active_versions
from pinzhi.tables import write_text


@task(cache_policy=NO_CACHE)
def measure(models: str, own: str, data: str | None, out: str, short_floats: bool) -> str:
    """Every figure of every head into `out`/metrics.json; returns its path."""
    content = {
        "models": active_versions(Path(models)),
        "metrics": evaluate_all(Path(models), Path(own), Path(data) if data else None, short_floats),
    }
    return write_metrics(content, Path(out))


def write_metrics(content: dict[str, Any], out: Path) -> str:
    """`content` as `out`/metrics.json; returns its path."""
    path = out / "metrics.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode() + "\n", path)
    return str(path)


def write_each(models: dict[str, str], reports: Iterable[tuple[str, dict[str, Any]]], out: Path) -> str:
    """Reports of work that takes long into `out`/metrics.json, one after the other as they come; returns its path."""
    done: dict[str, Any] = {}
    path = write_metrics({"models": models, "metrics": done}, out)
    for name, report in reports:
        done[name] = report
        path = write_metrics({"models": models, "metrics": done}, out)
        print(f"{name}: {dict(figures(report))}")
    return path


@task(cache_policy=NO_CACHE)
def publish(metrics: str, key: str = "evaluation") -> str:
    """The figures as a page beside the JSON and as an artifact; returns the path of the page."""
    text = as_markdown(orjson.loads(Path(metrics).read_bytes()))
    create_markdown_artifact(text, key=key)
    page = Path(metrics).with_suffix(".md")
    write_text(text, page)
    return str(page)


def as_markdown(content: dict[str, Any]) -> str:
    """What was asked for and what was reached; then one table a report: figure, and its value with the interval where there is one; its
    slices in a table of their own."""
    lines = ["# Evaluation", "", *(f"- {head}: {version}" for head, version in sorted(content["models"].items()))]
    lines += ["", "## Asked and reached", "", *target_table(content["metrics"])]
    for name, report in content["metrics"].items():
        lines += ["", f"## {name}", "", *figure_table(report)]
        if SLICES in report:
            lines += ["", f"### {name}, by slice", "", *_by_slice(report[SLICES])]
    return "\n".join(lines) + "\n"


def _by_slice(slices: dict[str, dict[str, Any]]) -> list[str]:
    """A line a slice; the models stand in one cell, in the order that the head of the column tells."""
    columns: dict[str, dict[str, None]] = {}
    for found in slices.values():
        for figure, by_model in found.items():
            if isinstance(by_model, dict):
                columns.setdefault(figure, {}).update(dict.fromkeys(by_model))
    heads = [f"{figure}: {' / '.join(models)}" for figure, models in columns.items()]
    lines = [f"| slice | n | {' | '.join(heads)} |", "| --- " * (len(heads) + 2) + "|"]
    for name, found in slices.items():
        cells = [
            " / ".join(shown(found[figure].get(model, "-")) for model in models) if figure in found else "-"
            for figure, models in columns.items()
        ]
        lines.append(f"| {name} | {found['n']} | {' | '.join(cells)} |")
    return lines


@flow(name="evaluate")
def evaluate(own: str, data: str | None, models: str, out: str, short_floats: bool = False) -> str:
    """Every head on the dev rows of our own sets and, with `data`, of the public ones, beside the simple baselines;
    returns the path of the page."""
    return publish(measure(models, own, data, out, short_floats))


def main() -> None:
    """The flow from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, nargs="?", help="public sets; without them our own alone are measured")
    parser.add_argument("--labels", type=Path, default=paths.labels())
    parser.add_argument("--models", type=Path, default=None)
    parser.add_argument("--out", type=Path, default=Path("out/evaluation"))
    parser.add_argument(
        "--short-floats", action="store_true", help="as with `short_floats = true` in configs/score.toml"
    )
    given = parser.parse_args()
    data = None if given.data is None else str(given.data)
    print(evaluate(str(given.labels), data, str(given.models or paths.models()), str(given.out), given.short_floats))


if __name__ == "__main__":
    main()
