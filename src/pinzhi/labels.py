"""The labels of the annotation guideline, in the order in which models emit their probabilities."""

from enum import IntEnum, StrEnum


class Originality(StrEnum):
    """What a post is, given only what was published before it."""

    ORIGINAL = "original"
    DUPLICATE = "duplicate"
    REWRITE = "rewrite"  # 洗稿
    TEMPLATE = "template"  # 模板
    QUOTE = "quote"  # 转引
    UNDETERMINED = "undetermined"  # equal or missing times: nobody may be named the copy; never a model class


ORIGINALITY_CLASSES = tuple(Originality)[:5]


class Grade(IntEnum):
    """A post against a brand's declared values."""

    CONTRADICTS = 0
    UNRELATED = 1
    TOUCHES = 2
    EXPRESSES = 3


class Sentiment(IntEnum):
    """Towards the brand, product or post."""

    NEGATIVE = -1
    NEUTRAL = 0
    POSITIVE = 1


class Authenticity(StrEnum):
    """Who speaks in a comment, and for whose sake."""

    GENUINE = "genuine"
    INCENTIVE = "incentive"  # 抽奖, 打卡
    WATER_ARMY = "water_army"  # 水军
    SPAM = "spam"
    EMPTY = "empty"


class Verdict(StrEnum):
    """Before publishing."""

    PUBLISH = "publish"
    REVISE = "revise"
    HOLD = "hold"
