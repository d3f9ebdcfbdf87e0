"""The index on disk: what it finds, what it forgets, and that later posts change nothing."""

import errno
import random
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pinzhi.errors import StorageError
from pinzhi.minhash import choose_bands, signatures
from pinzhi.originality import index as index_module
from pinzhi.originality import ranking
from pinzhi.originality.blocks import Bands
from pinzhi.originality.index import PostIndex
from pinzhi.originality.keys import word_keys
from pinzhi.originality.rows import INDEX, IndexRows, Order
from pinzhi.text import normalise

DAY = datetime(2026, 1, 1, tzinfo=UTC)
WIDTH = 16


def post(
    number: int, text: str, hours: float | None, precision: str = "second", seed: int | None = None
) -> dict[str, Any]:
    vector = np.random.default_rng(number if seed is None else seed).normal(size=WIDTH)
    return {
        "platform": "weibo", "post_id": f"p{number}", "account_id": "a",
        "published_at": None if hours is None else DAY + timedelta(hours=hours),
        "time_precision": None if hours is None else precision, "text": text,
        "signature": signatures([normalise(text).text])[0].tolist(),
        "words": word_keys([[ord(char) for char in text]], np.ones(0x11_0000))[0].tolist(),
        "embedding": (vector / np.linalg.norm(vector)).astype(np.float16).tolist(),
        "p_template": 0.0, "p_quote": 0.0,
    }  # fmt: skip


def table(*posts: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(posts), schema=INDEX)


def opened(folder: Path | None) -> PostIndex:
    return PostIndex(folder, Bands(*choose_bands(0.5, 0.95)))


def found(
    index: PostIndex, one: dict[str, Any], order: Order = Order.EARLIER, limit: int = 20, passages: bool = False
) -> list[list[str]]:
    """Ids of near duplicates, of the nearest and, if asked, of those that share passages and words."""
    rows = IndexRows.of(table(one))
    itself = index.find(rows.keys)
    search = index.near_duplicates, index.nearest, index.partial_copies, index.shared_words
    nets = [net(rows, order, limit, itself)[0] for net in search[: 4 if passages else 2]]
    return [[index.take(np.array([at])).keys[0][1] for at in net] for net in nets]


TEXT = "凌晨四点去码头等船，带鱼二十八一斤，船老大多送了一把小黄鱼"


def test_near_copies_are_found_by_their_place_in_time(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.append(table(post(1, TEXT, 1), post(2, "今天的雾很大，渔港没有人", 1)), "a")
    index.append(table(post(3, TEXT + "。", 3), post(4, TEXT, None), post(5, TEXT, 5), post(6, "", 1)), "b")
    asked = post(3, TEXT + "。", 3)
    assert found(index, asked)[0] == ["p1"] and sorted(found(index, asked)[1]) == ["p1", "p2", "p6"]
    assert found(index, asked, Order.LATER) == [["p5"], ["p5"]]
    assert found(index, asked, Order.UNCLEAR) == [["p4"], ["p4"]]
    assert found(index, post(9, TEXT, None)) == [[], []], "nothing is surely before an unknown time"
    assert found(index, post(9, TEXT, None), Order.UNCLEAR)[0] == ["p1", "p3", "p5", "p4"]
    assert found(index, post(9, TEXT, 0, "day"), Order.UNCLEAR)[0] == ["p1", "p3", "p5", "p4"], "the same day"
    assert found(index, post(9, TEXT, 1))[0] == [], "nothing is before its own time"
    assert found(index, post(9, "", 9))[0] == [], "a text without letters is like nothing"


def test_an_empty_index_finds_nothing(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    assert len(index) == 0 and found(index, post(1, TEXT, 1)) == [[], []] and index.text_of(("weibo", "p1")) is None
    index.append(table(), "empty")
    assert len(index) == 0 and found(index, post(1, TEXT, 1)) == [[], []]


def test_the_last_row_of_a_post_counts(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.append(table(post(1, TEXT, 1), post(2, TEXT, 2)), "a")
    index.append(table(post(1, "改成了别的内容，和码头无关", 1), post(1, "又改了一次，这次说早饭摊", 1)), "b")
    for one in (index, opened(tmp_path / "index")):
        assert len(one) == 2 and one.text_of(("weibo", "p1")) == "又改了一次，这次说早饭摊"
        assert found(one, post(9, TEXT, 9))[0] == ["p2"]
        assert one.text_of(("weibo", "p7")) is None and one.rows_of([("weibo", "p1"), ("x", "p1")]) is None
    rows = index.rows_of([("weibo", "p2"), ("weibo", "p1"), ("weibo", "p2")])
    assert rows is not None and [key[1] for key in rows.keys] == ["p2", "p1", "p2"] and rows.texts[0] == TEXT


def test_of_equal_copies_the_earliest_come_first_however_many_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_MOST", 4)
    index = opened(tmp_path / "index")
    hours = np.random.default_rng(0).permutation(40)
    for part in range(10):
        index.append(table(*(post(int(h), TEXT, float(h), seed=0) for h in hours[4 * part : 4 * part + 4])), str(part))
    assert found(index, post(99, TEXT, 30.5, seed=0), limit=3) == [["p0", "p1", "p2"]] * 2
    assert found(index, post(99, TEXT, 30.5, seed=0), Order.LATER, limit=3) == [["p31", "p32", "p33"]] * 2


def test_rows_that_do_not_count_hide_none_that_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_MOST", 4)
    replaced = opened(tmp_path / "index")
    replaced.append(table(*(post(n, TEXT, float(n)) for n in range(33))), "a")
    replaced.append(table(*(post(n, "今天的雾很大，渔港没有人", float(n)) for n in range(30))), "b")
    assert found(replaced, post(99, TEXT, 50), limit=3, passages=True)[::2] == [["p30", "p31", "p32"]] * 2
    same_day = opened(None).beside(table(*(post(n, TEXT, 0, "day") for n in range(20)), post(50, TEXT, 10)))
    assert found(same_day, post(99, TEXT, 20), passages=True)[::2] == [["p50"]] * 2, "the others may be of the evening"


def test_an_append_that_fails_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path / "index")
    for number in range(7):
        index.append(table(post(number, TEXT, number)), str(number))

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(index_module, "merge", full)
        with pytest.raises(StorageError, match="full"):
            index.append(table(post(7, TEXT, 7)), "7")
    index.append(table(post(7, TEXT, 7)), "7")
    assert len(index) == len(opened(tmp_path / "index")) == 8
    other = opened(tmp_path / "index")
    index.append(table(post(8, TEXT, 8)), "8")
    other.append(table(post(9, TEXT, 9)), "9")  # which had not seen the last one
    assert len(opened(tmp_path / "index")) == 10 and not index.is_current() and other.is_current()


def test_what_a_killed_append_left_is_removed(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.append(table(post(1, TEXT, 1)), "a")
    (tmp_path / "index" / "block-000099").mkdir()
    opened(tmp_path / "index").append(table(post(1, TEXT, 1)), "a")
    assert [path.name for path in (tmp_path / "index").iterdir() if path.is_dir()] == ["block-000000"]


def test_many_posts_at_once_find_what_each_finds_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    said = [f"第{n % 9}天，{TEXT[: 8 + n % 11]}，{n % 5}号摊" for n in range(60)]
    index = opened(None).beside(table(*(post(n, text, n, seed=n % 13) for n, text in enumerate(said))))
    asked = IndexRows.of(table(*(post(100 + n, text, 30 + n, seed=n % 7) for n, text in enumerate(said))))
    itself = index.find(asked.keys)
    nets = index.near_duplicates, index.partial_copies, index.shared_words, index.nearest, index.related
    together = [[rows.tolist() for rows in net(asked, Order.EARLIER, 5, itself)] for net in nets]
    for name, few in (("_HITS", 640), ("_POSTS", 3), ("_SCANNED", 7)):
        monkeypatch.setattr(index_module, name, few)
    monkeypatch.setattr(ranking, "COMPARED", 11)
    assert [[rows.tolist() for rows in net(asked, Order.EARLIER, 5, itself)] for net in nets] == together
    assert all(any(rows) for rows in together)
    none = asked.pick(np.zeros(0, np.int64))
    assert [net(none, Order.EARLIER, 5, itself[:0]) for net in nets] == [[]] * 5


def test_blocks_are_merged_and_nothing_is_lost(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    plain = opened(None)
    posts = [post(n, f"第{n % 50}号帖子，{TEXT[: 5 + n % 20]}", n % 37) for n in range(300)]
    for start in range(0, 300, 4):  # 75 appends: one block of 64, one of 8, three of 1
        part = [*posts[start : start + 4], {**posts[start // 2], "text": "改过的"}]
        index.append(table(*part), str(start))
        plain = plain.beside(table(*part))
    blocks = sorted(path.name for path in (tmp_path / "index").iterdir() if path.is_dir())
    assert len(blocks) == 5 and len(index) == len(plain) == 300
    merged = opened(tmp_path / "index")
    for asked in posts[::17]:
        for order in Order:
            passages = order is not Order.UNCLEAR
            assert found(merged, asked, order, passages=passages) == found(plain, asked, order, passages=passages)


texts = st.sampled_from([TEXT, TEXT + "了", TEXT[:14], "早饭摊的油条", "早饭摊的油条很脆", "好", ""])
times = st.one_of(st.none(), st.integers(0, 40))
batches = st.lists(st.lists(st.tuples(texts, times), min_size=1, max_size=5), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(before=batches, after=batches, hour=st.integers(0, 40))
def test_later_posts_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, before: Any, after: Any, hour: int
) -> None:
    folder = tmp_path_factory.mktemp("index")
    index, number = opened(folder), 0
    asked = post(9999, TEXT, hour)

    def append(batch: list[tuple[str, int | None]], is_later: bool) -> None:
        nonlocal number
        rows = []
        for text, time in batch:
            number += 1
            when = None if time is None else float(time)
            rows.append(post(number, text, hour + when if is_later and when is not None else when))
        index.append(table(*rows), str(number))

    for batch in before:
        append(batch, False)
    known = found(index, asked, limit=3, passages=True)
    for batch in after:
        append(batch, True)  # at the hour of the asked one, after it, or nobody knows when
    assert found(index, asked, limit=3, passages=True) == known
    shutil.rmtree(folder)


def test_a_merge_of_two_posts_finds_both(tmp_path: Path) -> None:
    one = "山上的茶今年晚了半个月，霜打掉了第一批芽，我们没有补摘，让它歇着。等第二批的人请多担待，茶会好一点。"
    two = "店里的老师傅上周退休了，走之前把那口炒锅擦了三遍，说锅比人经用，叫我们别换不粘锅。"
    index = opened(tmp_path / "index")
    index.append(table(post(1, one, 1), post(2, two, 2), post(3, "今天的雾很大，渔港没有人，早饭摊也没有出来", 3)), "a")
    filler = (
        "周末写几句话，跟谁都没有关系，就是想把这两个月里碰到的人和事放在一起，免得以后忘了，也给没来过的朋友看看。" * 2
    )
    merged = post(9, filler + one[4:32] + filler[::-1] + two[6:34], 9)
    near, _, passages, _ = found(index, merged, passages=True)
    assert near == [] and sorted(passages) == ["p1", "p2"]


def test_a_passage_that_stands_everywhere_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_module, "_MOST", 4)
    rules = "关注并转发本条微博，抽三位朋友送出新品一份，开奖时间以公告为准"
    index = opened(tmp_path / "index")
    index.append(table(*(post(n, f"{rules}{n}号店开业", n) for n in range(6))), "a")
    assert found(index, post(9, rules + "今天的雾很大", 9), passages=True)[2] == []


def test_what_few_texts_say_finds_a_text_said_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = opened(tmp_path / "index")
    index.append(
        table(*(post(n, f"今天的天气好，大家在路上走{n}", n) for n in range(5)), post(7, "渔港龙舟鼓裂了", 7)), "a"
    )
    anew = post(9, "好天气的路上，龙舟的鼓裂了口", 9)
    assert found(index, anew, passages=True)[3][0] == "p7" and found(index, anew, passages=True)[0] == []
    assert found(index, post(10, "龙舟鼓", 6), passages=True)[3] == [], "only what comes before"
    monkeypatch.setattr(index_module, "_MOST_SAYING", 3)
    assert found(index, post(11, "天气", 11), passages=True)[3] == [], "what everybody says tells nothing"


def test_what_words_and_embedding_both_find_comes_first(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.append(
        table(
            post(1, "渔港雾大，没有船", 1, seed=50), post(2, "龙舟鼓裂了口", 2, seed=51), post(3, "龙舟，鼓也响", 3, seed=9),
            post(4, "今天去爬山", 4, seed=9), post(5, "龙舟鼓裂了口", 20, seed=9),
        ),
        "a",
    )  # fmt: skip
    asked = IndexRows.of(table(post(9, "龙舟的鼓响", 9, seed=9)))
    itself = index.find(asked.keys)

    def ids(limit: int) -> list[str]:
        (rows,) = index.related(asked, Order.EARLIER, limit, itself)
        return [index.take(np.array([row])).keys[0][1] for row in rows]

    assert (
        ids(1) == ["p3"] and ids(5)[1:3] in (["p4", "p2"], ["p2", "p4"]) and sorted(ids(5)) == ["p1", "p2", "p3", "p4"]
    )
    assert index.related(asked.pick(np.zeros(0, np.int64)), Order.EARLIER, 5, itself[:0]) == []


@pytest.mark.parametrize("shards", [(23, 1, 16), (2,) * 20, (40,)])
def test_what_is_passed_over_as_common_would_have_told_nothing(
    shards: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = 4
    monkeypatch.setattr(index_module, "_MOST_SAYING", most)
    chance = random.Random(5)
    said = [
        "".join(chance.choices("渔鼓裂了舟桥雾竹茶月", k=3)) + "，" + "".join(chance.choices("番茄红", k=2))
        for _ in range(40)
    ]
    number = [*range(38), 3, 20]  # two posts come again
    rows = table(*(post(n, text, at) for at, (n, text) in enumerate(zip(number, said, strict=True))))
    index, begin = opened(tmp_path / "index"), 0
    for n in shards:
        index.append(rows.slice(begin, n), str(begin))
        begin += n
    every = IndexRows.of(rows)
    own = index.find(every.keys)
    last = [at for at in range(40) if number[at] not in number[at + 1 :]]
    row_of = {at: int(index.find([every.keys[at]])[0]) for at in last}
    expected = []
    for asked in range(40):
        score: dict[int, float] = {}
        for word in set(every.words[asked].tolist()) - {0}:
            having = [at for at in last if word in every.words[at] and at < asked and number[at] != number[asked]]
            for at in having if len(having) < most else ():
                score[at] = score.get(at, 0) + np.log(4 * most / (1 + len(having))) ** 2
        expected.append([row_of[at] for at in sorted(score, key=lambda at: (-round(score[at], 6), at))])
    assert [rows.tolist() for rows in index.shared_words(every, Order.EARLIER, 50, own)] == expected
    assert sum(map(len, expected)) > 40


def test_keys_of_words_are_those_that_tell_the_most() -> None:
    weights = np.array([0.0, 0.9, 0.1, 0.5])
    keys = word_keys([[1, 0, 1, 2], [3], [], [0]], weights)
    assert keys.shape[0] == 4 and (keys > 0).sum(1).tolist() == [2, 1, 0, 0]
    many = word_keys([list(range(200))], np.linspace(0, 1, 200))
    assert (many > 0).all() and set(many[0]) == set(
        word_keys([list(range(200 - many.shape[1], 200))], np.linspace(0, 1, 200))[0]
    )


def test_the_same_name_twice_is_one(tmp_path: Path) -> None:
    index = opened(tmp_path / "index")
    index.append(table(post(1, TEXT, 1)), "a")
    manifest = (tmp_path / "index" / "manifest.json").read_bytes()
    again = opened(tmp_path / "index")
    again.append(table(post(1, TEXT, 1)), "a")
    assert (tmp_path / "index" / "manifest.json").read_bytes() == manifest


def test_it_is_read_while_it_is_written(tmp_path: Path) -> None:
    """Readers open it again and again while blocks are merged away under them."""
    writer = opened(tmp_path / "index")
    writer.append(table(post(0, TEXT, 0)), "0")
    failures: list[BaseException] = []
    done = threading.Event()

    def read() -> None:
        try:
            while not done.is_set():
                reader = opened(tmp_path / "index")
                assert found(reader, post(999, TEXT, 999))[0][:1] == ["p0"]
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for one in readers:
        one.start()
    for number in range(1, 80):
        writer.append(table(post(number, f"{TEXT}{number}", number)), str(number))
    done.set()
    for one in readers:
        one.join()
    assert not failures
