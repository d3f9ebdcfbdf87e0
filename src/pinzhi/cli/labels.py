"""`pinzhi label`: what to label next."""

from pathlib import Path
from typing import Annotated

import typer

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
    form: Annotated[str, typer.Option("--format", help="label-studio or doccano.")] = "label-studio",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the texts of a scored archive that the models are least sure of, unlike one another, with predictions."""
    existing([on], "the folder of a run")
    from pinzhi.training.label_export import LabelFormat, export_labels
    from pinzhi.training.label_files import LabelTask

    for given, known in ((task, LabelTask), (form, LabelFormat)):
        if given not in list(known):
            raise UsageError(f"expected one of {', '.join(known)}, found {given}")
    written = export_labels(on, LabelTask(task), out, n, LabelFormat(form))
    if json:
        print_json({"task": task, "format": form, "n": written, "out": str(out)})
    elif not quiet:
        console().print(visible(f"{written} → {out}"))
