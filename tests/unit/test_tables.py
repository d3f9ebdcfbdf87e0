"""Tables on disk: any reader sees them whole, and a write that fails leaves what was there."""

import errno
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pinzhi import schemas
from pinzhi.errors import InputError, StorageError
from pinzhi.tables import check, read_file, read_table, write_parquet, write_partitions
from tests.conftest import at, posts


@pytest.fixture
def written(tmp_path: Path) -> Path:
    table = posts({"platform": "weibo"}, {"platform": "douyin"}, {"platform": "weibo", "published_at": None})
    write_partitions(table, tmp_path / "posts", schemas.POSTS, "published_at")
    return tmp_path / "posts"


def test_partitions_lie_under_platform_and_month(written: Path) -> None:
    found = sorted(str(path.relative_to(written)) for path in written.rglob("*.parquet"))
    assert found == [
        "platform=douyin/month=2026-09/part-0.parquet",
        "platform=weibo/month=2026-09/part-0.parquet",
        "platform=weibo/month=unknown/part-0.parquet",
    ]


PLATFORMS = ["a.b/c d", "weibo", "weibo", "小红书"]


@pytest.mark.parametrize("read", ["pyarrow", "dataset", "pandas", "duckdb", "ours"])
def test_every_common_reader_sees_the_platform_of_every_row(tmp_path: Path, read: str) -> None:
    import duckdb
    import pandas as pd
    from pyarrow import dataset

    root = tmp_path / "posts"
    write_partitions(posts(*({"platform": name} for name in PLATFORMS)), root, schemas.POSTS, "published_at")
    platforms = {
        "pyarrow": lambda: pq.read_table(root)["platform"].to_pylist(),
        "dataset": lambda: dataset.dataset(root, partitioning="hive").to_table()["platform"].to_pylist(),
        "pandas": lambda: pd.read_parquet(root)["platform"].tolist(),
        "duckdb": lambda: [p for (p,) in duckdb.sql(f"SELECT platform FROM '{root}/**/*.parquet'").fetchall()],
        "ours": lambda: read_table(root, schemas.POSTS)["platform"].to_pylist(),
    }
    assert sorted(platforms[read]()) == PLATFORMS


def test_a_table_without_rows_is_there_with_its_columns(tmp_path: Path) -> None:
    root = tmp_path / "posts"
    write_partitions(schemas.POSTS.empty_table(), root, schemas.POSTS, "published_at")
    assert pq.read_table(root).schema.equals(schemas.POSTS)
    write_partitions(posts({}), root, schemas.POSTS, "published_at")
    assert [path.parent.name for path in root.rglob("*.parquet")] == ["month=2026-09"]
    assert read_table(root, schemas.POSTS).schema.equals(schemas.POSTS)


def test_a_partition_that_is_empty_now_is_gone(written: Path) -> None:
    write_partitions(posts({"platform": "weibo", "published_at": at(1)}), written, schemas.POSTS, "published_at")
    assert [path.parent.parent.name for path in written.rglob("*.parquet")] == ["platform=weibo"]


def test_a_platform_cannot_name_another_folder(tmp_path: Path) -> None:
    (path,) = write_partitions(posts({"platform": "../../x"}), tmp_path / "posts", schemas.POSTS, None)
    assert path.resolve().is_relative_to((tmp_path / "posts").resolve())


def test_wrong_columns_are_named() -> None:
    with pytest.raises(InputError, match="post_id"):
        check(pa.table({"platform": ["weibo"], "text": ["好"]}), schemas.POSTS)
    with pytest.raises(InputError, match=r"text.*no nulls"):
        check(pa.table({"platform": ["weibo"], "post_id": ["1"], "text": pa.nulls(1, pa.string())}), schemas.POSTS)


@pytest.mark.parametrize(("code", "says"), [(errno.ENOSPC, "disk is full"), (errno.EROFS, "cannot be written")])
def test_a_write_that_fails_leaves_the_old_table(
    code: int, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "part.parquet"
    write_parquet(posts({"text": "旧"}), path, schemas.POSTS)

    def fail(*_: Any) -> None:
        raise OSError(code, "no")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StorageError, match=says):
        write_parquet(posts({"text": "新"}), path, schemas.POSTS)
    assert pq.read_table(path)["text"].to_pylist() == ["旧"]
    assert [file.name for file in tmp_path.iterdir()] == ["part.parquet"]


def test_a_damaged_file_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(InputError, match="expected Parquet"):
        read_file(tmp_path / "x.parquet", schemas.POSTS)
