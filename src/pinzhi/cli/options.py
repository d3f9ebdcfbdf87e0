"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from pinzhi.cli.terminal import Lang
from pinzhi.errors import UsageError

Archives = Annotated[
    list[Path],
    typer.Argument(metavar="ARCHIVE...", help="Files or folders in any known format, and mappings (*.mapping.yaml)."),
]
Brand = Annotated[Path, typer.Option("--brand", "-b", metavar="FILE", help="Brand profile (YAML).")]
Brands = Annotated[
    list[Path], typer.Option("--brand", "-b", metavar="FILE", help="Brand profile (YAML); may be given several times.")
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
