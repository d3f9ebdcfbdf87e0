"""What another model would say of a scored archive."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pinzhi import schemas
from pinzhi.archive.measure import Progress
from pinzhi.archive.run import run
from pinzhi.archive.store import MEMORY_LIMIT, Store
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig
from pinzhi.errors import InputError
from pinzhi.readers import Pseudonymiser
from pinzhi.tables import stream_tables

if TYPE_CHECKING:
    from pinzhi.scoring import Scorer

EXAMPLES = 5  # changed rows that are named for each column
LABELS = {  # table -> columns that a reader acts on
    "posts": ("verdict", "originality_label", "coherence_grade"),
    "comments": ("authenticity", "sentiment"),
    "accounts": ("verdict",),
}
SCORES = {
    "posts": ("quality", "originality", "coherence", "genuine_share"),
    "comments": (),
    "accounts": ("real_share", "genuine_share", "p_fed"),
}


@dataclass(frozen=True)
class Transition:
    """How many rows of one column went from one label to another; None is no label."""

    before: str | None
    after: str | None
    n: int


@dataclass(frozen=True)
class ColumnChange:
    """One column of one table: rows that changed, of all; label transitions, or the mean and the largest move of a score."""

    table: str
    column: str
    n: int
    n_changed: int
    transitions: tuple[Transition, ...] = ()
    mean_move: float | None = None
    largest_move: float | None = None


@dataclass(frozen=True)
class Example:
    """A row whose label changed."""

    table: str
    column: str
    platform: str
    id: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Comparison:
    """All that differs between two scored folders."""

    columns: tuple[ColumnChange, ...]
    examples: tuple[Example, ...]


@contextmanager
def rescored(
    out: Path, brands: Sequence[BrandProfile], *, scorer: "Scorer", config: ScoreConfig,
    pseudonymise: Pseudonymiser | None, progress: Progress | None = None,
) -> Iterator[Path]:  # fmt: skip
    """A copy of the scored folder `out` as `scorer` would have it with the profiles `brands` (none: those that it was scored
    with), for the time being; only what its models change is measured anew, and `out` stays as it is. Raises InputError when
    it holds no finished run, or no profiles."""
    store = Store(out)
    if not store.whole_runs() or store.is_unfinished():
        raise InputError(
            f"{out}: expected the folder of a finished run, found none; score the archive to its end first"
        )
    profiles = brands or store.brands()
    if not profiles:
        raise InputError(
            f"{out}: expected the brand profiles that it was scored with, found none, for an older pinzhi did not keep them; "
            "name them with --brand, or run again"
        )
    with tempfile.TemporaryDirectory(prefix="pinzhi-diff-") as scratch:
        copy = Path(scratch)
        with store.held():
            for name in (*schemas.OUTPUT, "canonical", "measures", "index", "runs"):
                if (out / name).is_dir():
                    shutil.copytree(out / name, copy / name, copy_function=_link_or_copy)
        run([], profiles, copy, scorer=scorer, config=config, pseudonymise=pseudonymise, progress=progress)
        yield copy


def _link_or_copy(source: str, target: str) -> None:
    """Files of a run are replaced, never written again, so that a second name is as good as a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def compare(before: Path, after: Path) -> Comparison:
    """Differences between two scored folders of the same archive, row by row."""
    import duckdb

    columns: list[ColumnChange] = []
    examples: list[Example] = []
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "temp_directory": str(after / ".spill")}) as connection:
        for table, labels in LABELS.items():
            key, schema = schemas.KEYS[table], schemas.OUTPUT[table]
            wanted = [*key, *labels, *SCORES[table]]
            for name, folder in (("old", before), ("new", after)):
                connection.register("rows", stream_tables(folder / table, schema, wanted))
                connection.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM rows")
            joined = f"old JOIN new USING ({', '.join(key)})"
            ((n_rows,),) = connection.execute(f"SELECT count(*) FROM {joined}").fetchall()
            for column in labels:
                moved = connection.execute(
                    f"SELECT old.{column}::VARCHAR AS b, new.{column}::VARCHAR AS a, count(*) AS n FROM {joined} "
                    "WHERE b IS DISTINCT FROM a GROUP BY ALL ORDER BY n DESC, b, a"
                ).fetchall()
                transitions = tuple(Transition(*row) for row in moved)
                columns.append(ColumnChange(table, column, n_rows, sum(one.n for one in transitions), transitions))
                examples += [
                    Example(table, column, *row)
                    for row in connection.execute(
                        f"SELECT {' , '.join(key)}, old.{column}::VARCHAR AS b, new.{column}::VARCHAR AS a "
                        f"FROM {joined} WHERE b IS DISTINCT FROM a ORDER BY ALL LIMIT {EXAMPLES}"
                    ).fetchall()
                ]
            for column in SCORES[table]:
                move = f"abs(new.{column} - old.{column})"
                ((n, mean, largest),) = connection.execute(
                    f"SELECT count(*) FILTER ({move} > 0 OR (old.{column} IS NULL) <> (new.{column} IS NULL)), "
                    f"avg({move}), max({move}) FROM {joined}"
                ).fetchall()
                columns.append(ColumnChange(table, column, n_rows, n, (), mean, largest))
    return Comparison(tuple(columns), tuple(examples))
