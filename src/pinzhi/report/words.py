"""What the report says, in both languages."""

WORDS: dict[str, dict[str, str]] = {
    "zh": {
        "title": "品质报告", "lead": "内容是否原创、是否言行一致、是否有真人回应。",
        "quality": "综合质量", "genuine": "真实互动", "real": "真实粉丝", "copies": "发现的抄袭与洗稿",
        "quality_says": "{posts} 条内容的平均质量（0-100）", "genuine_says": "{comments} 条评论中由真人真心写下的比例",
        "real_says": "宣称 {claimed} 名粉丝中估计真实的人数", "copies_says": "条内容派生自更早的内容",
        "accounts": "账号：宣称的粉丝与真实的粉丝", "account": "账号", "platform": "平台", "followers": "粉丝数", "rest": "其余粉丝",
        "real_share": "真实占比", "interval": "区间", "tier": "量级", "rank": "同级名次", "verdict": "结论",
        "months": "逐月质量、真实互动与模板占比", "templates": "模板内容", "fatigue": "套话疲劳：各账号逐月的模板占比", "of_posts": "{share}（{n} 条）", "mix": "原创构成", "values": "价值观覆盖", "expressed": "体现", "contradicted": "违背",
        "best": "最好的内容", "worst": "最需要改的内容", "reasons": "理由", "copied": "抄袭与洗稿对照", "copied_us": "谁抄了我们", "copied_us_says": "{copied_us} 条，来自 {copiers} 个账号", "rewrites": "其中洗稿", "sources": "被抄的内容", "first_at": "最早", "last_at": "最近", "here": "这条", "source": "更早的来源",
        "together": "共同点", "community": "社区", "critic": "待回复的批评", "advocate": "值得感谢的人",
        "voice": "有影响力的声音", "lottery_hunter": "只为抽奖而来", "waiting": "已等待 {days} 天", "friends": "带来 {n} 位朋友", "followed": "{n} 人关注",
        "together_groups": "同进同退的评论", "posts": "内容数", "authors": "发言人数", "mostly": "多为",
        "graph_says": "全部分组在 coordination/，关系图在 coordination.gexf，可用 Gephi 打开。", "overlap": "账号之间重合的评论者", "other_account": "另一账号",
        "shared": "共同评论者", "shared_bought": "其中有过水军或广告行为", "of_smaller": "占较小一方",
        "standing": "我们处于什么位置", "month": "月份", "rank_all": "全部账号中的名次", "rank_tier": "同级名次", "first_five": "进入读者前五的周数",
        "genuine_count": "真实评论与转发", "standing_says": "按当月真实的评论与转发排名；一周内排进前五，读者才记得住。", "standing_trend": "每月真实评论与转发",
        "money": "花的钱换来什么", "campaign": "活动", "cost": "费用", "cpm": "每千次阅读", "per_genuine": "每次真实互动", "unnamed": "未命名投放",
        "money_says": "真实互动指由真人写下的评论和带评论的转发；区间越宽，越说不准。", "reads_by_month": "每月阅读：买来的与自来的", "reads_paid": "付费内容的阅读", "reads_earned": "未付费内容的阅读",
        "odd": "点赞或转发异常的内容", "odd_says": "每条评论对应的点赞或转发，是平时或同级账号的多少倍。", "vs_own": "相对自己平时", "vs_tier": "相对同级账号", "reposts": "转发", "comments": "评论",
        "fed": "像被喂养的账号", "evidence": "判断依据", "growth": "最大涨粉（30 天内）", "why": "说明", "rejects": "未能读取的记录", "reason": "原因", "count": "数量",
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
        "months": "Quality, genuine share and templates by month", "templates": "Templates", "fatigue": "Fatigue: share of templates by account and month", "of_posts": "{share} of {n}", "mix": "Originality", "values": "Values", "expressed": "expressed", "contradicted": "contradicted",
        "best": "Best posts", "worst": "Posts to mend first", "reasons": "reasons", "copied": "Copies beside their source", "copied_us": "Who copied us", "copied_us_says": "{copied_us} posts by {copiers} accounts", "rewrites": "of them rewrites", "sources": "of our posts", "first_at": "first", "last_at": "last", "here": "this post", "source": "earlier source",
        "together": "in common", "community": "Community", "critic": "Critics to answer", "advocate": "Advocates to thank",
        "voice": "Voices that carry far", "lottery_hunter": "Here for the prize", "waiting": "waiting for {days} days", "friends": "brought {n} friends", "followed": "{n} followers",
        "together_groups": "Comments that act together", "posts": "posts", "authors": "authors", "mostly": "mostly",
        "graph_says": "All groups are in coordination/, and who is tied to whom in coordination.gexf, which Gephi opens.", "overlap": "Commenters that accounts share", "other_account": "other account",
        "shared": "shared commenters", "shared_bought": "of them, left hired praise or advertising", "of_smaller": "of the smaller audience",
        "standing": "Where we stand", "month": "month", "rank_all": "rank among all", "rank_tier": "rank in tier", "first_five": "weeks in the first five",
        "genuine_count": "genuine comments and reposts", "standing_says": "Ranked by the month's genuine comments and reposts; readers keep the first five of a week in mind.", "standing_trend": "Genuine comments and reposts by month",
        "money": "What the money bought", "campaign": "campaign", "cost": "cost", "cpm": "per 1,000 reads", "per_genuine": "per genuine interaction", "unnamed": "unnamed spending",
        "money_says": "A genuine interaction is a comment that a person meant, or a repost that came with one; the wider the interval, the less can be said.", "reads_by_month": "Reads by month: bought and earned", "reads_paid": "reads of paid posts", "reads_earned": "reads of other posts",
        "odd": "Posts with odd likes or reposts", "odd_says": "Likes or reposts for each comment, as so many times what is usual for the account, or for accounts of its size.", "vs_own": "times its own usual", "vs_tier": "times its tier's", "reposts": "reposts", "comments": "comments",
        "fed": "looks fed by somebody", "evidence": "judged by", "growth": "largest growth in 30 days", "why": "in words", "rejects": "Records that could not be read", "reason": "reason", "count": "count",
        "value_months": "By month: share of own posts that express each value", "promises": "Declared values, and what becomes of them", "brand": "brand", "value": "value",
        "touched": "touched", "first_last": "first and last expressed", "flags": "to note", "answers": "negative genuine comments there",
        "never_expressed": "never expressed", "claimed_and_contradicted": "claimed and contradicted", "doubted_by_readers": "doubted by readers",
        "doubt_says": "Doubted by readers: under the posts that express the value the share of negative ones among the genuine comments is clearly higher than under the brand's other posts; what they object to is not read, see their words.", "compared": "Accounts by the same measure", "own": "own",
        "none": "None.", "missing": "not enough data", "run": "run", "models": "models", "likes": "likes", "violations": "Posts that contradict a value",
    },
}  # fmt: skip

# Evidence of acting together, `key=value;…`, in words; the sign of a comparison is part of the key.
EVIDENCE: dict[str, dict[str, str]] = {
    "zh": {
        "same_wording=": "{} 条评论用词相同", "posts=": "分布在 {} 条内容下", "authors=": "{} 个发言人", "authors=masked": "发言人已隐去，只按文本和时间判断",
        "burst_minutes<=": "{} 分钟内集中出现", "hollow_profiles=": "主页是新号、空号或大量关注他人：{}",
        "together_posts>=": "至少在 {} 条内容下一同出现", "minutes<=": "前后相差不超过 {} 分钟",
    },
    "en": {
        "same_wording=": "{} comments in the same words", "posts=": "under {} posts", "authors=": "{} authors", "authors=masked": "authors are hidden: judged by text and time alone",
        "burst_minutes<=": "all within {} minutes", "hollow_profiles=": "profiles that are new, empty or follow masses: {}",
        "together_posts>=": "side by side under at least {} posts", "minutes<=": "within {} minutes of each other",
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
        "water_army": "水军", "incentive": "抽奖打卡", "spam": "广告", "empty": "无内容", "wording": "同一文案", "together": "总在一起出现",
        "text": "文本", "time": "时间", "author": "作者", "profile": "作者主页",
        "delivery": "发货物流", "service": "客服售后", "safety": "安全", "price": "价格", "packaging": "包装", "honesty": "诚信",
        "lottery": "抽奖", "endorsement": "代言营销", "quality": "品质",
        "nano": "1万以下", "micro": "1-10万", "macro": "10-100万", "mega": "100万以上",
    },
    "en": {
        "weibo": "Weibo", "xiaohongshu": "Xiaohongshu", "douyin": "Douyin", "kuaishou": "Kuaishou", "bilibili": "Bilibili",
        "tieba": "Tieba", "zhihu": "Zhihu", "wechat": "WeChat", "taobao": "Taobao", "renren": "Renren", "tiktok": "TikTok",
        "water_army": "water army", "incentive": "entries", "wording": "one wording", "together": "always side by side",
        "bought": "looks bought", "nano": "below 10k", "micro": "10k-100k", "macro": "100k-1M", "mega": "above 1M",
    },
}  # fmt: skip
