"""What the report says, in both languages."""

WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "title": "品质报告", "lead": "内容是否原创、是否言行一致、是否有真人回应。",
        "quality": "综合质量", "genuine": "真实互动", "real": "真实粉丝", "copies": "发现的抄袭与洗稿",
        "quality_says": "{posts} 条内容的平均质量（0-100）", "genuine_says": "{comments} 条评论中由真人真心写下的比例",
        "real_says": "宣称 {claimed} 名粉丝中估计真实的人数", "copies_says": "条内容派生自更早的内容",
        "accounts": "账号：宣称的粉丝与真实的粉丝", "account": "账号", "platform": "平台", "followers": "粉丝数", "rest": "其余粉丝",
        "real_share": "真实占比", "interval": "区间", "tier": "量级", "rank": "同级名次", "verdict": "结论",
        "months": "逐月质量、真实互动与模板占比", "templates": "模板内容", "mix": "原创构成", "values": "价值观覆盖", "expressed": "体现", "contradicted": "违背",
        "best": "最好的内容", "worst": "最需要改的内容", "reasons": "理由", "copied": "抄袭与洗稿对照", "copied_us": "谁抄了我们", "here": "这条", "source": "更早的来源",
        "bought": "像是买来的评论", "together": "共同点", "community": "社区", "critic": "待回复的批评", "advocate": "值得感谢的人",
        "lottery_hunter": "只为抽奖而来", "rejects": "未能读取的记录", "reason": "原因", "count": "数量",
        "value_months": "逐月：自家内容中体现各价值观的比例", "promises": "声明的价值观，做到了多少", "brand": "品牌", "value": "价值观",
        "touched": "触及", "first_last": "首次与最近体现", "flags": "留意", "answers": "这类内容下的负面真评",
        "never_expressed": "从未体现", "claimed_and_contradicted": "说到却也违背", "doubted_by_readers": "读者不买账",
        "doubt_says": "“读者不买账”指：体现该价值观的内容下，真实评论里的负面比例明显高于该品牌其他内容；并未判断评论反对的是什么，请看原话。", "compared": "同一把尺子下的各账号", "own": "自家",
        "none": "没有。", "missing": "数据不足", "run": "运行", "models": "模型", "likes": "赞", "violations": "违背价值观的内容",
    },
    "en": {
        "title": "pinzhi report", "lead": "Is the content original, does it live its values, and do real people answer?",
        "quality": "Quality", "genuine": "Genuine interaction", "real": "Real followers", "copies": "Copies and rewrites",
        "quality_says": "mean quality of {posts} posts (0-100)", "genuine_says": "of {comments} comments were meant by a person",
        "real_says": "estimated real, of {claimed} claimed followers", "copies_says": "posts derive from earlier ones",
        "accounts": "Accounts: claimed and real followers", "account": "account", "platform": "platform", "followers": "followers", "rest": "other followers",
        "real_share": "real share", "interval": "interval", "tier": "tier", "rank": "rank in tier", "verdict": "verdict",
        "months": "Quality, genuine share and templates by month", "templates": "Templates", "mix": "Originality", "values": "Values", "expressed": "expressed", "contradicted": "contradicted",
        "best": "Best posts", "worst": "Posts to mend first", "reasons": "reasons", "copied": "Copies beside their source", "copied_us": "Who copied us", "here": "this post", "source": "earlier source",
        "bought": "Comments that look bought", "together": "in common", "community": "Community", "critic": "Critics to answer", "advocate": "Advocates to thank",
        "lottery_hunter": "Here for the prize", "rejects": "Records that could not be read", "reason": "reason", "count": "count",
        "value_months": "By month: share of own posts that express each value", "promises": "Declared values, and what becomes of them", "brand": "brand", "value": "value",
        "touched": "touched", "first_last": "first and last expressed", "flags": "to note", "answers": "negative genuine comments there",
        "never_expressed": "never expressed", "claimed_and_contradicted": "claimed and contradicted", "doubted_by_readers": "doubted by readers",
        "doubt_says": "Doubted by readers: under the posts that express the value the share of negative ones among the genuine comments is clearly higher than under the brand's other posts; what they object to is not read, see their words.", "compared": "Accounts by the same measure", "own": "own",
        "none": "None.", "missing": "not enough data", "run": "run", "models": "models", "likes": "likes", "violations": "Posts that contradict a value",
    },
}  # fmt: skip

# Codes of the tables as readers know them; what is not listed stays as it is.
NAMES: dict[str, dict[str, str]] = {
    "zh": {
        "weibo": "微博", "xiaohongshu": "小红书", "douyin": "抖音", "kuaishou": "快手", "bilibili": "B站", "tieba": "贴吧",
        "zhihu": "知乎", "wechat": "微信公众号", "taobao": "淘宝", "renren": "人人网", "tiktok": "TikTok",
        "original": "原创", "duplicate": "重复", "rewrite": "洗稿", "template": "模板", "quote": "转引", "undetermined": "无法判断先后",
        "publish": "可发布", "revise": "需修改", "hold": "暂缓",
        "genuine": "真实", "mixed": "混杂", "bought": "疑似买粉", "unknown": "无法判断",
        "nano": "1万以下", "micro": "1-10万", "macro": "10-100万", "mega": "100万以上",
    },
    "en": {
        "weibo": "Weibo", "xiaohongshu": "Xiaohongshu", "douyin": "Douyin", "kuaishou": "Kuaishou", "bilibili": "Bilibili",
        "tieba": "Tieba", "zhihu": "Zhihu", "wechat": "WeChat", "taobao": "Taobao", "renren": "Renren", "tiktok": "TikTok",
        "bought": "looks bought", "nano": "below 10k", "micro": "10k-100k", "macro": "100k-1M", "mega": "above 1M",
    },
}  # fmt: skip
