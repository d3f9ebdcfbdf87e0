"""`pinzhi schedule`: the archive flow, again and again, under a Prefect server."""

import os
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from pinzhi.cli.options import Archives, Brands, Config, KeepAuthors, Language, Out, existing
from pinzhi.cli.terminal import Lang, console, visible
from pinzhi.errors import UsageError

TIMEOUT_S = 10.0


def schedule(
    archives: Archives,
    brands: Brands,
    out: Out,
    cron: Annotated[str, typer.Option("--cron", metavar="EXPR", help='When, as in crontab: "0 3 * * *".')],
    timezone: Annotated[str, typer.Option("--timezone", help="Of the cron expression.")] = "Asia/Shanghai",
    config: Config = None,
    keep_authors: KeepAuthors = False,
    lang: Language = Lang.ZH,
    name: Annotated[str, typer.Option("--name", help="Of the deployment.")] = "nightly",
    server: Annotated[
        str | None,
        typer.Option(
            "--server", envvar="PREFECT_API_URL", metavar="URL", help="Prefect API: http://127.0.0.1:4200/api."
        ),
    ] = None,
) -> None:
    """Serve the archive flow on a schedule until stopped (Ctrl-C), under a running Prefect server."""
    existing(archives, "an archive")
    existing(brands, "a brand profile")
    api = check_server(server)
    os.environ["PREFECT_API_URL"] = api  # prefect reads it when it is imported, which the next line does
    check_schedule(cron, timezone)
    from pipelines.score_archive import serve

    parameters = {
        "archives": [str(path.resolve()) for path in archives],
        "brands": [str(path.resolve()) for path in brands],
        "out": str(out.resolve()),
        "config": None if config is None else str(config.resolve()),
        "keep_authors": keep_authors,
        "lang": str(lang),
    }
    console(stderr=True).print(visible(f"score-archive/{name}: {cron} ({timezone}), {api}; Ctrl-C ends it"))
    serve(name, cron, timezone, parameters)


def check_schedule(cron: str, timezone: str) -> None:
    """Raises UsageError for an expression that cron would not take, or a time zone that does not exist."""
    from pipelines.score_archive import is_cron

    if not is_cron(cron):
        raise UsageError(
            f'expected five cron fields (minute hour day month weekday) such as "0 3 * * *", found "{cron}"; '
            "mend the expression after --cron"
        )
    try:
        ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f'expected a time zone such as Asia/Shanghai, found "{timezone}"; mend --timezone') from error


def check_server(url: str | None) -> str:
    """The API address, once a Prefect server has answered there. Raises UsageError."""
    import httpx

    start = "start one with `prefect server start` and name it with --server http://127.0.0.1:4200/api"
    if not url:
        raise UsageError(f"expected a Prefect server, found none named; {start}")
    try:
        healthy = httpx.get(f"{url.rstrip('/')}/health", timeout=TIMEOUT_S).status_code == httpx.codes.OK
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise UsageError(f"{url}: expected a Prefect server, found no answer ({error}); {start}") from error
    if not healthy:
        raise UsageError(f"{url}: expected the API of a Prefect server, found something else; {start}")
    return url.rstrip("/")
