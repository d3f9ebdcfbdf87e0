"""`pinzhi schedule`: the archive flow on a cron schedule, served to a Prefect server."""

import os
from pathlib import Path
from typing import Annotated

import typer

from pinzhi.cli.options import Archives, Brands, KeepAuthors, Out, existing
from pinzhi.cli.terminal import console
from pinzhi.errors import UsageError


def schedule(
    archives: Archives,
    brand: Brands,
    out: Out,
    cron: Annotated[str, typer.Option("--cron", metavar="EXPR", help='Five fields, e.g. "0 3 * * *".')],
    timezone: Annotated[str, typer.Option("--timezone", help="Zone of the cron expression.")] = "Asia/Shanghai",
    server: Annotated[
        str | None, typer.Option("--server", envvar="PREFECT_API_URL", metavar="URL", help="API of a Prefect server.")
    ] = None,
    keep_authors: KeepAuthors = False,
) -> None:
    """Serve the archive flow on a schedule until interrupted. Start the server first: `prefect server start`."""
    existing(archives, "an archive")
    existing(brand, "a brand profile")
    if not server:
        raise UsageError(
            "expected a Prefect server, found none; run `prefect server start` and "
            "name it with --server http://127.0.0.1:4200/api"
        )
    os.environ["PREFECT_API_URL"] = server
    from prefect.schedules import Cron

    from pipelines.score_archive import score_archive

    try:
        when = Cron(cron, timezone=timezone)
    except ValueError as error:
        raise UsageError(f"--cron: expected five fields such as '0 3 * * *', found {cron!r} ({error})") from error
    console().print(f"serving score-archive: {cron} {timezone}; stop with Ctrl-C")
    score_archive.serve(
        name="pinzhi-score-archive",
        schedule=when,
        parameters={
            "archives": [str(path.resolve()) for path in archives],
            "brands": [str(path.resolve()) for path in brand],
            "out": str(Path(out).resolve()),
            "keep_authors": keep_authors,
        },
    )
