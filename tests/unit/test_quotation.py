"""Whose words a text is made of."""

import pytest

from pinzhi.quotation import is_attributed, judged_words, own_words


def test_own_words_end_where_the_chain_begins() -> None:
    raw = "说得对//@老韩:新固件真好"
    assert raw[slice(*own_words(raw))] == "说得对"


def test_a_long_comment_before_a_chain_is_judged_by_itself() -> None:
    assert judged_words("我在这条街上住了二十年，看着它开张//@老韩:新店开了") == "我在这条街上住了二十年，看着它开张"
    assert judged_words("好//@老韩:新店开了") == "好//@老韩:新店开了"


@pytest.mark.parametrize(
    "raw",
    [
        "说得对//@老韩:新固件真好",
        "转自邻居的朋友圈。今天停水，楼下的井又用上了。",
        "【转】青石巷面馆：明天歇业一天，给师傅过寿。",
        "豆腐坊的磨换了，石头的。（文/早餐记录员）",
        "浴池要关了，池边那块石头谁要谁搬。（摘自《河东街坊报》）",
        "据城南频道昨晚报道，桥封了半边。",
        "据@河东消息，桥封了半边。",
        "「今年不做礼盒了，去年的还在仓库。」面包房的店长前天写道。",
        "磨在窗边，等的人可以看它转。——豆腐坊公众号",
        "柳林小学的许老师说：“批了三十年作业，我认得每一支铅笔。”",
        "公众号“湖边散步”写了一座停了十年的茶厂，读哭了。",
        "@河东消息 说桥封了半边，绕路吧。",
        "摘編自「鐵館觀察」，有刪節。深蹲架永遠有人在做彎舉。",
    ],
)
def test_a_named_source_is_an_attribution(raw: str) -> None:
    assert is_attributed(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "听说新固件真好",
        "网友说：“今年柚子熟得早。”",
        "据说桥封了半边，据悉要修一个月。",
        "据了解，桥要修一个月。",
        "我自己种的柚子，来自后院那棵树。",
        "图片来源于网络",
        "自己转了三圈才找到出口，文章还没写完。",
        "老板说葱不要钱，我说那怎么好意思。",
        "转发抽三位朋友送柚子，记得关注我们。",
        "豆腐坊搬家了——就在原来那条街",
        "周末去摘自家菜园的番茄",
        "新款手动转自动挡",
        "吸引自驾游客",
        "引自山泉水，一年四季不断",
        "小红书记录我的早餐",
        "在微博说说你的看法",
        "关注公众号登记领礼品",
        "我在知乎写的第一篇回答",
        "@所有人 今晚八点开播",
        "转发并@两位好友的小伙伴都有份",
        "来源：自家果园",
        "原文：无",
    ],
)
def test_nobody_in_particular_is_no_source(raw: str) -> None:
    assert not is_attributed(raw)
