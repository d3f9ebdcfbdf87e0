"""Column orders of TikTokDownloader's tables, by version, the newest first; rows of one version may follow another's header."""

_COLUMNS = {
    "posts": (
        """作品类型 采集时间 UID SEC_UID ID 作品ID 作品描述 作品话题 视频时长 视频高度 视频宽度 作品链接 发布时间 视频URI 账号昵称 年龄
        账号签名 下载地址 音乐作者 音乐标题 音乐链接 静态封面 动态封面 隐藏标签 点赞数量 评论数量 收藏数量 分享数量 播放数量 额外信息""",
        """作品类型 采集时间 UID SEC_UID ID 作品ID 作品描述 作品话题 视频时长 视频分辨率 视频高度 视频宽度 作品链接 发布时间 视频URI
        账号昵称 年龄 账号签名 下载地址 音乐作者 音乐标题 音乐链接 静态封面 动态封面 隐藏标签 点赞数量 评论数量 收藏数量 分享数量 播放数量
        额外信息""",
        """作品类型 采集时间 UID SEC_UID 抖音号 SHORT_ID 作品ID 作品描述 作品话题 视频时长 发布时间 账号昵称 年龄 账号签名 作品地址 音乐作者
        音乐标题 音乐链接 静态封面 动态封面 标签_1 标签_2 标签_3 点赞数量 评论数量 收藏数量 分享数量 额外信息""",
        """作品类型 采集时间 账号UID SEC_UID 抖音号 SHORT_ID 作品ID 作品描述 发布时间 账号昵称 账号签名 作品地址 音乐标题 音乐链接 静态封面
        动态封面 TAG_1 TAG_2 TAG_3 点赞数量 评论数量 收藏数量 分享数量""",
        """作品类型 采集时间 账号UID 作品ID 作品描述 发布时间 账号昵称 作品地址 音乐标题 音乐链接 动态封面 静态封面 点赞数量 评论数量 收藏数量
        分享数量""",
    ),
    "comments": (
        """采集时间 评论ID 评论时间 UID SEC_UID 账号昵称 账号签名 年龄 IP归属地 评论内容 评论表情 评论图片 点赞数量 回复数量 回复ID 回复对象""",
        """采集时间 评论ID 评论时间 UID SEC_UID SHORT_ID 抖音号 账号昵称 账号签名 年龄 IP归属地 评论内容 评论表情 评论图片 点赞数量 回复数量
        回复ID 回复对象""",
        """采集时间 评论ID 评论时间 账号UID SEC_UID SHORT_ID 抖音号 账号昵称 账号签名 年龄 IP归属地 评论内容 评论表情 评论图片 点赞数量 回复数量
        回复ID""",
        """采集时间 评论ID 评论时间 UID 用户昵称 IP归属地 评论内容 评论图片 点赞数量 回复数量 回复ID""",
    ),
    "accounts": (
        """采集时间 昵称昵称 账号链接 账号签名 抖音号 年龄 性别 国家 省份 城市 地区 IP归属地 标签 企业 SEC_UID UID SHORT_ID 头像链接 背景图链接
        作品数量 获赞数量 喜欢数量 粉丝数量 关注数量 粉丝最大值""",
        """采集时间 昵称昵称 账号签名 抖音号 年龄 性别 国家 省份 城市 地区 IP归属地 标签 企业 SEC_UID UID SHORT_ID 头像链接 背景图链接 作品数量
        获赞数量 喜欢数量 粉丝数量 关注数量 粉丝最大值""",
    ),
}  # fmt: skip
KNOWN_COLUMNS = {table: tuple(tuple(order.split()) for order in orders) for table, orders in _COLUMNS.items()}
