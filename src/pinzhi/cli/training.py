"""`pinzhi train`: heads anew on new labels, behind a gate."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pinzhi import paths
from pinzhi.cli.options import Json, Language, Models, Quiet, existing
from pinzhi.cli.terminal import Lang, console, print_json, visible
from pinzhi.errors import UsageError

if TYPE_CHECKING:
    from pinzhi.training.retrain import Retrained

SHOWN = 10  # problems on the screen
WORDS = {
    Lang.ZH: {
        "promoted": "已启用新模型 {version}", "kept": "保留原模型；新模型 {version} 存为候选", "problems": "{n} 条标注未能使用", "more": "  · 其余 {n} 条见 --json",
        "rows": "新增训练 {new} 条；略去与评测集重复的 {frozen} 条、彼此重复的 {repeats} 条", "slice": "评测子集", "n": "条数", "before": "原模型", "after": "新模型",
        "all": "全部", "read": "读取标注", "train": "训练", "evaluate": "评测",
    },
    Lang.EN: {
        "promoted": "promoted {version}", "kept": "kept the active model; {version} stays as a candidate",
        "problems": "{n} labels could not be used", "more": "  · {n} more: --json lists them all", "rows": "{new} new rows trained on; left out: {frozen} that repeat frozen ones, {repeats} that repeat each other",
        "slice": "frozen rows", "n": "n", "before": "active", "after": "new", "all": "all", "read": "reading labels", "train": "training", "evaluate": "evaluating",
    },
}  # fmt: skip


def train(
    task: Annotated[str, typer.Argument(metavar="TASK", help="sentiment, authenticity, coherence or originality.")],
    labels: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[LABELS...]",
            help="Label Studio JSON, doccano JSON lines, JSON lines, CSV, TSV, Parquet; leave out to learn from --base alone.",
        ),
    ] = None,
    brands: Annotated[
        list[Path] | None,
        typer.Option(
            "--brand", "-b", metavar="FILE", help="Profile that the labels name; for coherence, several times."
        ),
    ] = None,
    public: Annotated[
        Path | None,
        typer.Option("--public", metavar="DIR", help="Public sets: sentiment replays them and must not fall on them."),
    ] = None,
    base: Annotated[
        Path | None, typer.Option("--base", metavar="DIR", help="Labelled sets to train on as well and to judge by.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", metavar="FILE", help="configs/train/retrain.toml unless given.")
    ] = None,
    models: Models = None,
    lang: Language = Lang.ZH,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Retrain TASK on new labels; the new model becomes active only where it is better with confidence."""
    labels = existing(labels or [], "a label file")
    existing(brands or [], "a brand profile")
    existing([public] if public else [], "the folder of the public sets")
    from pinzhi.brand import BrandProfile
    from pinzhi.training.label_files import LabelTask
    from pinzhi.training.retrain import retrain
    from pinzhi.training.settings import RetrainSettings

    if task not in list(LabelTask):
        raise UsageError(f"expected a task of {', '.join(LabelTask)}, found {task}")
    sets = base or paths.labels()
    profiles = [BrandProfile.load(path) for path in brands or ()]
    settings = RetrainSettings.load(config or paths.configs() / "train" / "retrain.toml")
    screen = console(stderr=True)
    words = WORDS[lang]
    with screen.status(words["read"]) as status:
        done = retrain(
            LabelTask(task), labels, models=models or paths.models(), base=sets, settings=settings,
            brands=profiles, public=public, progress=lambda stage: status.update(words[stage]),
        )  # fmt: skip
    if json:
        print_json(as_json(done))
    elif not quiet:
        show(done, lang)


def as_json(done: "Retrained") -> dict[str, Any]:
    """The document of `pinzhi train --json`; docs/cli.md describes every key."""
    return {
        "task": done.task.value, "version": done.version, "versions": done.versions, "metric": done.metric, "is_promoted": done.is_promoted, "n_new": done.n_new,
        "n_frozen_repeats": done.n_frozen_repeats, "n_repeats": n_repeats(done), "problems": [dataclasses.asdict(one) for one in done.problems],
        "verdict": dataclasses.asdict(done.verdict),
    }  # fmt: skip


def n_repeats(done: "Retrained") -> int:
    """Label rows that repeat one another."""
    return sum(problem.is_repeat for problem in done.problems) - done.n_frozen_repeats


def show(done: "Retrained", lang: Lang) -> None:
    """Problems, repeats last, figures beside those of the active model, and the decision."""
    from rich.table import Table

    words, screen, verdict = WORDS[lang], console(), done.verdict
    faults = sum(not problem.is_repeat for problem in done.problems)
    for problem in sorted(done.problems, key=lambda problem: problem.is_repeat)[:SHOWN]:
        screen.print(visible(f"  · {problem}"))
    if len(done.problems) > SHOWN:
        screen.print(words["more"].format(n=len(done.problems) - SHOWN))
    if faults:
        screen.print(words["problems"].format(n=faults))
    screen.print(words["rows"].format(new=done.n_new, frozen=done.n_frozen_repeats, repeats=n_repeats(done)))
    table = Table(f"{words['slice']} ({done.metric})", words["n"], words["before"], words["after"])
    table.add_row(words["all"], str(verdict.n), f"{verdict.before:.3f}", f"{verdict.after:.3f}")
    for part in verdict.slices:
        table.add_row(visible(part.name), str(part.n), f"{part.before:.3f}", f"{part.after:.3f}")
    screen.print(table)
    screen.print(words["promoted" if done.is_promoted else "kept"].format(version=done.version))
    screen.print(visible(f"  {verdict.reason}"))
