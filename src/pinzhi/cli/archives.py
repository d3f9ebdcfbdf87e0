"""`pinzhi run`, `report`, `convert`, `inspect` and `forget`: archives in, tables and a report out."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi.cli.options import (
    Archives,
    Brands,
    Config,
    Examples,
    Json,
    KeepAuthors,
    Language,
    Models,
    Out,
    Quiet,
    existing,
    labelled,
)
from pinzhi.cli.terminal import Lang, console, is_terminal, print_json, visible
from pinzhi.errors import UsageError

if TYPE_CHECKING:
    from pinzhi.readers import Pseudonymiser

_STAGES = {
    Lang.ZH: {"read": "读取", "fingerprints": "指纹", "originality": "原创度", "coherence": "价值观", "comments": "评论", "write": "写出"},
    Lang.EN: {},
}  # fmt: skip


_UNCLAIMED = {
    Lang.ZH: "{n} 条帖子未评价值观：其账号不在任何品牌资料中，请写进某个资料的 accounts。",
    Lang.EN: "{n} posts were not read for values: no profile claims their accounts; name them under accounts of one.",
}


class Engine(StrEnum):
    """Where the work is done."""

    LOCAL = "local"
    DASK = "dask"


def run(
    archives: Archives,
    brands: Brands,
    out: Out,
    examples: Examples = None,
    config: Config = None,
    models: Models = None,
    keep_authors: KeepAuthors = False,
    engine: Annotated[
        Engine, typer.Option("--engine", help="local: this machine; dask is not supported yet.")
    ] = Engine.LOCAL,
    address: Annotated[str | None, typer.Option("--address", help="Scheduler of a cluster; not supported yet.")] = None,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score archives into DIR: only what is new or changed; a run that was killed is continued."""
    if engine is Engine.DASK or address:
        raise UsageError(
            "expected --engine local, found a cluster: this version runs on one machine; "
            "leave out --engine and --address, the folder of results will be the same"
        )
    existing(archives, "an archive")
    existing(brands, "a brand profile")
    from pinzhi import archive
    from pinzhi.brand import BrandProfile
    from pinzhi.config import ScoreConfig
    from pinzhi.scoring import Scorer

    settings = ScoreConfig.load(config)
    profiles = labelled([BrandProfile.load(path) for path in brands], examples)
    with progress(lang, shown=is_terminal() and not quiet) as advance:
        summary = archive.run(
            archives,
            profiles,
            out,
            scorer=Scorer.load(settings, models),
            config=settings,
            pseudonymise=pseudonymiser(keep_authors),
            progress=advance,
        )
    page = _report(out, lang) if lang is not Lang.ZH or not (out / "report.html").exists() else out / "report.html"
    if summary.posts_without_brand:
        console(stderr=True).print(_UNCLAIMED[lang].format(n=f"{summary.posts_without_brand:,}"))
    if json:
        print_json({**dataclasses.asdict(summary), "out": str(out), "report": str(page)})
    elif not quiet:
        _show(out, page, summary.is_new, lang)


def report(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished run.")],
    lang: Language = Lang.ZH,
    quiet: Quiet = False,
) -> None:
    """Write DIR/report.html again, from the Parquet alone."""
    existing([out], "the folder of a run")
    page = _report(out, lang)
    if not quiet:
        console().print(visible(str(page)))


def convert(
    archives: Archives, out: Out, keep_authors: KeepAuthors = False, json: Json = False, quiet: Quiet = False
) -> None:
    """Any known format to canonical Parquet under DIR/posts, comments, accounts and rejects."""
    existing(archives, "an archive")
    from pinzhi.convert import convert as convert_archives

    counts = convert_archives(archives, out, pseudonymise=pseudonymiser(keep_authors))
    if json:
        print_json({"rows": counts, "out": str(out)})
    elif not quiet:
        for table, n in counts.items():
            console().print(f"{table:10} {n:>9,}")


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files or folders.")],
    suggest: Annotated[
        bool,
        typer.Option("--suggest", help="Propose a mapping of the columns of one file, as YAML."),
    ] = False,
    lang: Language = Lang.ZH,
    json: Json = False,
) -> None:
    """What a reader sees in a file: format, fields mapped, rows, rejects with reasons."""
    existing(files, "a file")
    if suggest:
        if len(files) != 1 or files[0].is_dir() or json:
            raise UsageError(
                "expected one file with --suggest and no --json; name the file whose columns are to be mapped"
            )
        from pinzhi.readers.suggest import suggest as propose

        typer.echo(propose(files[0]), nl=False)
        return
    from pinzhi.inspect import inspect as look

    found = look(files)
    if json:
        print_json([dataclasses.asdict(one) for one in found])
        return
    screen = console()
    unread = {Lang.ZH: "未读取", Lang.EN: "not read"}[lang]
    for one in found:
        rows = ", ".join(f"{n} {table}" for table, n in one.rows.items())
        screen.print(visible(f"{one.name}: {one.reader or unread} {one.format or ''} {rows}"))
        for table, filled in one.fields.items():
            screen.print(visible(f"  {table}: " + ", ".join(f"{name} {n}" for name, n in filled.items())))
        for reason, n in one.rejects.items():
            screen.print(visible(f"  reject x{n}: {reason}"))
        if one.first_reject:
            screen.print(visible(f"  {one.first_reject}"))


_FORGET = {
    Lang.ZH: {"removed": "已删除：{counts}。下一次 run 会重算受影响的结果，之后读入的档案也会略过此人。",
              "nobody": "没有找到此人的记录；名单已记下，以后读入时略过。请核对编号、--platform 和密钥（PINZHI_KEY_FILE）是否与当时相同。"},
    Lang.EN: {"removed": "removed: {counts}. The next run measures anew what rested on them; what is read from now on passes this person over.",
              "nobody": "nothing of this person was found; they will be passed over from now on. Check the id, --platform, and that the key (PINZHI_KEY_FILE) is the one of then."},
}  # fmt: skip


def forget(
    authors: Annotated[
        list[str], typer.Argument(metavar="AUTHOR...", help="Ids as the platform gives them, or pseudonyms (a_…).")
    ],
    out: Out,
    platform: Annotated[
        str | None, typer.Option("--platform", help="The platform of the ids; all unless given.")
    ] = None,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Remove a person from a scored archive, its index and its report, and pass over them from now on."""
    existing([out], "the folder of a run")
    from pinzhi.archive.forget import forget as remove
    from pinzhi.readers import Pseudonymiser, load_key

    removed = remove(out, authors, Pseudonymiser(load_key()), platform)
    if json:
        print_json({"removed": removed, "out": str(out)})
    elif not quiet:
        counts = ", ".join(f"{n:,} {table}" for table, n in removed.items() if n)
        console().print(_FORGET[lang]["removed" if counts else "nobody"].format(counts=counts))


def pseudonymiser(keep_authors: bool) -> "Pseudonymiser | None":
    """How author ids are hidden; None when they are to be kept."""
    if keep_authors:
        return None
    from pinzhi.readers import Pseudonymiser, load_key

    return Pseudonymiser(load_key())


@contextmanager
def progress(lang: Lang, *, shown: bool) -> Iterator[Callable[[str, int, int], None]]:
    """A bar for each stage on stderr, or nothing."""
    if not shown:
        yield lambda stage, done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(_STAGES[lang].get(stage, stage), total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield advance


def _report(out: Path, lang: Lang) -> Path:
    from pinzhi.report import write_report

    return write_report(out, lang)


def _show(out: Path, page: Path, is_new: bool, lang: Lang) -> None:
    from rich.markdown import Markdown

    from pinzhi.report import summary, summary_markdown

    screen = console()
    # Lines of Markdown are cut, not wrapped, where wrapping is left to the terminal.
    screen.print(Markdown(visible(summary_markdown(summary(out), lang))), soft_wrap=False)
    opened = {Lang.ZH: "报告，用浏览器打开：", Lang.EN: "Report, to open in a browser: "}
    unchanged = {Lang.ZH: "没有变化，未重新评分。", Lang.EN: "Nothing changed, nothing was scored again."}
    if not is_new:
        screen.print(unchanged[lang])
    screen.print(opened[lang] + visible(str(page)))
