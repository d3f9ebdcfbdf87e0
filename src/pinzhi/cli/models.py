"""`pinzhi models`: versions, cards, the switch, and what a switch would change."""

import dataclasses
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi import paths
from pinzhi.cli.archives import progress, pseudonymiser
from pinzhi.cli.options import Config, Json, KeepAuthors, Language, Models, Quiet, existing
from pinzhi.cli.terminal import Lang, console, is_terminal, print_json, visible

if TYPE_CHECKING:
    from pinzhi.archive.compare import Comparison
    from pinzhi.heads.store import Version

SHOWN = 6  # transitions of one column

app = typer.Typer(help="Versions, cards, the switch.", no_args_is_help=True, rich_markup_mode=None)

Head = Annotated[str, typer.Argument(metavar="HEAD", help="sentiment, authenticity, coherence, ...")]


@app.command("list")
def list_(models: Models = None, json: Json = False) -> None:
    """Every version with its date, state and figure, and why it was promoted or kept back; * is in use."""
    from pinzhi.heads import store

    found = [_as_json(version) for version in store.list_versions(_root(models))]
    if json:
        print_json(found)
        return
    for one in found:
        mark, state = "*" if one["is_active"] else " ", "broken" if one["fault"] else one["state"]
        figure = f"{one['metric']} {one['value']:.3f}" if one["metric"] else ""
        line = f"{mark} {one['head']:14} {one['version']}  {one['date'] or '-':10}  {state:9}  {figure}"
        console().print(visible(line.rstrip()))
        if why := one["fault"] or one["reason"]:
            console().print(visible(f"    {why}"))


@app.command("show")
def show(
    head: Head,
    version: Annotated[str | None, typer.Argument(metavar="[VERSION]", help="The active one unless given.")] = None,
    models: Models = None,
    json: Json = False,
) -> None:
    """The card and the manifest of one version."""
    from pinzhi.heads import store

    found = store.show(_root(models), head, version)
    if json:
        print_json(_as_json(found))
        return
    card = found.folder / "README.md"
    console().print(visible(card.read_text("utf-8") if card.exists() else str(found.folder)))


_KEPT_BACK = {Lang.ZH: "门槛未通过，仍按您的选择启用：{why}", Lang.EN: "the gate had kept it back: {why}"}


@app.command("promote")
def promote(
    head: Head,
    version: Annotated[str, typer.Argument(metavar="VERSION")],
    models: Models = None,
    lang: Language = Lang.ZH,
) -> None:
    """Make VERSION the active one of HEAD, after checking its files; what was trained with it comes along."""
    from pinzhi.heads import store

    for name, found in sorted(store.promote(_root(models), head, version).items()):
        console().print(visible(f"{name}: {found.version}"))
        if why := found.kept_back():
            console().print(visible(f"    {_KEPT_BACK[lang].format(why=why)}"))


@app.command("rollback")
def rollback(head: Head, models: Models = None) -> None:
    """Back to the version of HEAD that was active before; what was promoted with it goes back too."""
    from pinzhi.heads import store

    for name, found in sorted(store.rollback(_root(models), head).items()):
        console().print(visible(f"{name}: {found.version}"))


@app.command("diff")
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A version of some head.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Another version of the same head.")],
    on: Annotated[Path, typer.Option("--on", metavar="DIR", help="Folder of a finished run; it stays as it is.")],
    brands: Annotated[
        list[Path] | None,
        typer.Option("--brand", "-b", metavar="FILE", help="Brand profile; those of the run unless given."),
    ] = None,
    config: Config = None,
    models: Models = None,
    keep_authors: KeepAuthors = False,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """What NEW would say of a scored archive where OLD said something else, before it is promoted."""
    existing([on], "the folder of a run")
    existing(brands or [], "a brand profile")
    from pinzhi.archive.compare import compare, rescored
    from pinzhi.brand import BrandProfile
    from pinzhi.config import ScoreConfig
    from pinzhi.heads import store
    from pinzhi.scoring import Scorer

    root = _root(models)
    head = store.head_of(root, old)
    for version in (old, new):  # a damaged one is refused now, not after the other has scored everything
        store.show(root, head, version)
    settings = ScoreConfig.load(config)
    profiles = [BrandProfile.load(path) for path in brands or ()]
    with ExitStack() as held:
        advance = held.enter_context(progress(lang, shown=is_terminal() and not quiet))
        folders = [
            held.enter_context(
                rescored(
                    on, profiles, scorer=Scorer.load(settings, held.enter_context(store.as_if_promoted(root, head, version))),
                    config=settings, pseudonymise=pseudonymiser(keep_authors), progress=advance,
                )
            )
            for version in (old, new)
        ]  # fmt: skip
        found = compare(*folders)
    if json:
        print_json({"head": head, "old": old, "new": new, **dataclasses.asdict(found)})
    elif not quiet:
        _show_changes(found, lang)


_WORDS = {
    Lang.ZH: ("表.列", "变化", "共", "平均移动", "最大", "之前 → 之后", "例"),
    Lang.EN: ("table.column", "changed", "of", "mean move", "largest", "before → after", "for example"),
}


def _show_changes(found: "Comparison", lang: Lang) -> None:
    from rich.table import Table

    words, screen = _WORDS[lang], console()
    table = Table(*words[:6])
    table.columns[0].no_wrap = True
    for column in found.columns:
        moves = "\n".join(f"{one.n} {one.before} → {one.after}" for one in column.transitions[:SHOWN])
        table.add_row(
            f"{column.table}.{column.column}", f"{column.n_changed:,}", f"{column.n:,}", _number(column.mean_move),
            _number(column.largest_move), visible(moves),
        )  # fmt: skip
    screen.print(table)
    for one in found.examples:
        line = f"{words[6]}: {one.table}.{one.column} {one.platform}/{one.id}: {one.before} → {one.after}"
        screen.print(visible(line))


def _root(models: Path | None) -> Path:
    return paths.models() if models is None else existing([models], "a folder of model versions")[0]


def _as_json(version: "Version") -> dict[str, Any]:
    report = version.report()
    metric, value = _primary(report) or (None, None)
    return {
        "head": version.head,
        "version": version.version,
        "is_active": version.is_active,
        "folder": str(version.folder),
        "manifest": dict(version.manifest),
        "date": _date(version.version),
        "state": version.state,
        "metric": metric,
        "value": value,
        "reason": report.get("reason"),
        "fault": version.fault,
    }


def _primary(report: Mapping[str, Any], within: str = "") -> tuple[str, float] | None:
    """Name and value of the first figure of a report."""
    for name, figure in report.items():
        if isinstance(figure, dict):
            if "value" in figure:
                return within + name, float(figure["value"])
            if found := _primary(figure, f"{within}{name}."):
                return found
    return None


def _date(version: str) -> str | None:
    """The day in the name of a version; None in a name of another kind."""
    try:
        return datetime.strptime(version.partition("-")[0], "%Y%m%d").date().isoformat()
    except ValueError:
        return None


def _number(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value if value is not None else "-")
