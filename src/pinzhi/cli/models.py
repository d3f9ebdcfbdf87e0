"""`pinzhi models`: versions, cards, the switch."""

from typing import Annotated

import typer

from pinzhi.cli.options import Json, Models
from pinzhi.cli.terminal import console, print_json, visible

app = typer.Typer(help="Model versions: list, show, promote, rollback.", no_args_is_help=True, rich_markup_mode=None)
Head = Annotated[str, typer.Argument(metavar="HEAD", help="encoder, sentiment, authenticity, ...")]


@app.command("list")
def list_(models: Models = None, json: Json = False) -> None:
    """Every version; * marks the active one."""
    from pinzhi import paths
    from pinzhi.heads.store import list_versions

    found = list_versions(models or paths.models())
    if json:
        print_json([{"head": v.head, "version": v.version, "is_active": v.is_active} for v in found])
        return
    for version in found:
        console().print(visible(f"{'*' if version.is_active else ' '} {version.head:14} {version.version}"))


@app.command()
def show(
    head: Head,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]")] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """The card of a version, by default of the active one."""
    from pinzhi import paths
    from pinzhi.heads.store import show as show_version

    found = show_version(models or paths.models(), head, version)
    if json:
        print_json({"head": found.head, "version": found.version, "is_active": found.is_active, **found.manifest})
        return
    console().print(visible((found.folder / "README.md").read_text("utf-8")))


@app.command()
def promote(head: Head, version: Annotated[str, typer.Argument(metavar="VERSION")], models: Models = None) -> None:
    """Make a version the active one, after checking its files."""
    from pinzhi import paths
    from pinzhi.heads.store import promote as promote_version

    promote_version(models or paths.models(), head, version)
    console().print(visible(f"{head} {version}"))


@app.command()
def rollback(head: Head, models: Models = None) -> None:
    """Back to the version that was active before."""
    from pinzhi import paths
    from pinzhi.heads.store import rollback as roll_back

    console().print(visible(f"{head} {roll_back(models or paths.models(), head)}"))
