"""Score archives as a flow: `python -m pipelines.score_archive ARCHIVE --brand FILE --out DIR`.

The work is `pinzhi.archive.run`, which is incremental and resumable by itself: a failed run is simply run again.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.schedules import CronSchedule
from prefect.deployments.runner import EntrypointType
from prefect.schedules import Cron

from pinzhi import archive
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.readers import Pseudonymiser, discover, load_key
from pinzhi.report import summary, summary_markdown, write_report
from pinzhi.scoring import Scorer

REPORT_EVERY_S = 5.0


@task(cache_policy=NO_CACHE)
def check(archives: list[str], brands: list[str], config: str | None) -> list[str]:
    """Names of the files that a reader knows; profiles and configuration are read, so that faults show at once."""
    ScoreConfig.load(Path(config) if config else None)
    for path in brands:
        BrandProfile.load(path)
    sources, _ = discover([Path(path) for path in archives])
    return [source.name for source in sources]


@task(cache_policy=NO_CACHE)
def score(archives: list[str], brands: list[str], out: str, config: str | None, keep_authors: bool) -> str:
    """Read, measure, decide, write; returns the path of the run file."""
    settings = ScoreConfig.load(Path(config) if config else None)
    summary = archive.run(
        [Path(path) for path in archives],
        [BrandProfile.load(path) for path in brands],
        Path(out),
        scorer=Scorer.load(settings),
        config=settings,
        pseudonymise=None if keep_authors else Pseudonymiser(load_key()),
        progress=StageProgress(),
    )
    return str(Path(out) / "runs" / f"{summary.run_id}.json")


@task(cache_policy=NO_CACHE)
def summarise(run_file: str, out: str, lang: str) -> str:
    """The report, and the run in a page and a table that the server shows; returns the path of the report."""
    run = json.loads(Path(run_file).read_text("utf-8"))
    report = write_report(Path(out), lang)
    create_markdown_artifact(summary_markdown(summary(Path(out)), lang), key="run-summary", description=run["run_id"])
    rows = run.get("rows", {})
    scored = run.get("scored", {})
    table = [{"table": name, "rows": n} for name, n in rows.items()]
    table += [{"table": f"measured: {name}", "rows": n} for name, n in scored.items()]
    create_table_artifact(table, key="run-counts", description=run["run_id"])
    return str(report)


@flow(name="score-archive", log_prints=True)
def score_archive(
    archives: list[str],
    brands: list[str],
    out: str,
    config: str | None = None,
    keep_authors: bool = False,
    lang: str = "zh",
) -> str:
    """Archives into the folder `out`; returns the path of the report. A later run scores only what is new."""
    check(archives, brands, config)
    return summarise(score(archives, brands, out, config, keep_authors), out, lang)


class StageProgress:
    """One progress artifact for each stage, brought up to date every few seconds."""

    def __init__(self) -> None:
        self._artifacts: dict[str, Any] = {}
        self._updated: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        percent = 100.0 * done / total if total else 100.0
        now = time.monotonic()
        if stage not in self._artifacts:
            self._artifacts[stage] = create_progress_artifact(percent, key=f"stage-{stage}", description=stage)
        elif done >= total or now - self._updated[stage] >= REPORT_EVERY_S:
            update_progress_artifact(self._artifacts[stage], percent)
        else:
            return
        self._updated[stage] = now


def is_cron(expression: str) -> bool:
    """Whether Prefect takes the cron expression."""
    try:
        CronSchedule(cron=expression)
    except ValueError:
        return False
    return len(expression.split()) == 5


def serve(name: str, cron: str, timezone: str, parameters: dict[str, Any]) -> None:
    """Deploy the flow on a schedule and run it here whenever it is due, one run at a time; returns when stopped."""
    score_archive.serve(
        name=name,
        schedule=Cron(cron, timezone=timezone),
        parameters=parameters,
        limit=1,
        global_limit=1,
        entrypoint_type=EntrypointType.MODULE_PATH,
        print_starting_message=False,
    )


def main() -> None:
    """The flow from the command line, without a server unless PREFECT_API_URL names one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="+", type=Path)
    parser.add_argument("--brand", action="append", required=True, type=Path, dest="brands")
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--keep-authors", action="store_true")
    parser.add_argument("--lang", choices=("zh", "en"), default="zh")
    given = parser.parse_args()
    print(
        score_archive(
            [str(path) for path in given.archives],
            [str(path) for path in given.brands],
            str(given.out),
            str(given.config) if given.config else None,
            given.keep_authors,
            given.lang,
        )
    )


if __name__ == "__main__":
    main()
