"""`pinzhi run`, `report`, `convert` and `inspect`: everything that takes files."""

from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from pinzhi.cli.options import Archives, Brands, Config, Json, KeepAuthors, Language, Models, Out, Quiet, existing
from pinzhi.cli.terminal import Lang, console, is_terminal, print_json, visible
from pinzhi.errors import UsageError


class Engine(StrEnum):
    """Where a run computes."""

    LOCAL = "local"
    DASK = "dask"


_STAGES = {
    Lang.ZH: {"read": "读取", "comments": "评论", "fingerprints": "索引", "originality": "原创", "coherence": "价值观", "write": "写出"},
    Lang.EN: {"read": "read", "comments": "comments", "fingerprints": "index", "originality": "originality",
              "coherence": "coherence", "write": "write"},
}  # fmt: skip


def _pseudonymiser(keep_authors: bool) -> Any:
    from pinzhi.readers import Pseudonymiser, load_key

    return None if keep_authors else Pseudonymiser(load_key())


def run(
    archives: Archives,
    brand: Brands,
    out: Out,
    config: Config = None,
    models: Models = None,
    keep_authors: KeepAuthors = False,
    engine: Annotated[Engine, typer.Option("--engine", help="Only local in this version.")] = Engine.LOCAL,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Score archives into a folder: incremental and resumable. A second run scores only what is new or changed."""
    if engine is Engine.DASK:
        raise UsageError("--engine dask: expected local, the only engine of this version; leave the option out")
    existing(archives, "an archive")
    existing(brand, "a brand profile")
    from pinzhi.archive import run as run_archive
    from pinzhi.brand import BrandProfile
    from pinzhi.config import ScoreConfig
    from pinzhi.report import summary, write_report
    from pinzhi.scoring import Scorer

    settings = ScoreConfig.load(config)
    profiles = [BrandProfile.load(path) for path in brand]
    scorer = Scorer.load(settings, models)
    with _Bars(lang, shown=is_terminal() and not quiet and not json) as bars:
        result = run_archive(
            archives, profiles, out, scorer=scorer, config=settings, pseudonymise=_pseudonymiser(keep_authors),
            progress=bars.update,
        )  # fmt: skip
    if result.is_new and lang is not Lang.ZH:
        write_report(out, lang)
    numbers = summary(out)
    if json:
        print_json({**asdict(result), "summary": numbers, "report": str(out / "report.html")})
    elif not quiet:
        _tell(result, numbers, out, lang)


def _tell(result: Any, numbers: dict[str, Any], out: Path, lang: Lang) -> None:
    from rich.markdown import Markdown

    from pinzhi.report import summary_markdown

    to = console()
    scored = sum(result.scored.values())
    if lang is Lang.ZH:
        head = f"新评分 {scored} 项" if result.is_new else "没有新内容，无需评分"
        tail = f"报告：{out / 'report.html'}"
    else:
        head = f"{scored} measures made" if result.is_new else "nothing new, nothing scored"
        tail = f"report: {out / 'report.html'}"
    to.print(f"{head} (run {result.run_id})")
    to.print(Markdown(summary_markdown(numbers, lang)))
    to.print(visible(tail))


class _Bars:
    """A bar for each stage, on stderr."""

    def __init__(self, lang: Lang, *, shown: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        self._progress = Progress(
            "{task.description}",
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console(stderr=True),
            disable=not shown,
        )
        self._names = _STAGES[lang]
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> "_Bars":
        self._progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._progress.stop()

    def update(self, stage: str, done: int, total: int) -> None:
        """Rows done of a stage."""
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(self._names.get(stage, stage), total=total)
        self._progress.update(self._tasks[stage], completed=done, total=total)


def report(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a finished run.")],
    lang: Language = Lang.ZH,
    quiet: Quiet = False,
) -> None:
    """Write the HTML report again, from the Parquet alone."""
    existing([out], "the folder of a run")
    from pinzhi.report import write_report

    path = write_report(out, lang)
    if not quiet:
        console().print(visible(str(path)))


def convert(
    archives: Archives, out: Out, keep_authors: KeepAuthors = False, json: Json = False, quiet: Quiet = False
) -> None:
    """Any known format to the canonical tables as Parquet."""
    existing(archives, "an archive")
    from pinzhi.convert import convert as convert_archives

    counts = convert_archives(archives, out, _pseudonymiser(keep_authors))
    if json:
        print_json({"rows": counts, "out": str(out)})
    elif not quiet:
        for table, rows in counts.items():
            console().print(f"{rows:>10,}  {table}")


def inspect(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Files or folders to look into.")],
    json: Json = False,
) -> None:
    """What a reader sees in a file: format, fields mapped, rows, rejects with reasons."""
    existing(files, "a file")
    from pinzhi.inspect import inspect as look

    found = look(files)
    if json:
        print_json([asdict(one) for one in found])
        return
    to = console()
    for one in found:
        rows = ", ".join(f"{n} {table}" for table, n in one.rows.items()) or "no rows"
        to.print(visible(f"{one.name}: {one.reader or 'not read'} {one.format or ''}; {rows}"))
        for table, filled in one.fields.items():
            to.print(visible(f"  {table}: " + ", ".join(f"{name} {n}" for name, n in filled.items())))
        for reason, n in one.rejects.items():
            to.print(visible(f"  reject x{n}: {reason}"))
        if one.first_reject:
            to.print(visible(f"  first: {one.first_reject}"))
