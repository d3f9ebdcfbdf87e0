"""Score archives: `python -m pipelines.score_archive ARCHIVE... --brand FILE --out DIR`, or on a schedule."""

import argparse
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE

import pipelines._support  # noqa: F401  (settings that must stand before prefect is imported)
from pinzhi.archive import run
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.readers import Pseudonymiser, load_key
from pinzhi.report import summary, summary_markdown
from pinzhi.scoring import Scorer


@task(cache_policy=NO_CACHE, retries=1, retry_delay_seconds=10)
def score_into(archives: list[str], brands: list[str], out: str, config: str | None, keep_authors: bool) -> str:
    """Score into the folder `out` and return it; a retry goes on where the run stopped."""
    settings = ScoreConfig.load(Path(config) if config else None)
    logger = get_run_logger()
    result = run(
        [Path(path) for path in archives],
        [BrandProfile.load(path) for path in brands],
        Path(out),
        scorer=Scorer.load(settings),
        config=settings,
        pseudonymise=None if keep_authors else Pseudonymiser(load_key()),
        progress=lambda stage, done, total: logger.info("%s %d/%d", stage, done, total),
    )
    logger.info("run %s: rows %s, measured %s", result.run_id, result.rows, result.scored)
    return out


@task(cache_policy=NO_CACHE)
def publish_summary(out: str) -> dict[str, float | int | None]:
    """The headline numbers as artifacts that the server shows."""
    numbers = summary(Path(out))
    create_markdown_artifact(key="pinzhi-summary", markdown=summary_markdown(numbers), description="品质 run summary")
    create_table_artifact(key="pinzhi-numbers", table=[{"number": k, "value": v} for k, v in numbers.items()])
    return numbers


@flow(name="score-archive")
def score_archive(
    archives: list[str], brands: list[str], out: str, config: str | None = None, keep_authors: bool = False
) -> dict[str, float | int | None]:
    """Archives in, tables and report out; paths cross task borders, tables do not."""
    return publish_summary(score_into(archives, brands, out, config, keep_authors))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archives", nargs="+")
    parser.add_argument("--brand", action="append", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--config")
    parser.add_argument("--keep-authors", action="store_true")
    given = parser.parse_args()
    score_archive(given.archives, given.brand, given.out, given.config, given.keep_authors)
