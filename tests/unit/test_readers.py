import json
import shutil
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinzhi.convert import convert
from pinzhi.errors import InputError, UsageError
from pinzhi.readers import Pseudonymiser, discover, read_source
from pinzhi.readers.values import BadValue, count, identifier, milliseconds, text, time
from pinzhi.schemas import CANONICAL
from pinzhi.tables import read_table
from tests.conftest import ROOT

ARCHIVES = ROOT / "tests" / "data" / "archives"
EXPECTED = {  # platform -> posts, comments; as the format description states them
    "mediacrawler/2026-08_hashed_ids": {"xiaohongshu": (2, 3), "douyin": (1, 2), "kuaishou": (1, 2), "bilibili": (1, 3),
                                        "weibo": (2, 2), "tieba": (1, 3), "zhihu": (2, 2)},
    "mediacrawler/2026-05_full_ids": {"xiaohongshu": (2, 3), "douyin": (1, 2), "kuaishou": (1, 2), "bilibili": (1, 3),
                                      "weibo": (2, 2), "tieba": (1, 3), "zhihu": (2, 2)},
    "mediacrawler/2024-09_numbered": {"xiaohongshu": (2, 3), "weibo": (2, 2)},
    "weibo-crawler/2022-03_date_only": {"weibo": (3, 1)},
    "weibo-crawler/2023-12_shifted_header": {"weibo": (3, 0)},
    "weibo-crawler/2025-07_shifted_header": {"weibo": (3, 1)},
    "weibo-crawler/2026-06": {"weibo": (3, 2)},
    "weiboSpider": {"weibo": (2, 0)},
    "weibo-search": {"weibo": (2, 0)},
    "nghuyong-WeiboSpider": {"weibo": (2, 2)},
    "weibo-archiver": {"weibo": (4, 1)},
    "DouK-Downloader": {"douyin": (1, 2)},
    "XHS-Downloader": {"xiaohongshu": (2, 0)},
    "Spider_XHS": {"xiaohongshu": (2, 3)},
    "wechat-article-exporter": {"wechat": (2, 2)},
    "wewe-rss": {"wechat": (1, 0)},
    "bilibili_crawler": {"bilibili": (0, 2)},
    "bilibili_danmaku": {"bilibili": (0, 2)},
    "qzoneexport": {"qq": (1, 2)},
    "renrenBackup": {"renren": (4, 1)},
    "tb_comment": {"taobao": (0, 2)},
    "tieba-thread-archive": {"tieba": (1, 5)},
    "site": {"site": (2, 2)},
    "canonical": {"weibo": (1, 1)},
    "backoffice": {"xiaohongshu": (2, 0), "douyin": (1, 0), "wechat": (1, 0)},
}  # fmt: skip


def read(path: Path, tmp: Path, keep: bool = True) -> dict[str, list[dict[str, Any]]]:
    convert([path], tmp / "out", None if keep else Pseudonymiser(b"k" * 32))
    return {table: read_table(tmp / "out" / table, schema).to_pylist() for table, schema in CANONICAL.items()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_row_counts_after_the_newest_observation_won(name: str, tmp_path: Path) -> None:
    tables = read(ARCHIVES / name, tmp_path)
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for at, table in enumerate(("posts", "comments")):
        for row in tables[table]:
            found[row["platform"]][at] += 1
    assert {platform: tuple(n) for platform, n in found.items()} == EXPECTED[name]


def test_creators_become_accounts(tmp_path: Path) -> None:
    accounts = {
        (a["platform"], a["account_id"]): a
        for a in read(ARCHIVES / "mediacrawler/2026-05_full_ids", tmp_path)["accounts"]
    }
    assert accounts["weibo", "1700000001"]["followers"] == 664000
    assert accounts["bilibili", "40010001"]["followers"] == 873002
    assert accounts["douyin", "MS4wLjABAAAAfakeSecUid01"]["followers"] == 126000


@pytest.mark.parametrize("version", ["2026-05_full_ids", "2026-08_hashed_ids", "2024-09_numbered"])
def test_weibo_times_are_right_whatever_the_clock_of_the_tool(version: str, tmp_path: Path) -> None:
    posts = {row["post_id"]: row for row in read(ARCHIVES / "mediacrawler" / version, tmp_path)["posts"]}
    assert posts["5211000000000001"]["published_at"] == datetime(2026, 9, 1, 1, 30, tzinfo=UTC)
    assert posts["5211000000000001"]["reposts"] == 1_000_000
    assert posts["5211000000000001"]["count_floors"] == ["reposts"]
    assert posts["5211000000000001"]["text"].endswith(">>")


@pytest.mark.parametrize(
    "version", ["2022-03_date_only", "2023-12_shifted_header", "2025-07_shifted_header", "2026-06"]
)
def test_weibo_crawler_rows_are_read_by_their_cells_not_their_header(version: str, tmp_path: Path) -> None:
    csv = next((ARCHIVES / "weibo-crawler" / version).rglob("1700000001.csv"))
    posts = {row["post_id"]: row for row in read(csv, tmp_path)["posts"]}
    assert set(posts) == {"5211000000000001", "5210500000000009", "5210400000000007"}
    repost, original = posts["5210500000000009"], posts["5210400000000007"]
    assert repost["reposted_post_id"] == "5210400000000007"
    assert (repost["likes"], repost["comments"], repost["reposts"]) == (12, 3, 1)
    assert original["account_id"] == "1700000002" and original["likes"] == 12000
    assert repost["account_id"] == "1700000001"
    assert repost["time_precision"] == ("day" if version.startswith("2022") else "second")


def test_parents_of_roots_are_null(tmp_path: Path) -> None:
    comments = {c["comment_id"]: c for c in read(ARCHIVES / "mediacrawler/2026-05_full_ids", tmp_path)["comments"]}
    assert comments["5211000100000001"]["parent_id"] is None  # its own id
    assert comments["7545020000000000001"]["parent_id"] is None  # '0'
    assert comments["7545020000000000002"]["parent_id"] == "7545020000000000001"


def test_authors_are_pseudonyms_by_default_and_join(tmp_path: Path) -> None:
    rows = read(ARCHIVES / "mediacrawler/2026-05_full_ids", tmp_path, keep=False)
    authors = [c["author_id"] for c in rows["comments"]]
    assert all(a is None or a.startswith("a_") for a in authors)
    assert "光圈老韩" not in json.dumps([c["author_name"] for c in rows["comments"]], ensure_ascii=False)


@pytest.mark.parametrize(
    ("cell", "expected"),
    [("1.2万", (12000, False)), ("10万+", (100000, True)), ("1.3亿", (130000000, False)), ("1,024", (1024, False)),
     ("None", (None, False)), ("", (None, False)), ("-1", (None, False)), ("0", (0, False)), (0, (0, False)), ("1千+", (1000, True))],
)  # fmt: skip
def test_counts(cell: object, expected: tuple[int | None, bool]) -> None:
    assert count(cell) == expected


def test_ids_are_never_floats() -> None:
    assert identifier("5211000000000001\t") == "5211000000000001"
    with pytest.raises(BadValue, match="last digits"):
        identifier(5.211e18)


def test_times_say_how_much_they_know() -> None:
    assert time("2026-09-01") == (milliseconds(datetime(2026, 8, 31, 16, tzinfo=UTC)), "day")
    assert time("2026-09-01 09:30") == (milliseconds(datetime(2026, 9, 1, 1, 30, tzinfo=UTC)), "minute")
    assert time(1788226200) == time(1788226200000) == (1788226200000, "second")
    assert time("Tue Sep 01 09:30:00 +0800 2026") == (1788226200000, "second")
    assert time("1970-01-01 08:00:00") == (None, None)


def test_pictures_of_emoji_become_their_codes() -> None:
    assert text('暗部<img alt=[赞] src="x"/>好&gt;&gt;<br/>行') == "暗部[赞]好>>\n行"


def _rejects(folder: Path) -> list[str]:
    sources, unread = discover([folder])
    reasons = [reject.reason for reject in unread]
    for source in sources:
        for table, batch in read_source(source, None):
            if table == "rejects":
                reasons += batch.column("reason").to_pylist()
    return reasons


def test_cut_last_line_is_a_reject_and_the_rest_is_read(tmp_path: Path) -> None:
    line = json.dumps({"platform": "weibo", "post_id": "1", "text": "好"}, ensure_ascii=False)
    (tmp_path / "posts.jsonl").write_text(line + "\n" + line.replace('"1"', '"2"') + '\n{"platform": "wei', "utf-8")
    tables = read(tmp_path, tmp_path / "o")
    assert [row["post_id"] for row in tables["posts"]] == ["1", "2"]
    assert tables["rejects"][0]["line"] == 3


def test_cut_json_array_gives_its_whole_items(tmp_path: Path) -> None:
    items = json.dumps([{"platform": "weibo", "post_id": str(i), "text": "好"} for i in range(5)], ensure_ascii=False)
    (tmp_path / "posts.json").write_text(items[:-20], "utf-8")
    tables = read(tmp_path, tmp_path / "o")
    assert len(tables["posts"]) == 4 and "cut" in tables["rejects"][0]["reason"]


def test_gbk_and_bom(tmp_path: Path) -> None:
    content = "platform,post_id,text\nweibo,1,今天的茶很好喝\n"
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / "posts.csv").write_bytes(content.encode("gb18030"))
    (tmp_path / "b" / "posts.csv").write_bytes(b"\xef\xbb\xbf" + content.replace(",1,", ",2,").encode())
    texts = {row["post_id"]: row["text"] for row in read(tmp_path, tmp_path / "o")["posts"]}
    assert texts == {"1": "今天的茶很好喝", "2": "今天的茶很好喝"}


def test_gbk_behind_a_bom_of_utf8(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes(
        b"\xef\xbb\xbf" + "platform,post_id,text\nweibo,1,今天的茶很好喝\n".encode("gb18030")
    )
    assert [row["text"] for row in read(tmp_path, tmp_path / "o")["posts"]] == ["今天的茶很好喝"]


def test_newest_observation_wins_and_a_narrower_row_is_matched_by_width(tmp_path: Path) -> None:
    source = ARCHIVES / "mediacrawler/2026-05_full_ids/kuaishou/csv/search_contents_2026-05-21.csv"
    newer = ARCHIVES / "mediacrawler/2026-08_hashed_ids/kuaishou/jsonl/search_contents_2026-09-21.jsonl"
    record = json.loads(newer.read_text("utf-8").splitlines()[0])
    header = ["video_id", "video_type", "title", "desc", "create_time", "creator_hash", "nickname", "liked_count", "viewd_count", "last_modify_ts", "video_url", "video_cover_url", "video_play_url", "source_keyword"]  # fmt: skip
    row = ",".join(str(record[name]) if name != "liked_count" else "9999" for name in header)
    target = tmp_path / "kuaishou" / "csv" / source.name
    target.parent.mkdir(parents=True)
    target.write_text(source.read_text("utf-8-sig") + row + "\n", "utf-8-sig")
    posts = read(tmp_path, tmp_path / "o")["posts"]
    assert [p["likes"] for p in posts] == [9999]


def test_what_no_reader_knows_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    (tmp_path / "table.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "picture.jpg").write_bytes(b"\xff\xd8")
    reasons = "\n".join(_rejects(tmp_path))
    for part in ("empty", "no reader knows", "xlsx", "skipped: a picture"):
        assert part in reasons
    with pytest.raises(InputError, match="pinzhi inspect"):
        convert([tmp_path], tmp_path / "o", None)
    with pytest.raises(UsageError, match="no such file"):
        discover([tmp_path / "missing"])


def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "outside.jsonl").write_text('{"platform": "weibo", "post_id": "1", "text": "x"}\n')
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "posts.jsonl").symlink_to(tmp_path / "outside.jsonl")
    assert _rejects(tmp_path / "in") == [
        "a link that leads out of the archive is not followed; name its target as an archive of its own"
    ]


SEEDS = [path for path in sorted(ARCHIVES.rglob("*")) if path.suffix in (".csv", ".json", ".jsonl", ".db", ".xml")]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from(SEEDS), at=st.integers(0, 4000), junk=st.binary(max_size=40), cut=st.booleans())
def test_no_mutated_file_breaks_a_reader(tmp_path: Path, seed: Path, at: int, junk: bytes, cut: bool) -> None:
    folder = tmp_path / "weibo"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    content = seed.read_bytes()
    at = min(at, len(content))
    (folder / seed.name).write_bytes(content[:at] + junk + (b"" if cut else content[at + len(junk) :]))
    for source in discover([folder])[0]:
        for table, batch in read_source(source, Pseudonymiser(b"k" * 32)):
            assert batch.schema.equals(CANONICAL[table])
