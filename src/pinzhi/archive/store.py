"""The folder of a run: where everything is, who holds it, and the SQL view over it."""

import fcntl
import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pinzhi import schemas
from pinzhi.brand import BrandProfile
from pinzhi.errors import StorageError
from pinzhi.tables import sweep, write_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY_LIMIT = "256MB"
_INPUT = pa.field("input", pa.string(), nullable=False)
MEASURES = {
    "fingerprints": pa.schema([pa.field("platform", pa.string()), pa.field("post_id", pa.string()), _INPUT]),
    "comments": schemas.COMMENT_MEASURES.append(_INPUT),
    "coherence": schemas.COHERENCE_MEASURES.append(_INPUT),
    "originality": schemas.ORIGINALITY_MEASURES.append(_INPUT),
}


class Store:
    """Paths under one output folder."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.files = out / "canonical" / "files"
        self.index = out / "index"
        self.runs = out / "runs"
        self.scratch = out / ".work"

    def measures(self, kind: str) -> Path:
        """Folder of the measures of one kind."""
        return self.out / "measures" / kind

    def shard(self, kind: str, sequence: int, run_id: str, number: int) -> Path:
        """One shard of measures; later sequences outdo earlier ones."""
        return self.measures(kind) / f"{sequence:06d}-{run_id}-{number:06d}.parquet"

    def whole_runs(self) -> list[dict[str, Any]]:
        """The run files that are there, in the order of their runs."""
        found = [json.loads(path.read_text("utf-8")) for path in self.runs.glob("*.json")] if self.runs.is_dir() else []
        return sorted(found, key=lambda run: (run["sequence"], run["run_id"]))

    def sources(self) -> dict[str, dict[str, Any]]:
        """What is known of every file that was read, by its digest."""
        return {
            path.parent.name: json.loads(path.read_text("utf-8")) for path in sorted(self.files.glob("*/source.json"))
        }

    def rows_read(self) -> dict[str, int]:
        """Records that the readers found in all files so far, by table, repeats and rejects included."""
        total: Counter[str] = Counter()
        for told in self.sources().values():
            total.update(told["rows"])
        return dict(sorted(total.items()))

    def is_unfinished(self) -> bool:
        """Whether a run began to work here and did not end: the tables may be half its own."""
        return self.scratch.exists()

    def has_every_table(self) -> bool:
        """Whether the results hold all tables that this pinzhi writes; an older one wrote fewer."""
        return all((self.out / name).is_dir() for name in schemas.OUTPUT)

    def write_run(self, content: dict[str, Any]) -> None:
        """Write the run file: the marker that everything before it is whole."""
        write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", self.runs / f"{content['run_id']}.json")

    def write_brands(self, brands: Sequence[BrandProfile]) -> None:
        """Keep what scores rest on of the brand profiles of the run, and remove the list of accounts that an older pinzhi kept."""
        kept = [brand.essence().model_dump(exclude_defaults=True) for brand in brands]
        write_text(json.dumps(kept, ensure_ascii=False, indent=2) + "\n", self.out / schemas.BRANDS)
        (self.out / "canonical" / "own_accounts.json").unlink(missing_ok=True)

    def brands(self) -> list[BrandProfile]:
        """Brand profiles of the last run, as far as scores rest on them; none where an older pinzhi did not keep them."""
        path = self.out / schemas.BRANDS
        return [BrandProfile(**kept) for kept in json.loads(path.read_text("utf-8"))] if path.exists() else []

    def keep_index(self, index_id: str) -> None:
        """Remove the index of other models and settings, and of older forms."""
        for path in sorted(self.index.iterdir()) if self.index.is_dir() else []:
            if path.name != index_id:
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the folder for one run. Raises StorageError when another run does, or it cannot be written."""
        try:
            self.out.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.out / ".lock", os.O_CREAT | os.O_RDWR)
        except OSError as error:
            raise StorageError(
                f"{self.out}: cannot be written ({error.strerror}); choose another folder with --out"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            raise StorageError(
                f"{self.out}: another run is writing here; wait for it, or choose another --out"
            ) from error
        try:
            sweep(self.out)
            yield
        finally:
            os.close(descriptor)

    def connect(self) -> "DuckDBPyConnection":
        """A database over the Parquet files, with bounded memory; spills into the scratch folder."""
        import duckdb

        self.scratch.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(
            config={"memory_limit": MEMORY_LIMIT, "threads": 2, "temp_directory": str(self.scratch)}
        )
        connection.execute("SET preserve_insertion_order = false; SET TimeZone = 'UTC'")
        return connection


def register_claimed(connection: "DuckDBPyConnection", brands: Sequence[BrandProfile]) -> None:
    """View claimed: platform, account_id and brand of every account that a profile names as its own."""
    keys = [(brand.id, *key) for brand in brands for key in sorted(brand.account_keys)]
    names = ("brand", "platform", "account_id")
    rows = [dict(zip(names, key, strict=True)) for key in keys]
    connection.register(
        "claimed", pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name in names]))
    )


def parquet_list(paths: list[Path]) -> str:
    """`read_parquet` over `paths`, as SQL."""
    listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
    return f"read_parquet([{listed}], filename = true, file_row_number = true, union_by_name = true)"
