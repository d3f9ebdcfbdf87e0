"""Hazards of real files: each costs the record it stands in, says so, and nothing else."""

import base64
import codecs
import csv
import io
import json
import os
import shutil
import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pinzhi.errors import UsageError
from pinzhi.readers import Pseudonymiser, discover, read_source
from pinzhi.schemas import CANONICAL
from tests.conftest import ROOT
from tests.unit.readers.helpers import KEY, WEIBO, jsonl, post, read

SAMPLES = [path for path in sorted((ROOT / "tests/data/archives").rglob("*")) if path.is_file()]
CSV = "platform,post_id,text\n"


def ids(path: Path) -> list[str]:
    return [row["post_id"] for row in read(path)["posts"]]


def reasons(path: Path) -> list[str]:
    return [row["reason"] for row in read(path)["rejects"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("kind", ["csv", "json", "jsonl"])
def test_every_encoding_in_every_format(kind: str, encoding: str, tmp_path: Path) -> None:
    rows = [post(str(i), text=f"第{i}杯茶🍵") for i in range(3)]
    if kind == "csv":
        content = CSV + "".join(f"weibo,{row['post_id']},{row['text']}\n" for row in rows)
    elif kind == "json":
        content = json.dumps(rows, ensure_ascii=False)
    else:
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (tmp_path / "posts").write_text(content, encoding)
    tables = read(tmp_path)
    assert [row["text"] for row in tables["posts"]] == ["第0杯茶🍵", "第1杯茶🍵", "第2杯茶🍵"]
    assert tables["rejects"] == []


def test_broken_bytes_cost_their_line(tmp_path: Path) -> None:
    good = json.dumps(post("1"), ensure_ascii=False).encode()
    bad = json.dumps(post("2"), ensure_ascii=False).encode().replace("茶".encode(), b"\xff\xfe")
    (tmp_path / "posts.jsonl").write_bytes(b"\n".join([*[good] * 3, bad, good]))
    (tmp_path / "posts.csv").write_bytes((CSV + "weibo,3,好\nweibo,4,").encode() + b"\xff\nweibo,5,\xe5\xa5\xbd\n")
    found = {(r["source"], r["line"]) for r in read(tmp_path)["rejects"] if "broken bytes" in r["reason"]}
    assert found == {("posts.jsonl", 4), ("posts.csv", 3)}
    assert sorted(ids(tmp_path)) == ["1", "1", "1", "1", "3", "5"]


def test_a_quote_never_closed_costs_one_line(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(CSV + 'weibo,1,好\nweibo,2,"没有关\nweibo,3,好\nweibo,4,好\n', "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["1", "3", "4"]
    assert [(row["line"], row["reason"]) for row in tables["rejects"]] == [(3, "the file ends within a quoted cell")]


def test_line_numbers_count_lines_and_not_rows(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(CSV + 'weibo,1,"两\n行"\nweibo,2\n', "utf-8")
    tables = read(tmp_path)
    assert tables["posts"][0]["text"] == "两\n行"
    assert tables["rejects"][0]["line"] == 4 and "found 2" in tables["rejects"][0]["reason"]


def test_nul_bytes_joined_files_and_repeated_headers(tmp_path: Path) -> None:
    one = CSV + "weibo,1,好\x00茶\n"
    (tmp_path / "posts.csv").write_bytes(
        codecs.BOM_UTF8 + one.encode() + codecs.BOM_UTF8 + one.replace("1", "2").encode()
    )
    tables = read(tmp_path)
    assert [(row["post_id"], row["text"]) for row in tables["posts"]] == [("1", "好茶"), ("2", "好茶")]
    assert tables["rejects"] == []


def test_giant_lines_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pinzhi.readers.lines.MAX_LINE", 200)
    jsonl(tmp_path / "posts.jsonl", post("1"), post("2", text="长" * 500), post("3"))
    (tmp_path / "posts.csv").write_text(f"{CSV}weibo,4,好\nweibo,5,{'长' * 500}\nweibo,6,好\n", "utf-8")
    tables = read(tmp_path)
    assert sorted(row["post_id"] for row in tables["posts"]) == ["1", "3", "4", "6"]
    assert [row["line"] for row in tables["rejects"] if "longer" in row["reason"]] == [3, 2]


def test_lone_surrogates_control_characters_and_nan_are_read(tmp_path: Path) -> None:
    jsonl(
        tmp_path / "posts.jsonl",
        '{"platform": "weibo", "post_id": "1", "text": "半\\ud83d个", "likes": NaN}',
        '{"platform": "weibo", "post_id": "2", "text": "制\x07表\t符"}',
    )
    tables = read(tmp_path)
    assert [(row["text"], row["likes"]) for row in tables["posts"]] == [("半\ufffd个", None), ("制表\t符", None)]
    assert tables["rejects"] == []


def test_a_section_whose_name_is_broken_is_named(tmp_path: Path) -> None:
    data = {"user": {"id": 1}, "weibo": [{"id": 2, "text": "好", "attitudes_count": 3}], "其他\udc95": [{}, {"a": 1}]}
    (tmp_path / "a.json").write_text(json.dumps(data), "utf-8")
    assert [row["field"] for row in read(tmp_path)["rejects"]] == ["其他\ufffd"]


def test_deep_json_is_a_reject(tmp_path: Path) -> None:
    deep = '{"platform": "weibo", "post_id": "2", "text": ' + "[" * 100_000 + "]" * 100_000 + "}"
    jsonl(tmp_path / "a.jsonl", post("1"), deep, post("3"))
    (tmp_path / "b.json").write_text(f"[{json.dumps(post('4'))}, {deep}, {json.dumps(post('5'))}]", "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["1", "3", "4", "5"]
    assert [row["source"] for row in tables["rejects"] if "too deep" in row["reason"]] == ["a.jsonl", "b.json"]


def test_a_fault_within_an_array_costs_one_item(tmp_path: Path) -> None:
    items = [json.dumps(post(str(i)), ensure_ascii=False) for i in range(4)]
    items[1] = items[1].replace('"text":', '"text"')
    (tmp_path / "posts.json").write_text("[" + ",\n".join(items) + "]", "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["0", "2", "3"]
    assert [row["line"] for row in tables["rejects"]] == [2]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    "wrapped",
    [lambda rows: {"code": 0, "msg": "ok", "data": rows}, lambda rows: {"data": {"list": rows, "total": 2}, "success": True},
     lambda rows: [{"code": 0, "data": rows[:1]}, {"code": 0, "data": rows[1:]}], lambda rows: {"data": {"a": rows[:1], "b": {"items": rows[1:]}}}],
)  # fmt: skip
def test_records_within_the_answers_of_an_interface(wrapped: Any, indent: int | None, tmp_path: Path) -> None:
    rows = [post("1", text='夜"里}'), post("2")]
    (tmp_path / "a.json").write_text(json.dumps(wrapped(rows), ensure_ascii=False, indent=indent), "utf-8")
    tables = read(tmp_path)
    assert [(row["post_id"], row["text"]) for row in tables["posts"]] == [(row["post_id"], row["text"]) for row in rows]
    assert tables["rejects"] == []


def test_answers_one_a_line_with_more_in_them_and_a_cut_one(tmp_path: Path) -> None:
    answers = [{"data": [post(str(at))], "keyword": "茶", "tags": ["a"], "log": {}} for at in range(3)]
    path = jsonl(tmp_path / "a.jsonl", *answers)
    path.write_text(path.read_text("utf-8")[:-60], "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]][:2] == ["0", "1"]
    faults = [row["reason"] for row in tables["rejects"]]
    assert all("cut" in fault for fault in faults[:-1]) and faults[-1].endswith("records: keyword, tags")


def test_a_comma_that_was_not_quoted_shifts_nothing(tmp_path: Path) -> None:
    header = "platform,post_id,text,likes,kind\n"
    (tmp_path / "posts.csv").write_text(f"{header}weibo,1,好,3,,,\nweibo,2,好,茶,3,\nweibo,3,好,,,\n", "utf-8")
    tables = read(tmp_path)
    assert [(row["post_id"], row["text"], row["likes"]) for row in tables["posts"]] == [
        ("1", "好", 3),
        ("3", "好", None),
    ]
    assert [row["line"] for row in tables["rejects"]] == [3]


def test_a_carriage_return_within_a_cell_that_was_not_quoted(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes((CSV + 'weibo,1,一\r二\nweibo,2,"三\r四\n五"\r\nweibo,3,好\r\r\n').encode())
    assert [row["text"] for row in read(tmp_path)["posts"]] == ["一\n二", "三\n四\n五", "好"]
    assert reasons(tmp_path) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_lines_that_end_in_carriage_returns(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_bytes(
        (CSV + 'weibo,1,好茶\nweibo,2,"三\n四"\nweibo,3\n').replace("\n", "\r").encode(encoding)
    )
    tables = read(tmp_path)
    assert [row["text"] for row in tables["posts"]] == ["好茶", "三\n四"]
    assert [row["line"] for row in tables["rejects"]] == [5]


def test_objects_within_a_broken_item_are_no_items(tmp_path: Path) -> None:
    broken = '{"platform" "weibo", "text": "}, {", "inner": [{"post_id": "8"}, ' + json.dumps(post("9")) + "]}"
    endless = '{"platform": "weibo, "inner": [{"a": 1}'
    (tmp_path / "posts.json").write_text(
        f"[{json.dumps(post('1'))}, {broken}, {json.dumps(post('2'))}, {endless}, {json.dumps(post('3'))}]", "utf-8"
    )
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["1", "2", "3"]
    assert [row["line"] for row in tables["rejects"]] == [2, 4]


def test_arrays_and_objects_one_after_another(tmp_path: Path) -> None:
    one, two, three = (json.dumps(post(str(at)), ensure_ascii=False, indent=2) for at in (1, 2, 3))
    (tmp_path / "a.json").write_text(f"[{one}]\n[]\n[{two}, 7]\n{three} 好 [{one}]", "utf-8")
    (tmp_path / "b.json").write_text(f"{one}\n{two}", "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["1", "2", "3", "1", "2"]
    assert [(row["source"], row["line"]) for row in tables["rejects"]] == [("a.json", 3), ("a.json", 5)]
    assert "from here on" in tables["rejects"][1]["reason"]


@pytest.mark.parametrize("n", [1, 2])
@pytest.mark.parametrize(("indent", "between"), [(2, "\n"), (None, ""), (None, ",\n")])
def test_records_that_hold_objects_one_after_another(indent: int | None, between: str, n: int, tmp_path: Path) -> None:
    records = [{**post(str(at)), "user": {"id": 7}, "pictures": [{"url": "a"}]} for at in range(n)]
    written = between.join(json.dumps(record, ensure_ascii=False, indent=indent) for record in records)
    (tmp_path / "posts.json").write_text(written + between, "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == [str(at) for at in range(n)] and tables["rejects"] == []


def test_what_follows_an_object_of_arrays_is_named(tmp_path: Path) -> None:
    data = {"user": {"id": 1}, "weibo": [{"id": 2, "text": "好", "attitudes_count": 3}]}
    (tmp_path / "a.json").write_text(json.dumps(data, indent=4) + "\n{}", "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["2"]
    assert ["found more" in row["reason"] for row in tables["rejects"]] == [True]


def test_cut_object_of_arrays_gives_its_whole_items(tmp_path: Path) -> None:
    sample = next(path for path in SAMPLES if path.match("2026-06/*/*/1700000001.json"))
    content = sample.read_text("utf-8")
    (tmp_path / sample.name).write_text(content[: content.index("5210500000000009") + 40], "utf-8")
    tables = read(tmp_path)
    assert [row["post_id"] for row in tables["posts"]] == ["5211000000000001"]
    assert [row["account_id"] for row in tables["accounts"]] == ["1700000001"]
    assert any("cut" in row["reason"] for row in tables["rejects"])


def test_a_bad_cell_is_null_and_named_and_the_record_stays(tmp_path: Path) -> None:
    jsonl(
        tmp_path / "posts.jsonl", post("1", likes="很多", published_at="昨天"), post("", text="无id"), post("5.2E+18")
    )
    tables = read(tmp_path)
    assert [(row["post_id"], row["likes"], row["published_at"]) for row in tables["posts"]] == [("1", None, None)]
    assert [(row["line"], row["field"]) for row in tables["rejects"]] == [
        (1, "published_at"),
        (1, "likes"),
        (2, "post_id"),
        (3, "post_id"),
    ]
    assert json.loads(tables["rejects"][0]["raw"])["published_at"] == "昨天"


def test_ids_rounded_by_a_spreadsheet_are_warned_of(tmp_path: Path) -> None:
    jsonl(tmp_path / "posts.jsonl", *[post(f"52110000000{i:02d}000") for i in range(10, 16)])
    found = read(tmp_path)
    assert len(found["posts"]) == 6
    assert ["spreadsheet" in row["reason"] and row["line"] is None for row in found["rejects"]] == [True]


def _database(path: Path, rows: int) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    columns = ", ".join(WEIBO)
    connection.execute(f"CREATE TABLE weibo_note ({columns})")
    marks = ",".join("?" * len(WEIBO))
    for number in range(rows):
        connection.execute(
            f"INSERT INTO weibo_note VALUES ({marks})", list({**WEIBO, "note_id": 5211000000000001 + number}.values())
        )
    connection.commit()
    return connection


def test_databases_are_left_as_they_are_and_read_with_their_log(tmp_path: Path) -> None:
    path = tmp_path / "sqlite_tables.db"
    connection = _database(path, 1)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("INSERT INTO weibo_note (note_id, content) VALUES (5211000000000077, 'x')")
    connection.commit()
    before = {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()}
    assert "5211000000000077" in ids(path)
    assert {entry.name: entry.read_bytes() for entry in tmp_path.iterdir()} == before
    connection.close()


def test_broken_text_and_damaged_pages_of_a_database(tmp_path: Path) -> None:
    connection = _database(tmp_path / "a.db", 3)
    connection.execute("UPDATE weibo_note SET content = CAST(X'ff41' AS TEXT) WHERE note_id = 5211000000000002")
    connection.commit()
    connection.close()
    _database(tmp_path / "b.db", 3000).close()
    content = bytearray((tmp_path / "b.db").read_bytes())
    content[len(content) // 2 :] = b"\x01" * (len(content) - len(content) // 2)
    (tmp_path / "b.db").write_bytes(bytes(content))
    tables = read(tmp_path)
    assert [r["line"] for r in tables["rejects"] if r["source"] == "a.db"] == [2]
    assert any("damaged" in r["reason"] for r in tables["rejects"] if r["source"] == "b.db")


def test_inputs_that_are_no_archives_each_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    (tmp_path / "noise.db").write_bytes(bytes(range(256)) * 8)
    (tmp_path / "torn.db").write_bytes(b"SQLite format 3\x00" + b"\x00" * 50)
    (tmp_path / "torn.parquet").write_bytes(b"PAR1" + b"x" * 50)
    (tmp_path / "table.xlsx").write_bytes(b"PK\x03\x04")
    (tmp_path / "note.txt").write_text("随便写写\n", "utf-8")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    (tmp_path / "[]").write_text("[]")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / ".hidden").write_text("x")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    found = {row["source"]: row["reason"] for row in read(tmp_path)["rejects"]}
    expected = {"empty.csv": "empty file", "noise.db": "plain text|binary", "torn.db": "damaged", "torn.parquet": "damaged",
                "table.xlsx": "xlsx", "note.txt": "plain text", "other.csv": "fields a, b", "[]": "whole object",
                "pipe": "pipe", ".hidden": "hidden", "dangling": "link to nothing"}  # fmt: skip
    assert found.keys() == expected.keys()
    for name, words in expected.items():
        assert any(word in found[name] for word in words.split("|")), found[name]
    with pytest.raises(UsageError, match="no such file"):
        discover([tmp_path / "missing"])


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "posts.jsonl", post())
    assert len(discover([tmp_path, path])[0]) == 1


def test_digests_change_with_content_and_name_alone(tmp_path: Path) -> None:
    path = jsonl(tmp_path / "posts.jsonl", post())
    first = discover([path])[0][0].digest
    os.utime(path, (0, 0))
    assert discover([path])[0][0].digest == first
    jsonl(path, post(), post("2"))
    assert discover([path])[0][0].digest != first


def test_format_is_found_by_content_whatever_the_name(tmp_path: Path) -> None:
    jsonl(tmp_path / "a.dat", WEIBO)
    (tmp_path / "b.txt").write_text(CSV.replace(",", "\t") + "weibo\t9\t好\n", "utf-8")
    (tmp_path / "c.csv").write_text(json.dumps([post("7")]), "utf-8")
    assert sorted(ids(tmp_path)) == ["5211000000000001", "7", "9"]


@settings(max_examples=80, deadline=2000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(["a.csv", "a.json", "a.jsonl", "a.db", "a.parquet", "a.xlsx", "a.xml"]), data=st.data())
def test_no_bytes_break_a_reader(tmp_path: Path, name: str, data: st.DataObject) -> None:
    head = data.draw(
        st.sampled_from(
            [
                b"",
                b"[",
                b"{",
                b'[{"note_id": ',
                b'"',
                b"PAR1",
                b"SQLite format 3\x00",
                b"PK\x03\x04",
                b"\xff\xfe",
                b"<rss><channel><item><link>https://mp.weixin.qq.com/s/",
                b'<i><chatid>1</chatid><d p="1,1,25,0,1780308600,0,a,1">',
                CSV.encode(),
            ]
        )
    )
    (tmp_path / name).write_bytes(head + data.draw(st.binary(max_size=2000)))
    _read_all(tmp_path)
    (tmp_path / name).unlink()


@settings(max_examples=80, deadline=4000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.sampled_from([path for path in SAMPLES if path.stat().st_size < 60_000]),
    cuts=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 60), st.binary(max_size=30)), min_size=1, max_size=4),
)
def test_no_damaged_sample_breaks_a_reader(tmp_path: Path, seed: Path, cuts: list[tuple[float, int, bytes]]) -> None:
    folder = tmp_path / "archive"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    content = seed.read_bytes()
    for where, length, junk in cuts:
        at = int(where * len(content))
        content = content[:at] + junk + content[at + length :]
    (folder / seed.name).write_bytes(content)
    _read_all(folder)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=80, deadline=4000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.sampled_from([path for path in SAMPLES if path.suffix in (".json", ".jsonl")]), data=st.data())
def test_no_odd_values_break_a_reader(tmp_path: Path, seed: Path, data: st.DataObject) -> None:
    lines = seed.read_text("utf-8").splitlines() if seed.suffix == ".jsonl" else [seed.read_text("utf-8")]
    records = [json.loads(line) for line in lines]
    for _ in range(data.draw(st.integers(1, 4))):
        _replace(records, data)
    (tmp_path / seed.name).write_text("\n".join(map(json.dumps, records)), "utf-8")
    _read_all(tmp_path)
    (tmp_path / seed.name).unlink()


def _replace(node: Any, data: st.DataObject) -> None:
    """Put an odd value somewhere into a JSON value."""
    while node and isinstance(node, dict | list):
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], dict | list) or data.draw(st.booleans()):
            node[key] = data.draw(ODD)
            return
        node = node[key]


def _read_all(folder: Path) -> None:
    sources, rejects = discover([folder])
    assert sources or rejects
    for source in sources:
        for table, batch in read_source(source, Pseudonymiser(KEY)):
            assert batch.schema.equals(CANONICAL[table])
            batch.validate(full=True)


def test_rows_of_any_csv_writer_come_back(tmp_path: Path) -> None:
    texts = ["逗,号", '引"号', "两\n行", "  空 格  ", "尾\t"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["platform", "post_id", "text"])
    writer.writerows(["weibo", str(at), text] for at, text in enumerate(texts))
    (tmp_path / "posts.csv").write_text(out.getvalue(), "utf-8-sig", newline="")
    assert [row["text"] for row in read(tmp_path)["posts"]] == texts


def test_giant_cells_and_headers_of_a_database_cost_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "sqlite_tables.db"
    names = ", ".join(WEIBO)
    with sqlite3.connect(path) as connection:
        connection.execute(f"CREATE TABLE weibo_note ({names})")
        for number in range(3):
            row = {**WEIBO, "note_id": str(number), "content": "好" if number != 1 else "x" * (17 << 20)}
            connection.execute(f"INSERT INTO weibo_note VALUES ({', '.join('?' * len(row))})", tuple(row.values()))
    connection.close()
    tables = read(path)
    assert [row["post_id"] for row in tables["posts"]] == ["0", "2"]
    assert [(row["line"], "below 16 MiB" in row["reason"]) for row in tables["rejects"]] == [(2, True)]
    path.write_bytes(zlib.decompress(base64.b85decode(_ENDLESS)))
    assert "more memory than a table needs" in read(path)["rejects"][0]["reason"]


_ENDLESS = (  # a database, found by fuzzing, whose first row says that it has 2^64 bytes
    "c-rmPyGz4B90%}AD+)r@t&77g1qBhrL2$Ba25AMY8FUKKMk`d~BT~ouYDA$?s#a(%B8Y;h5nAy<>p#=W<FC+Q({gcf)ZzDmgS+n?+#^|jQ<LFES;X_w+L9pS"
    "e$;^&1`T115b`>$j<H+QkMVE3sCSO>*&UDF+B(}m5C8xG00000fPZHPqZWT4z@)sgFdG-e&6T*cCh}217U;fbB*F$c7IVSjFpKFK+|`O5mZDg>l%9RIvPI0X(_B"
    "xroF|#BvC;1lo`{T%2O~2$#LhS~#?w0~9MWs`OU1f6cO|N7erP||826Q0LeyjOvP18w=ab|pt>=pRndZt*p3SVPpK6w())Mn^*L--R6SAMGzTMG@vHfb63Up$h!A"
    "$Py=OyDtqZ8+r&dADC^z=1-YFF}dXqL+)uaS$Sv-80%$yKPN@v7YesM#M1IF<PNYTT~nd0|7A7MG*qCQpA0zRz8kJL<K$uL%D;000000002|H=hk?5TQikJCtJ5^"
    "1^xyUI&1`_XW8L@um"
)
