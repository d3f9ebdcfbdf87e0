"""`pinzhi models`: versions, cards, the switch."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi import paths
from pinzhi.cli.options import Json, Models
from pinzhi.cli.terminal import console, print_json, visible

if TYPE_CHECKING:
    from pinzhi.heads.store import Version

app = typer.Typer(help="Versions, cards, the switch.", no_args_is_help=True, rich_markup_mode=None)

Head = Annotated[str, typer.Argument(metavar="HEAD", help="sentiment, authenticity, coherence, ...")]


@app.command("list")
def list_(models: Models = None, json: Json = False) -> None:
    """Every version; * is in use."""
    from pinzhi.heads import store

    found = store.list_versions(models or paths.models())
    if json:
        print_json([_as_json(version) for version in found])
        return
    for version in found:
        console().print(visible(f"{'*' if version.is_active else ' '} {version.head:14} {version.version}"))


@app.command("show")
def show(
    head: Head,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="The active one unless given.")] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """The card and the manifest of one version."""
    from pinzhi.heads import store

    found = store.show(models or paths.models(), head, version)
    if json:
        print_json(_as_json(found))
        return
    card = found.folder / "README.md"
    console().print(visible(card.read_text("utf-8") if card.exists() else str(found.folder)))


@app.command("promote")
def promote(head: Head, version: Annotated[str, typer.Argument(metavar="VERSION")], models: Models = None) -> None:
    """Make VERSION the active one of HEAD, after checking its files."""
    from pinzhi.heads import store

    store.promote(models or paths.models(), head, version)
    console().print(visible(f"{head}: {version}"))


@app.command("rollback")
def rollback(head: Head, models: Models = None) -> None:
    """Back to the version of HEAD that was active before."""
    from pinzhi.heads import store

    console().print(visible(f"{head}: {store.rollback(models or paths.models(), head)}"))


def _as_json(version: "Version") -> dict[str, Any]:
    return {
        "head": version.head,
        "version": version.version,
        "is_active": version.is_active,
        "folder": str(version.folder),
        "manifest": dict(version.manifest),
    }


def _number(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value if value is not None else "-")
