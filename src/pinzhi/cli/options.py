"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pinzhi.cli.terminal import Lang, console, visible
from pinzhi.errors import UsageError

if TYPE_CHECKING:
    from pinzhi.brand import BrandProfile

Archives = Annotated[
    list[Path],
    typer.Argument(metavar="ARCHIVE...", help="Files or folders in any known format, and mappings (*.mapping.yaml)."),
]
Brand = Annotated[Path, typer.Option("--brand", "-b", metavar="FILE", help="Brand profile (YAML).")]
Brands = Annotated[
    list[Path], typer.Option("--brand", "-b", metavar="FILE", help="Brand profile (YAML); may be given several times.")
]
Examples = Annotated[
    list[Path] | None,
    typer.Option(
        "--examples", metavar="LABELS", help="Label file: its posts of the brand are examples of values; several times."
    ),
]
Out = Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Folder of results.")]
Config = Annotated[
    Path | None, typer.Option("--config", "-c", metavar="FILE", help="Thresholds; configs/score.toml unless given.")
]
Models = Annotated[
    Path | None, typer.Option("--models", metavar="DIR", help="Folder of model versions; the shipped one unless given.")
]
KeepAuthors = Annotated[
    bool, typer.Option("--keep-authors", help="Keep author ids and names, and private numbers in texts, as they are.")
]
Language = Annotated[Lang, typer.Option("--lang", envvar="PINZHI_LANG", help="Language of the output.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout, keys as in docs/cli.md.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Nothing on stdout, no progress.")]


def existing(paths: list[Path], what: str) -> list[Path]:
    """`paths`, all of which are there. Raises UsageError that names the first that is not."""
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: expected {what}, found nothing at this path; check the spelling")
    return paths


def labelled(brands: "list[BrandProfile]", examples: list[Path] | None) -> "list[BrandProfile]":
    """`brands` with the posts of the label files `examples`; records that cannot be used are told on stderr. Raises UsageError, InputError."""
    if not examples:
        return brands
    from pinzhi.examples import with_labelled

    brands, problems = with_labelled(brands, existing(examples, "a label file"))
    for problem in problems:
        console(stderr=True).print(visible(str(problem)))
    return brands
