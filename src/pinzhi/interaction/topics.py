"""What a complaint is about, by the words that customers use; the first topic with most words counts."""

TOPICS: dict[str, tuple[str, ...]] = {
    "delivery": ("发货", "快递", "物流", "没到", "不发", "还没收", "半个月", "催单", "运费", "签收", "预售", "等了"),
    "service": ("客服", "售后", "退款", "退货", "换货", "态度", "不理", "没人回", "敷衍", "踢皮球", "投诉", "赔"),
    "safety": ("过敏", "烂脸", "起疹", "泛红", "刺痛", "拉肚子", "吃坏", "异物", "虫", "发霉", "变质", "过期", "农残", "超标", "中毒"),
    "price": ("贵", "涨价", "降价", "背刺", "割韭菜", "价格", "不值", "智商税", "优惠", "补差", "差价", "便宜"),
    "packaging": ("包装", "塑料", "泡沫", "礼盒", "漏", "破了", "碎", "盖子"),
    "honesty": ("虚假", "骗", "假的", "造假", "假货", "作秀", "双标", "说一套", "夸大", "忽悠", "水军", "刷的", "买粉", "控评", "删评", "洗稿", "抄袭", "照搬"),
    "lottery": ("抽奖", "中奖", "没抽到", "内定", "黑幕", "开奖", "名单"),
    "endorsement": ("代言", "明星", "粉丝", "塌房", "营销", "广告", "炒作"),
    "quality": ("质量", "坏了", "掉色", "开线", "难吃", "难喝", "味道", "做工", "缩水", "变差", "不如以前", "没效果", "没用", "搓泥", "不新鲜", "软了", "酸", "断"),
}  # fmt: skip


def topic(text: str) -> str | None:
    """Code of the topic that most of the words in `text` belong to; None where no word is known."""
    hits = {code: sum(word in text for word in words) for code, words in TOPICS.items()}
    best = max(hits, key=lambda code: hits[code])
    return best if hits[best] else None
