"""`pinzhi label`: what to label next."""

from pathlib import Path
from typing import Annotated

import typer

from pinzhi import paths
from pinzhi.cli.options import Json, Quiet, existing
from pinzhi.cli.terminal import console, print_json, visible
from pinzhi.errors import UsageError

app = typer.Typer(help="What to label next.", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def label() -> None:
    """What to label next."""


@app.command("export")
def export(
    task: Annotated[str, typer.Argument(metavar="TASK", help="sentiment, authenticity, coherence or originality.")],
    on: Annotated[Path, typer.Option("--on", metavar="DIR", help="Folder of a finished run.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="File for the labelling tool.")],
    n: Annotated[int, typer.Option("--n", help="Texts to label.")] = 200,
    form: Annotated[str, typer.Option("--format", help="label-studio (.json) or doccano (.jsonl).")] = "label-studio",
    brands: Annotated[
        list[Path] | None,
        typer.Option(
            "--brand",
            "-b",
            metavar="FILE",
            help="Profile that the page shows, for coherence, several times; configs/brands unless given.",
        ),
    ] = None,
    labelled: Annotated[
        list[Path] | None,
        typer.Option(
            "--labelled", metavar="FILE", help="Label file or folder whose texts are left out; several times."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite FILE and its page.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the texts of a scored archive that the models are least sure of, unlike one another, with predictions."""
    existing([on], "the folder of a run")
    existing(brands or [], "a brand profile")
    existing(labelled or [], "a label file or a folder of them")
    from pinzhi.brand import BrandProfile
    from pinzhi.training.label_export import LabelFormat, export_labels
    from pinzhi.training.label_files import LabelTask

    for given, known in ((task, LabelTask), (form, LabelFormat)):
        if given not in list(known):
            raise UsageError(f"expected one of {', '.join(known)}, found {given}")
    if brands and task != LabelTask.COHERENCE:
        raise UsageError(f"expected brand profiles for coherence alone, found some for {task}; leave out --brand")
    if task == LabelTask.COHERENCE and not brands:
        brands = sorted((paths.configs() / "brands").glob("*.yaml"))
    written = export_labels(
        on, LabelTask(task), out, n, LabelFormat(form), brands=[BrandProfile.load(path) for path in brands or ()],
        labelled=labelled or (), overwrite=force,
    )  # fmt: skip
    if json:
        print_json({"task": task, "format": form, "n": written, "out": str(out)})
    elif not quiet:
        console().print(visible(f"{written} → {out}"))
