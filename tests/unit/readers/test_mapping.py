"""Files of any tool by a mapping of columns, and the mapping that is proposed for one."""

import json
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pinzhi.cli import main
from pinzhi.errors import InputError
from pinzhi.readers import discover
from pinzhi.readers.mapping import Mapping
from pinzhi.readers.suggest import suggest
from tests.unit.readers.helpers import jsonl, read, utc, written

REVIEWS = """
name: fruit-shop
platform: fruitshop
when: {columns: [商品]}
tables:
  comments:
    comment_id: {id_of: [商品, 谁, 何时]}
    post_id: 商品
    author_name: 谁
    created_at: [修改于, 何时]
    text: 说了什么
    likes: 有用
"""
HEADER = ["商品", "谁", "何时", "修改于", "说了什么", "有用"]
ROWS = [
    ["竹编果篮", "小鱼儿", "2026年3月2日 10:11", "", "篮子很结实&nbsp;<br>用了三个月没散", "1.2万"],
    ["竹编果篮", "阿木", "2026-03-05 08:00:00", "2026-03-06 09:00:00", "有一根刺扎手了", ""],
]


def write_as(kind: str, path: Path, header: list[str], rows: list[list[str]]) -> Path:
    """Rows in a file of one kind."""
    records = [dict(zip(header, row, strict=True)) for row in rows]
    if kind in ("csv", "xlsx"):
        return written(path, [header, *rows])
    if kind == "tsv":
        path.write_text("\n".join("\t".join(row) for row in [header, *rows]), "gb18030")
    elif kind == "json":
        path.write_text(json.dumps(records), "utf-8")
    elif kind == "jsonl":
        jsonl(path, *records)
    elif kind == "parquet":
        pq.write_table(pa.Table.from_pylist(records), path)
    else:
        with sqlite3.connect(path) as connection:
            connection.execute(f"CREATE TABLE reviews ({', '.join(header)})")
            connection.executemany(f"INSERT INTO reviews VALUES ({', '.join('?' * len(header))})", rows)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "json", "jsonl", "xlsx", "db", "parquet"])
def test_any_kind_of_file_is_read_by_a_mapping_beside_it(kind: str, tmp_path: Path) -> None:
    (tmp_path / "shop.mapping.yaml").write_text(REVIEWS, "utf-8")
    write_as(kind, tmp_path / f"reviews.{kind}", HEADER, ROWS)
    tables = read(tmp_path)
    assert tables["rejects"] == []
    first, second = tables["comments"]
    assert first["text"] == "篮子很结实\n用了三个月没散" or first["text"] == "篮子很结实 \n用了三个月没散"
    assert (first["platform"], first["post_id"], first["likes"]) == ("fruitshop", "竹编果篮", 12000)
    assert first["created_at"] == utc("2026-03-02T02:11") and first["time_precision"] == "minute"
    assert second["created_at"] == utc("2026-03-06T01:00") and second["likes"] is None
    assert first["comment_id"] != second["comment_id"] and first["comment_id"].startswith("x_")


def test_authors_of_mapped_columns_are_hidden_in_rows_and_rejects(tmp_path: Path) -> None:
    (tmp_path / "shop.mapping.yaml").write_text(REVIEWS, "utf-8")
    written(tmp_path / "a.csv", [HEADER, ["竹编果篮", "小鱼儿", "去年", "", "好", "很多"]])
    tables = read(tmp_path, pseudonymise=True)
    assert "小鱼儿" not in json.dumps(tables, ensure_ascii=False, default=str)
    assert {reject["field"] for reject in tables["rejects"]} == {"created_at", "有用"}
    assert all("竹编果篮" in reject["raw"] for reject in tables["rejects"])


def test_one_record_may_fill_several_tables(tmp_path: Path) -> None:
    (tmp_path / "m.mapping.yml").write_text(
        """
name: hotel
tables:
  posts:
    platform: {constant: qunar}
    post_id: hotel.id
    account_id: hotel.id
    title: hotel.name
    text: intro
  comments:
    platform: {constant: qunar}
    comment_id: review.id
    post_id: hotel.id
    text: review.words
  accounts:
    platform: {constant: qunar}
    account_id: hotel.id
    followers: fans
""",
        "utf-8",
    )
    hotel = {
        "hotel": {"id": "7", "name": "江边客栈"},
        "intro": "临江",
        "review": {"id": "70001", "words": "吵"},
        "fans": "1万+",
    }
    jsonl(tmp_path / "hotels.jsonl", hotel, {**hotel, "review": {"id": "70002", "words": ""}})
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["7", "7"]
    assert [row["text"] for row in tables["comments"]] == ["吵"] and tables["rejects"] == []
    assert tables["accounts"][0]["followers"] == 10000


def test_a_mapping_is_asked_before_any_reader_and_part_of_the_digest(tmp_path: Path) -> None:
    jsonl(tmp_path / "posts.jsonl", {"platform": "weibo", "post_id": "1", "text": "茶园开采了"})
    before = discover([tmp_path])[0][0]
    path = tmp_path / "mine.mapping.yaml"
    path.write_text("name: mine\nplatform: weibo\ntables: {posts: {post_id: post_id, title: text}}", "utf-8")
    (source,), rejects = discover([tmp_path])
    assert (before.reader, source.reader, rejects) == ("canonical", "mine", [])
    path.write_text("name: mine\nplatform: weibo\ntables: {posts: {post_id: post_id, text: text}}", "utf-8")
    assert len({before.digest, source.digest, discover([tmp_path])[0][0].digest}) == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: a\nplatform: weibo\ntables:\n  posts:\n    post_id: id\n    likes: {id_off: [x]}", "line 6: tables.posts.likes: expected a column"),
        ("name: a\nplatform: weibo\ntables:\n  notes: {post_id: id}", "line 4: tables: expected tables of posts"),
        ("name: a\nplatform: weibo\ntables:\n  posts:\n    post_id: id\n    views: v", "found views"),
        ("name: a\nplatform: weibo\ntables:\n  posts: {text: t}", "expected the column post_id, found none"),
        ("name: a\ntables:\n  posts: {post_id: id}", "expected the column platform"),
        ("name: a\nplatform: 某个 网站\ntables:\n  posts: {post_id: id}", "line 2: platform"),
        ("name: a\nplatform: weibo\ntables:\n  posts:", "posts: expected columns, found none"),
        ("name: a\nplatform: weibo\ntables:\n  posts: {post_id: [a, {id_of: []}]}", "expected a column, {id_of"),
        ("name: " + "[" * 3000, "nested too deep"),
        ("#" * (2 << 20), "more than 1 MiB"),
        ("- a", "expected a mapping with name and tables, found a single list"),
        ("name: a\nname: b", "key name given twice"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_file_line_and_field(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "a.mapping.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as told:
        discover([path])
    assert said in str(told.value) and str(path) in str(told.value)
    jsonl(tmp_path / "posts.jsonl", {"platform": "weibo", "post_id": "1", "text": "好"})
    sources, rejects = discover([tmp_path])
    assert len(sources) == 1 and said in rejects[0].reason, "one within a folder stops nothing"


@pytest.mark.parametrize(
    ("name", "columns", "table", "reader"),
    [
        ("优酷/评论.csv", {"视频ID": "XNDk1", "评论ID": "9007199254740993", "用户名": "阿木", "评论内容": "看哭了", "评论时间": "2026-03-05", "点赞数": "3"}, "comments", "youku-comments"),
        ("youku_videos.csv", {"vid": "XNDk1", "title": "竹编的一天", "desc": "老师傅", "publishTime": "2026-03-05", "view_count": "1.2万"}, "posts", "youku-videos"),
        ("土豆/comments.csv", {"itemCode": "ab1", "nickname": "阿木", "content": "看哭了", "createTime": "1772400000"}, "comments", "tudou-comments"),
        ("tudou.csv", {"视频编号": "ab1", "标题": "竹编", "描述": "老师傅", "播放次数": "980"}, "posts", "tudou-videos"),
        ("开心网日记.csv", {"标题": "今天", "内容": "编了一只果篮", "发表时间": "2010-03-05 10:00", "浏览数": "12", "评论数": "3"}, "posts", "kaixin-posts"),
        ("kaixin/comments.csv", {"日记ID": "5", "评论ID": "6", "用户名": "阿木", "评论内容": "好看"}, "comments", "kaixin-comments"),
        ("去哪儿点评.csv", {"酒店名称": "江边客栈", "用户名": "阿木", "点评内容": "吵，但早饭好", "点评时间": "2026-03-05"}, "comments", "qunar-reviews"),
        ("百度购物.csv", {"商品名称": "竹编果篮", "用户昵称": "阿木", "评价内容": "结实", "评价时间": "2026-03-05", "评价ID": "88"}, "comments", "baidu-reviews"),
    ],
)  # fmt: skip
def test_platforms_without_an_exporter_have_mappings(
    name: str, columns: dict[str, str], table: str, reader: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    written(path, [list(columns), list(columns.values())])
    (source,), _ = discover([tmp_path])
    assert source.reader == reader
    tables = read(tmp_path)
    (row,) = tables[table]
    assert row["text"] and row["platform"] == reader.partition("-")[0] and tables["rejects"] == []
    ids = {column for column in columns if column in ("评论ID", "vid", "视频编号", "评价ID")}
    key = "comment_id" if table == "comments" else "post_id"
    assert row[key] in {columns[one] for one in ids} if ids else row[key].startswith("x_")
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    written(moved / "t.csv", [list(columns), list(columns.values())])
    assert discover([moved / "t.csv"])[0] == []


def test_sections_are_read_by_whoever_knows_them(tmp_path: Path) -> None:
    path = tmp_path / "优酷.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE videos (vid, title, description)")
        connection.execute("INSERT INTO videos VALUES ('v1', '竹编', '老师傅')")
        connection.execute("CREATE TABLE cmts (vid, comment_id, content)")
        connection.execute("INSERT INTO cmts VALUES ('v1', 'c1', '看哭了')")
    tables = read(path)
    assert ([row["post_id"] for row in tables["posts"]], [row["comment_id"] for row in tables["comments"]]) == (
        ["v1"],
        ["c1"],
    )
    assert tables["rejects"] == [] and discover([path])[0][0].reader == "youku-comments, youku-videos"


def test_a_mapping_leaves_the_other_sections_to_their_reader(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "weibodata.db") as connection:
        connection.execute(
            "CREATE TABLE weibo (id, bid, user_id, screen_name, text, created_at, attitudes_count, comments_count, reposts_count, retweet_id)"
        )
        connection.execute(
            "INSERT INTO weibo VALUES ('5211', 'b', '7', '绿野', '开镰', '2026-03-05 10:00:00', 1, 2, 3, '')"
        )
        connection.execute("CREATE TABLE notes (nid, words)")
        connection.execute("INSERT INTO notes VALUES ('n1', '手记')")
    (tmp_path / "n.mapping.yaml").write_text(
        "name: notes\nplatform: 微博\nwhen: {section: notes}\ntables: {posts: {post_id: nid, text: words}}", "utf-8"
    )
    posts = read(tmp_path)["posts"]
    assert {(row["platform"], row["post_id"], row["text"]) for row in posts} == {
        ("weibo", "5211", "开镰"),
        ("weibo", "n1", "手记"),
    }


def test_a_mapping_counts_below_its_folder_or_where_it_is_named(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        jsonl(tmp_path / name / "posts.jsonl", {"platform": "weibo", "post_id": name, "text": "好"})
    mapping = tmp_path / "a" / "m.mapping.yaml"
    mapping.write_text("name: mine\nplatform: other\ntables: {posts: {post_id: post_id, text: text}}", "utf-8")
    assert [source.reader for source in discover([tmp_path / "a", tmp_path / "b"])[0]] == ["mine", "canonical"]
    assert [source.reader for source in discover([mapping, tmp_path / "b"])[0]] == ["mine"]


@pytest.mark.parametrize("name", ["BaiduNetdiskDownload/小红书点评.csv", "百度贴吧评论.csv"])
def test_a_name_further_up_or_of_another_makes_no_platform(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    written(path, [["商品名称", "用户昵称", "评价内容", "评价时间"], ["果篮", "阿木", "结实", "2026-03-05"]])
    assert discover([path])[0] == []


def test_authors_within_authors_are_hidden_too(tmp_path: Path) -> None:
    (tmp_path / "m.mapping.yaml").write_text(
        "name: m\nplatform: shop\ntables: {comments: {comment_id: id, author_id: reviewer.key, author_name: reviewer.handle, text: t, likes: n}}",
        "utf-8",
    )
    jsonl(tmp_path / "c.jsonl", {"id": "1", "t": "好", "n": "很多", "reviewer": {"handle": "王小明", "key": "u-778"}})
    shown = json.dumps(read(tmp_path, pseudonymise=True), ensure_ascii=False, default=str)
    assert "王小明" not in shown and "u-778" not in shown


@pytest.mark.parametrize("kind", ["csv", "json", "jsonl", "xlsx", "db", "parquet"])
def test_a_proposed_mapping_reads_the_file(kind: str, tmp_path: Path) -> None:
    header = ["商品名称", "买家昵称", "评价时间", "评价内容", "有用数", "会员等级"]
    rows = [
        ["竹编果篮", "小鱼儿", "2026-03-02 10:11:00", "篮子很结实", "3", "PLUS"],
        ["果篮", "阿木", "2026-03-05 08:00:00", "扎手了", "", ""],
    ]
    path = write_as(kind, tmp_path / f"reviews.{kind}", header, rows)
    if kind == "db":
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE logins (token)")
            connection.execute("INSERT INTO logins VALUES ('abc')")
    assert discover([tmp_path])[0] == []
    proposed = suggest(path).replace("platform-name", "shop")
    (tmp_path / "p.mapping.yaml").write_text(proposed, "utf-8")
    tables = read(tmp_path)
    assert [row["text"] for row in tables["comments"]] == ["篮子很结实", "扎手了"]
    assert [row["likes"] for row in tables["comments"]] == [3, None]
    assert [row["author_name"] for row in tables["comments"]] == ["小鱼儿", "阿木"]
    assert '"会员等级"' in proposed.splitlines()[-1]


@pytest.mark.parametrize(
    ("header", "cells", "table", "expected"),
    [
        ("话题ID,标题,作者,发表时间,正文,回应数,喜欢数", "300000001,求推荐,阿,2026-09-01 10:00:00,有没有好喝的茶,12,3", "posts",
         {"post_id": "话题ID", "comments": "回应数", "likes": "喜欢数"}),
        ("mid,content,pub_time,praise_num,repost_num,comment_num,uname", "5211000000000801,早,2026-09-01 10:00,1,2,3,a", "posts",
         {"post_id": "mid", "likes": "praise_num", "reposts": "repost_num", "comments": "comment_num"}),
        ("BV号,视频标题,UP主,播放量,点赞,发布时间,简介", "BV1xx,题,阿,1.2万,4,2026-09-01 10:00,简", "posts",
         {"post_id": "BV号", "account_id": "UP主", "reads": "播放量"}),
        ("评论ID,上级评论,帖子编号,评论人,评论,日期,赞同", "8,7,p1,a,好,2026-09-01,2", "comments",
         {"comment_id": "评论ID", "parent_id": "上级评论", "post_id": "帖子编号", "likes": "赞同"}),
        ("id,text,created,likeNum,shareNum,viewNum", "1,早上好,2026-09-01T10:00:00,1,2,4", "posts",
         {"published_at": "created", "likes": "likeNum", "reposts": "shareNum", "reads": "viewNum"}),
    ],
)  # fmt: skip
def test_a_proposal_knows_what_columns_are_called(
    header: str, cells: str, table: str, expected: dict[str, str], tmp_path: Path
) -> None:
    path = written(tmp_path / "a.csv", [header.split(","), cells.split(",")])
    columns = yaml.safe_load(suggest(path))["tables"][table]
    assert {name: columns.get(name) for name in expected} == expected


def test_a_proposal_knows_fields_within_fields_counts_and_the_platform(tmp_path: Path) -> None:
    record: dict[str, Any] = {
        "vid": "XNDk1", "title": "竹编的一天", "desc": "老师傅", "pubtime": 1772400000,
        "stat": {"view": "1.2万", "like": "300", "reply": 12}, "owner": {"mid": "88"}, "link": "https://v.youku.com/1",
    }  # fmt: skip
    path = jsonl(tmp_path / "v.jsonl", record, {**record, "vid": "XNDk2"})
    found = Mapping.model_validate(yaml.safe_load(suggest(path)))
    assert found.platform == "youku"
    columns = {name: places[0] for name, places in found.tables["posts"].items()}
    assert columns == {
        "post_id": "vid", "account_id": "owner.mid", "published_at": "pubtime", "title": "title", "text": "desc",
        "likes": "stat.like", "comments": "stat.reply", "reads": "stat.view", "url": "link",
    }  # fmt: skip


def test_cells_speak_against_a_name(tmp_path: Path) -> None:
    path = written(
        tmp_path / "a.csv",
        [["id", "评论", "内容", "时间"], ["1", "12", "今天开张", "2026-03-05"], ["2", "3", "歇业", "2026-03-06"]],
    )
    columns = yaml.safe_load(suggest(path))["tables"]["posts"]
    assert columns["comments"] == "评论" and columns["text"] == "内容"


TABLES = [
    ("笔记链接,笔记标题,笔记内容,博主昵称,博主ID,发布时间,点赞数", "https://x.cn/1,开镰,早稻,绿野,77,2026-03-05,3;https://x.cn/2,歇雨,雨大,绿野,77,2026-03-06,1",
     "posts", {"post_id": "笔记链接", "account_id": "博主ID", "text": "笔记内容"}),
    ("文章标题,留言人,留言内容,留言时间,作者回复,点赞", "开镰,阿木,地的工钱单列吗,2026-03-05 10:00,单列一栏的，放心。,3;开镰,小鱼,看哭了,2026-03-05 11:00,谢谢你，常来。,1",
     "comments", {"author_name": "留言人", "text": "留言内容", "created_at": "留言时间", "post_id": "文章标题"}),
    ("序号,会员名,评价内容,评价时间,商品属性,评论数", "1,j***x,结实耐用,2026-03-05,大号,0;2,阿木,有刺,2026-03-06,小号,1",
     "comments", {"author_name": "会员名", "text": "评价内容"}),
    ("评论用户,用户主页,评论内容,评论时间,点赞数", "阿木,https://x.cn/u/1,好看,2026-03-05 10:00,1;小鱼,https://x.cn/u/2,想去,2026-03-05 11:00,2",
     "comments", {"author_name": "评论用户", "text": "评论内容"}),
    ("问题,回答者,回答内容,发布于,赞同数,评论数", "竹编怎么学,阿木,先学破篾，再学编。,2026-03-05,30,2;竹编怎么学,小鱼,找师傅。,2026-03-06,4,0",
     "posts", {"account_id": "回答者", "published_at": "发布于", "likes": "赞同数", "text": "回答内容"}),
    ("发布人,微博内容,发布时间,转发数,评论数,点赞数", "绿野,开镰了,2026-03-05 10:00,1,2,3;岚岗,歇雨,2026-03-05 11:00,0,0,1",
     "posts", {"account_id": "发布人", "text": "微博内容", "reposts": "转发数"}),
    ("店铺名称,用户昵称,评价内容,评价时间", "江边小馆,阿木,辣得过瘾,2026-03-05;江边小馆,小鱼,等位久,2026-03-06", "comments", {"post_id": "店铺名称"}),
    ("达人ID,达人昵称,粉丝数,作品数", "77,绿野,1.2万,300;78,岚岗,3万,12", "accounts", {"account_id": "达人ID", "name": "达人昵称", "followers": "粉丝数"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "cells", "table", "columns"), TABLES, ids=lambda one: one[:12] if isinstance(one, str) else ""
)
def test_tables_as_people_keep_them(
    header: str, cells: str, table: str, columns: dict[str, str], tmp_path: Path
) -> None:
    path = written(tmp_path / "t.csv", [header.split(","), *(row.split(",") for row in cells.split(";"))])
    ((found, mapped),) = yaml.safe_load(suggest(path))["tables"].items()
    assert found == table and {name: mapped.get(name) for name in columns} == columns


@pytest.mark.parametrize(
    "columns", [("user.nickname", "note.id", "content"), ("用户名 ", "评论内容\u3000", "评论时间")]
)
def test_a_proposal_fits_columns_with_dots_and_spaces(columns: tuple[str, ...], tmp_path: Path) -> None:
    rows = [dict(zip(columns, ("阿木", "7", "2026-03-05 10:00") if "时间" in columns[2] else ("阿木", "7", "好看"), strict=True)),
            dict(zip(columns, ("小鱼", "8", "2026-03-05 11:00") if "时间" in columns[2] else ("小鱼", "8", "想去"), strict=True))]  # fmt: skip
    if "时间" in columns[2]:
        rows = [{**row, columns[1]: text} for row, text in zip(rows, ("好看", "想去"), strict=True)]
    path = jsonl(tmp_path / "c.jsonl", *rows)
    (tmp_path / "p.mapping.yaml").write_text(suggest(path).replace("platform-name", "shop"), "utf-8")
    tables = read(tmp_path)
    assert [row["text"] for row in tables["comments"] or tables["posts"]] == ["好看", "想去"]


def test_a_file_without_words_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="by hand"):
        suggest(written(tmp_path / "a.csv", [["x", "y"], ["1", "2"]]))
    with pytest.raises(InputError, match="none to map"):
        suggest(jsonl(tmp_path / "a.py", "print(1)"))


def test_the_command_wants_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = written(tmp_path / "a.csv", [["标题", "内容"], ["开张", "今天开张"], ["歇业", "今天歇业"]])
    assert main(["inspect", str(path), "--suggest"]) == 0
    assert yaml.safe_load(capsys.readouterr().out)["tables"]["posts"]["text"] == "内容"
    assert main(["inspect", str(tmp_path), "--suggest"]) == 2
    assert "one file" in capsys.readouterr().err


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8), min_size=2, max_size=6, unique=True
    ),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_any_table_gets_a_mapping_that_loads_or_a_reason(names: list[str], data: st.DataObject) -> None:
    import tempfile

    cells = data.draw(st.lists(st.lists(st.text(max_size=12), min_size=len(names), max_size=len(names)), max_size=3))
    names[0] = f"内容{names[0]}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.jsonl"
        path.write_text("\n".join(json.dumps(dict(zip(names, row, strict=True))) for row in cells), "utf-8")
        try:
            proposed = suggest(path)
        except InputError:
            return
        found = Mapping.model_validate(yaml.safe_load(proposed))
        assert {
            place
            for places in found.tables.values()
            for one in places.values()
            for place in one
            if isinstance(place, str)
        } <= set(names)


def test_tables_of_tools_that_fill_a_database(tmp_path: Path) -> None:
    tables = {
        "weibo_data.csv": "id,weibo_id,weibo_cont,repost_num,comment_num,praise_num,uid,is_origin,create_time\n"
        "1,4000000000000001,好&gt;,1,2,1.2万,17,1,2018-05-06 07:08\n",
        "weibo_comment.csv": "id,comment_id,comment_cont,weibo_id,user_id,create_time\n1,4000000000000002,嗯,4000000000000001,18,2018-05-06 07:09:10\n",
        "weibo_repost.csv": "id,user_id,user_name,weibo_id,parent_user_id,repost_time,repost_cont,root_weibo_id\n"
        "1,18,m,4000000000000003,17,2018-05-06 07:10:00,转,4000000000000001\n",
        "wechat_account.csv": "id,__biz,account,head_url,summary,qr_code,verify\n1,MzFake==,青屿,,,,\n",
        "wbuser.csv": "id,uid,name,verify_type,follows_num,fans_num,wb_num\n1,17,n,0,3,4,5\n",
        "wechat_article.csv": "sn,account,title,author,publish_time,comment_id,content_html\nabc,gh_1,题,a,2018-05-06 07:08:09,0,<p>文</p>\n",
        "wechat_article_dynamic.csv": "sn,read_num,like_num,comment_count\nabc,100001,5,0\n",
        "wechat_article_comment.csv": "comment_id,nick_name,logo_url,content,create_time,content_id,like_num\n9,\\N,,赞,2018-05-06 08:00:00,77,3\n",
    }
    for name, content in tables.items():
        (tmp_path / name).write_text(content, "utf-8")
    found = read(tmp_path)
    assert found["rejects"] == []
    posts = [(row["platform"], row["post_id"], row["text"], row["likes"], row["reads"]) for row in found["posts"]]
    assert posts == [
        ("wechat", "abc", "文", None, None), ("wechat", "abc", "", 5, 100_001), ("weibo", "4000000000000001", "好>", 12_000, None),
        ("weibo", "4000000000000003", "转", None, None),
    ]  # fmt: skip
    assert (found["posts"][-1]["kind"], found["posts"][-1]["reposted_post_id"]) == ("repost", "4000000000000001")
    assert [(row["comment_id"], row["post_id"], row["likes"]) for row in found["comments"]] == [
        ("77", None, 3), ("4000000000000002", "4000000000000001", None)
    ]  # fmt: skip
    assert found["comments"][0]["author_name"] is None  # \\N of MySQL
    assert [(row["account_id"], row["name"], row["followers"], row["posts"]) for row in found["accounts"]] == [
        ("17", "n", 4, 5), ("MzFake==", "青屿", None, None)
    ]  # fmt: skip


def test_times_told_from_the_moment_of_reading(tmp_path: Path) -> None:
    header = ["帖子id", "发布时间", "内容", "点赞", "采集时间"]
    rows = [
        ["1", "昨天 12:30", "好茶", "赞", "2026-09-21 21:00"],
        ["2", "3小时前", "好水", "3", "2026-09-21 21:00"],
        ["3", "09-21", "好杯", "1w", ""],
    ]
    path = written(tmp_path / "a.csv", [header, *rows])
    (tmp_path / "a.mapping.yaml").write_text(suggest(path).replace("platform-name", "shop"), "utf-8")
    tables = read(tmp_path)
    told = [(row["published_at"], row["time_precision"], row["likes"]) for row in tables["posts"]]
    assert told == [
        (utc("2026-09-20T04:30"), "minute", None),
        (utc("2026-09-20T16:00"), "day", 3),
        (None, None, 10_000),
    ]
    assert [row["line"] for row in tables["rejects"]] == [4]


@pytest.mark.parametrize("key", ["{id_of: [标题, 何时]}", "标题"])
def test_a_row_that_sums_others_up_is_no_post(key: str, tmp_path: Path) -> None:
    written(
        tmp_path / "a.csv", [["标题", "何时", "赞"], ["合计", "2026-09-01", "2"], ["茶", "", "3"], ["合计", "", "5"]]
    )
    columns = f"{{post_id: {key}, title: 标题, text: 标题, published_at: 何时, likes: 赞}}"
    (tmp_path / "a.mapping.yaml").write_text(f"name: a\nplatform: shop\ntables: {{posts: {columns}}}\n", "utf-8")
    tables = read(tmp_path)
    assert [(row["title"], row["likes"]) for row in tables["posts"]] == [("合计", 2), ("茶", 3)]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [(4, "标题")]
