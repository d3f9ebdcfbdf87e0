"""What models are judged by is not trained on, however it comes back."""

from typing import Any

import pyarrow as pa
import pytest

from pinzhi.training.fresh import without_frozen
from pinzhi.training.label_export import account_digest
from pinzhi.training.label_files import LABELS

FROZEN = "三号地今年休耕种紫云英，少收4万斤谷，地的工钱单列一栏"


def labelled(*rows: dict[str, Any]) -> pa.Table:
    base = {"label": "1", "group": "", "n_annotators": 1, "source": "a.csv"}
    return pa.Table.from_pylist([{**base, "row": i, **row} for i, row in enumerate(rows, 2)], schema=LABELS)


@pytest.mark.parametrize(
    "text",
    [
        FROZEN,
        "三号地今年休耕，种紫云英！少收4万斤谷：地的工钱，单列一栏😀",
        f"#今日份田野# {FROZEN} #打卡[超话]#",
        FROZEN.replace("4", "15"),
        FROZEN.replace("三号地", "西边的地"),
        f"转发微博：今天看到的，{FROZEN}",
        FROZEN[:20],
    ],
)
def test_near_copies_of_frozen_texts_are_reported_as_repeats(text: str) -> None:
    kept, (repeat,) = without_frozen(labelled({"text": text}), [FROZEN, "好喝"])
    assert not kept.num_rows and repeat.is_repeat
    assert str(repeat).startswith("a.csv, row 2: ") and FROZEN[:20] in repeat.reason


@pytest.mark.parametrize(
    "text", ["三号地今年种什么", "四号地今年种了水稻，多收两万斤谷，大家都很高兴", "好喝，回购了", "好"]
)
def test_other_texts_and_short_likenesses_stay(text: str) -> None:
    kept, repeats = without_frozen(labelled({"text": text}), [FROZEN, "好喝，无限回购", "好喝"])
    assert kept.num_rows == 1 and not repeats


def test_either_text_of_a_pair_may_be_frozen() -> None:
    table = labelled({"text": "别的文章", "context": FROZEN}, {"text": "别的文章", "context": None})
    kept, (repeat,) = without_frozen(table, [FROZEN], columns=("text", "context"))
    assert kept["context"].to_pylist() == [None] and repeat.row == 2


@pytest.mark.parametrize("platform", ["weibo", None])
def test_rows_of_a_frozen_account_are_known_under_its_digest(platform: str | None) -> None:
    groups = ["acc", account_digest("weibo", "acc"), account_digest("weibo", "other"), ""]
    table = labelled(*({"text": f"第{group}条", "group": group, "platform": platform} for group in groups))
    kept, repeats = without_frozen(table, [], groups={"acc"})
    assert kept["group"].to_pylist() == groups[2:] and [repeat.row for repeat in repeats] == [2, 3]
