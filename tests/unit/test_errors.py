"""What errors of the system and of libraries are called, and the exit code they end with."""

import errno
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pinzhi.cli.errors import explain

READERS: dict[str, Callable[[Path], object]] = {
    "python": Path.read_bytes,
    "a path alone": pq.read_table,
    "a sentence": pq.ParquetFile,
}


@pytest.mark.parametrize("how", READERS)
def test_a_missing_input_is_named_whoever_misses_it(how: str, tmp_path: Path) -> None:
    path = tmp_path / "train.parquet"
    with pytest.raises(FileNotFoundError) as caught:
        READERS[how](path)
    said, code = explain(caught.value)
    assert code == 2 and str(path) in said and "expected a readable file" in said
    assert "output" not in said and "disk" not in said


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "disk full"), (errno.EROFS, "read-only"), (errno.EACCES, "closed"), (errno.EIO, "check the disk")],
)
def test_an_output_that_cannot_be_written_is_no_fault_of_the_input(number: int, says: str) -> None:
    said, code = explain(OSError(number, "no"))
    assert code == 4 and says in said
