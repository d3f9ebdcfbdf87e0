import json
import stat
from pathlib import Path

import pytest

from pinzhi.errors import StorageError
from pinzhi.readers import Pseudonymiser, load_key
from pinzhi.readers.pseudonym import Redactor, mask_private
from pinzhi.readers.values import made_id
from pinzhi.text import normalise
from tests.unit.readers.helpers import KEY, jsonl, read

COMMENT = {"comment_id": "1", "aweme_id": "2", "content": "好", "create_time": 1788067360, "user_id": "11122233301",
           "sec_uid": "MS4wLjABsecret", "nickname": "豆香四溢", "user_signature": "签名", "avatar": "https://a/豆.jpg", "like_count": "很多"}  # fmt: skip


def test_comment_authors_are_hidden_and_join(tmp_path: Path) -> None:
    jsonl(tmp_path / "c.jsonl", {**COMMENT, "like_count": 1}, {**COMMENT, "comment_id": "3", "like_count": 1})
    rows = read(tmp_path, pseudonymise=True)["comments"]
    assert {row["author_id"] for row in rows} == {Pseudonymiser(KEY).id("douyin", "11122233301")}
    assert {row["author_name"] for row in rows} == {"豆***"}
    assert read(tmp_path)["comments"][0]["author_id"] == "11122233301"


def test_no_reject_names_an_author(tmp_path: Path) -> None:
    whole = json.dumps(COMMENT, ensure_ascii=False)
    cut = json.dumps({key: COMMENT[key] for key in ("user_id", "nickname", "avatar")}, ensure_ascii=False)[1:-8]
    jsonl(tmp_path / "c.jsonl", whole, whole.replace('"1"', '""', 1), '{"content": "x", ' + cut)
    header = ",".join(COMMENT)
    wide = ",".join(
        [
            "9",
            "2",
            "多,一格",
            "1788067360",
            "11122233301",
            "MS4wLjABsecret",
            "豆香四溢",
            "签名",
            "https://a/豆.jpg",
            "1",
        ]
    )
    narrow = ",".join(["9", "2", "11122233301", "MS4wLjABsecret", "豆香四溢", "签名", "https://a/豆.jpg", "1"])
    (tmp_path / "c.csv").write_text(f"{header}\n{wide}\n{narrow}\n", "utf-8")
    tables = read(tmp_path, pseudonymise=True)
    assert len(tables["rejects"]) == 6
    for row in tables["rejects"]:
        for secret in ("11122233301", "MS4wLjABsecret", "豆香四溢", "签名", "https://a"):
            assert secret not in row["raw"], row
    assert "多" in tables["rejects"][0]["raw"]
    assert "豆香四溢" in json.dumps(read(tmp_path)["rejects"], ensure_ascii=False)


def test_broken_json_hides_escaped_and_unfinished_names() -> None:
    text = '{"nickname": "\\u8c46\\"香", "user_id": 111222, "content": "好", "user_nickname": "没写完'
    hidden = Redactor().text(text)
    assert "111222" not in hidden and "8c46" not in hidden and "没写完" not in hidden and '"content": "好"' in hidden


def test_broken_json_hides_people_that_are_objects() -> None:
    people = {"uid": "111222", "name": '豆"香}', "school": {"city": "{沪"}}
    text = json.dumps(
        {"id": "7", "user": people, "text": "好", "comment_user": {"a": {"b": people}}}, ensure_ascii=False
    )
    for hidden in (Redactor().text(text), Redactor().text(text[: text.index("沪")])):
        assert "111222" not in hidden and "香" not in hidden and "沪" not in hidden and '"id": "7"' in hidden
    assert '"text": "好"' in Redactor().text(text)
    assert "1700000001" not in Redactor().text('{"_id": "1700000001_5968044974", "x"')


def test_cells_left_of_every_author_stay() -> None:
    header = ["id", "text", "user_id", "likes"]
    assert Redactor().cells(["1", "好", "17", "3", "4"], header) == ["1", "好", "***", "***", "***"]
    assert Redactor().cells(["1", "17", "3"], header) == ["1", "***", "***"]
    assert Redactor().cells(["1", "2"], ["id", "text", "likes"]) == ["1", "2"]


def test_pseudonyms_are_stable_keyed_and_not_made_twice() -> None:
    one, other = Pseudonymiser(KEY), Pseudonymiser(b"x" * 32)
    id_ = one.id("weibo", "17")
    assert id_.startswith("a_") and len(id_) == 18 and one.id("weibo", "17") == id_
    assert len({id_, one.id("douyin", "17"), other.id("weibo", "17")}) == 3
    assert one.id("weibo", id_) == id_ and one.name("") == ""


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "deep" / "pseudonym.key"
    monkeypatch.setenv("PINZHI_KEY_FILE", str(path))
    key = load_key()
    assert len(key) == 32 and load_key() == key and path.read_bytes() == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and list(path.parent.iterdir()) == [path]
    path.write_bytes(b"short")
    with pytest.raises(StorageError, match="at least 16 bytes, found 5"):
        load_key()


def test_a_key_that_cannot_be_made_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PINZHI_KEY_FILE", str(tmp_path / "file" / "key"))
    with pytest.raises(StorageError, match="PINZHI_KEY_FILE"):
        load_key()


@pytest.mark.parametrize(
    ("raw", "hidden"),
    [
        ("加我VX13800138000，备注果篮", "加我VX[电话]，备注果篮"),
        ("138-0013-8000 / 手机 138 0013 8000", "[电话] / 手机[电话]"),
        ("13800138000/13900139000", "[电话]/[电话]"),
        ("微信/手机/13800138000，tel=13800138000", "微信/手机/[电话]，tel=[电话]"),
        ("(0571)88888888（021）61234567", "[电话][电话]"),
        ("0571 8888 8888", "[电话]"),
        ("008613800138000 138－0013－8000 138.0013.8000", "[电话] [电话] [电话]"),
        ("138\u200b00138000", "[电话]"),
        ("abc＠qq.com", "[邮箱]"),
        ("１３８００１３８０００", "[电话]"),
        ("+86 13800138000", "[电话]"),
        ("座机0571-87654321转8", "座机[电话]转8"),
        ("写信到 a.mu+1@bamboo.com.cn 吧", "写信到 [邮箱] 吧"),
        ("身份证11010519491231002X丢了", "身份证[证件号]丢了"),
    ],
)
def test_private_numbers_and_addresses_are_hidden(raw: str, hidden: str) -> None:
    assert mask_private(raw) == hidden
    assert mask_private(hidden) == hidden


@pytest.mark.parametrize(
    "raw",
    [
        "", "客服400-820-8820，800-810-0781", "订单号5211000000000001", "110105194912310021", "时间1788067360000",
        "https://m.weibo.cn/13800138000", "卖了12800件，2026-09-01，3.1415926", "@阿木 见@lvye.com了吗", "13 800 138 000",
        "价格 199 1299 1399", "满159 1999 2999", "编号001-20260901", "SN012-1234567", "00:00:00.000 12345678",
        "logo@2x.png", "单号110105209913310021", "a" * 3000,
    ],
)  # fmt: skip
def test_other_numbers_stay(raw: str) -> None:
    assert mask_private(raw) == raw


def test_texts_and_rejects_hide_private_numbers_unless_switched_off(tmp_path: Path) -> None:
    words = {**COMMENT, "content": "卖家电话13800138000", "like_count": 1}
    post = {"platform": "weibo", "post_id": "1", "title": "找a@b.cn", "text": "订货13800138000", "published_at": "哪天"}
    jsonl(tmp_path / "c.jsonl", words)
    jsonl(tmp_path / "p.jsonl", post)
    hidden, shown = read(tmp_path, pseudonymise=True), read(tmp_path)
    assert hidden["comments"][0]["text"] == "卖家电话[电话]" and shown["comments"][0]["text"] == words["content"]
    assert (hidden["posts"][0]["title"], hidden["posts"][0]["text"]) == ("找[邮箱]", "订货[电话]")
    assert "13800138000" not in hidden["rejects"][0]["raw"] and "13800138000" in shown["rejects"][0]["raw"]


def test_endless_runs_take_no_time() -> None:
    for text in (
        "a" * 400_000,
        "1" * 400_000,
        "a.b-" * 100_000,
        "(0571)" * 60_000,
        "@" * 300_000,
        "138-" * 100_000,
        "www." * 100_000,
    ):
        mask_private(text)


def test_reasons_hide_private_numbers_too(tmp_path: Path) -> None:
    jsonl(
        tmp_path / "p.jsonl",
        {"platform": "weibo", "post_id": "1", "text": "好", "published_at": "13812345678", "likes": "wang@qq.com"},
    )
    shown = json.dumps(read(tmp_path, pseudonymise=True)["rejects"], ensure_ascii=False)
    assert "13812345678" not in shown and "wang" not in shown and "[电话]" in shown


def test_an_id_made_of_a_name_gives_no_name_away(tmp_path: Path) -> None:
    (tmp_path / "m.mapping.yaml").write_text(
        "name: m\nplatform: shop\ntables: {comments: {comment_id: {id_of: [谁, 说]}, author_name: 谁, text: 说}}",
        "utf-8",
    )
    jsonl(tmp_path / "c.jsonl", {"谁": "王小明", "说": "好"})
    guessed = made_id("王小明", "好")
    hidden, shown = read(tmp_path, pseudonymise=True)["comments"][0], read(tmp_path)["comments"][0]
    assert shown["comment_id"] == guessed and hidden["comment_id"] != guessed and hidden["comment_id"].startswith("x_")


def test_hidden_numbers_read_as_the_models_know_them() -> None:
    assert normalise("打[电话]或写[邮箱]").text == normalise("打13800138000或写a@b.cn").text
