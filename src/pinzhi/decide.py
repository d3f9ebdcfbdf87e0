"""Measures to labels, scores and verdicts: the one place where thresholds are applied."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pinzhi import schemas
from pinzhi.config import ScoreConfig
from pinzhi.labels import Authenticity, Grade, Originality, Sentiment, Verdict
from pinzhi.text import is_blank, letters, normalise


@dataclass(frozen=True)
class Reason:
    """What a reason code means and what to do, in both languages."""

    zh: str
    en: str


REASONS: dict[str, Reason] = {
    "contradicts_values": Reason("内容违背品牌声明的价值观，先改掉标出的句子。", "Contradicts a declared value; change the marked words first."),
    "expresses_values": Reason("内容体现了品牌的价值观。", "Expresses a declared value."),
    "touches_values": Reason("只提到价值观，没有实质内容，补上具体的人和事。", "Names a value without substance; add a fact, an act or a story."),
    "unrelated_to_values": Reason("与品牌声明的价值观无关。", "Unrelated to the declared values."),
    "no_brand": Reason("没有对应的品牌资料，未评价值观。", "No brand profile applies, so values were not scored."),
    "duplicate": Reason("与更早的内容几乎相同，请写自己的。", "Nearly the same as an earlier post; write your own."),
    "rewrite": Reason("像是改写（洗稿）自更早的内容。", "Reads as a rewrite of an earlier post."),
    "template": Reason("套话模板，读者在许多账号都见过。", "Boilerplate that readers have met on many accounts."),
    "quote": Reason("主要是转引，加上自己的看法会更好。", "Mostly a quotation; add words of your own."),
    "syndication": Reason("品牌自己在其他平台的内容，不扣分。", "The brand's own text on another platform; costs nothing."),
    "recycled": Reason("重复使用自己发过的内容。", "Recycles the account's own earlier post."),
    "undetermined": Reason("有近似内容，但时间相同或缺失，无法判断谁先。", "A near match has an equal or missing time; nobody may be named the copy."),
    "too_few_comments": Reason("评论太少，无法估计真实互动。", "Too few comments to estimate genuine interaction."),
    "bought_interaction": Reason("评论中真实互动比例低。", "Few of the comments are genuine."),
    "no_text": Reason("没有正文，无法评价。", "There is no text to judge."),
    "low_quality": Reason("综合质量偏低。", "Overall quality is low."),
    "hidden_followers": Reason("粉丝数未公开或缺失，无法估计。", "Follower count hidden or missing."),
    "zero_followers": Reason("粉丝数为零。", "No followers."),
    "no_posts": Reason("没有可评估的内容。", "No posts to judge by."),
    "new_account": Reason("新账号，内容太少，还看不出粉丝真假。", "A new account with too few posts to tell."),
    "dormant_account": Reason("账号久未更新，无法判断粉丝是否还在。", "Nothing was posted for long; nobody can tell who is still there."),
    "likes_without_comments": Reason("点赞远多于评论，比平时或同级账号高出许多倍，像是买赞。", "Many times more likes a comment than usual: likes look bought."),
    "reposts_without_comments": Reason("转发远多于评论，比平时或同级账号高出许多倍，像是买转发或抽奖。", "Many times more reposts a comment than usual: bought, or a lottery."),
    "lottery_burst": Reason("粉丝在抽奖期间猛增，多半只为奖品。", "Followers jumped while a lottery ran; most came for the prize."),
    "follower_burst": Reason("粉丝数有异常猛增，像是购买。", "A sudden jump of followers looks bought."),
    "few_real_fans": Reason("真实粉丝占比低：粉丝多，真实互动少。", "Few followers are real: many of them, little genuine interaction."),
    "looks_fed": Reason("像是有人喂养的账号（营销号或机器号），不像真人在用。", "Reads like an account that somebody feeds, not one that a person lives in."),
    "not_weibo": Reason("只在微博上学过怎样的账号像被喂养。", "What fed accounts look like was learnt on Weibo alone."),
    "too_few_posts": Reason("内容太少，看不出账号是否被喂养。", "Too few posts to tell whether somebody feeds it."),
    "hidden_counts": Reason("多数内容缺转发、评论或点赞数，看不出账号是否被喂养。", "Most posts lack a count of reposts, comments or likes."),
    "no_account_model": Reason("没有判断账号的模型。", "The models in use hold none of accounts."),
    "genuine_community": Reason("粉丝真实、互动真诚。", "A genuine community."),
}  # fmt: skip


def _matrix(table: pa.Table, names: Sequence[str]) -> np.ndarray:
    return np.stack([table[name].to_numpy().astype(float) for name in names], axis=1)


def _column(table: pa.Table, name: str) -> np.ndarray:
    """A numeric column as floats, null as NaN."""
    return table[name].cast(pa.float64()).to_numpy(zero_copy_only=False)


def originality(p: np.ndarray, is_syndicated: np.ndarray, config: ScoreConfig) -> np.ndarray:
    """Originality 0-100 from probabilities [n, 5]; a brand's own text on another platform costs nothing."""
    settings = config.originality
    worth = np.tile([1.0, 0.0, 0.0, settings.template_worth, settings.quote_worth], (len(p), 1))
    worth[is_syndicated, 1:3] = 1.0
    return np.clip(100 * (p * worth).sum(1), 0, 100)


def _as_shown(p: np.ndarray, spans: pa.ChunkedArray, config: ScoreConfig) -> np.ndarray:
    """Probabilities [n, 5] after a rewrite of which no passage can be shown has given up its share to original: over a
    whole archive most of such likenesses are chance, and an author accused of one could not be told why."""
    n_spans = pc.fill_null(pc.list_value_length(spans), 0).to_numpy()
    lost = np.where(n_spans == 0, (1 - config.originality.unshown_weight) * p[:, 2], 0)
    result = p.copy()
    result[:, 0] += lost
    result[:, 2] -= lost
    return result


def _as_boilerplate(p: np.ndarray, is_boilerplate: np.ndarray) -> np.ndarray:
    """Probabilities [n, 5] after the copies among boilerplate (mask [n]) have become templates: what many accounts fill in is
    copied from nobody. What is original in them stays so, for a report in the usual form brings news."""
    result = p.copy()
    result[is_boilerplate, 3] += result[is_boilerplate, 1:3].sum(1)
    result[is_boilerplate, 1:3] = 0
    return result


def _originality_label(p: np.ndarray, raw: np.ndarray, is_undetermined: bool, config: ScoreConfig) -> Originality:
    """Label from probabilities [5]; `raw` [5], as the judge gave them, tells a duplicate from a rewrite."""
    settings = config.originality
    if p[3] >= settings.template_from:
        return Originality.TEMPLATE
    if p[4] >= settings.quote_from:
        return Originality.QUOTE
    if p[1] + p[2] >= settings.derived_from:
        return Originality.DUPLICATE if raw[1] >= raw[2] else Originality.REWRITE
    if 1 - p[0] >= settings.derived_from:
        # Surely not original, though no class alone has enough: the likeliest of them.
        likely = int(p[1:].argmax())
        return (Originality.DUPLICATE, Originality.REWRITE, Originality.TEMPLATE, Originality.QUOTE)[likely]
    return Originality.UNDETERMINED if is_undetermined else Originality.ORIGINAL


def coherence(values: Sequence[dict[str, Any]] | None) -> tuple[float, Grade] | tuple[None, None]:
    """Coherence 0-100 and grade of a post from its values. Contradiction beats expression. Null without a brand."""
    if not values:
        return None, None
    likely = any_value(values)
    return likely.score, likely.grade


@dataclass(frozen=True)
class AnyValue:
    """How likely a post contradicts one of its brand's values, expresses one and contradicts none, or is about one at all."""

    contradicts: float
    expresses: float
    related: float

    @property
    def score(self) -> float:
        """Coherence 0-100."""
        return 100 * ((1 - self.contradicts) * (0.4 + 0.1 * self.related) + 0.5 * self.expresses)

    @property
    def grade(self) -> Grade:
        """The likeliest."""
        chances = {
            Grade.CONTRADICTS: self.contradicts,
            Grade.UNRELATED: 1 - self.related,
            Grade.TOUCHES: self.related - self.contradicts - self.expresses,
            Grade.EXPRESSES: self.expresses,
        }
        return max(chances, key=lambda grade: chances[grade])


def any_value(values: Sequence[Mapping[str, Any]]) -> AnyValue:
    """What the probabilities of all values make of the post: a reader can be sure that a story lives up to something and unsure to
    what. What contradicts a value does not count as expressing another."""

    def of_any(*kinds: str) -> float:
        return 1 - math.prod(1 - min(1.0, sum(value[kind] for kind in kinds)) for value in values)

    contradicts = of_any("p_contradicts")
    expresses = of_any("p_expresses") * (1 - contradicts)
    return AnyValue(contradicts, expresses, of_any("p_touches", "p_expresses", "p_contradicts"))


# Posts without a trace of a value from which it is called never expressed: half of the values of labelled brands are expressed in less
# than 0.075 of their posts, and of such a one 40 posts show nothing by chance in 4 of 100 cases.
LEAST_POSTS = 40
STANCES = {"expresses": Grade.EXPRESSES, "touches": Grade.TOUCHES, "contradicts": Grade.CONTRADICTS}


def named_values(values: Sequence[Mapping[str, Any]] | None, grade: Grade | None) -> dict[str, list[str]]:
    """Ids of the values that a post of this grade expresses, touches and contradicts: those at least half as likely as the
    likeliest, for a grade rests on all values together and is the doing of those that lead it."""
    named: dict[str, list[str]] = {}
    for stance, of_grade in STANCES.items():
        lead = max((value[f"p_{stance}"] for value in values or ()), default=0.0) if grade is of_grade else 0.0
        named[stance] = [value["value_id"] for value in values or () if lead > 0 and value[f"p_{stance}"] >= lead / 2]
    return named


_DERIVED = (Originality.DUPLICATE, Originality.REWRITE)
_GRADE_REASON = {
    Grade.CONTRADICTS: "contradicts_values",
    Grade.UNRELATED: "unrelated_to_values",
    Grade.TOUCHES: "touches_values",
    Grade.EXPRESSES: "expresses_values",
}


def decide_posts(measures: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append originality, originality_label, coherence, coherence_grade, the values that each post expresses, touches and
    contradicts, interaction, quality, verdict and reasons; only a duplicate or a rewrite keeps its source. A post without words gets no score and no verdict."""
    raw = _matrix(measures, schemas.P_ORIGINALITY)
    platforms, source_platforms = measures["platform"].to_pylist(), measures["source_platform"].to_pylist()
    is_self = measures["is_self"].to_pylist()
    syndicated = np.array(
        [bool(own) and source != here for own, source, here in zip(is_self, source_platforms, platforms, strict=True)],
        dtype=bool,
    )
    is_boilerplate = _column(measures, "n_frame_accounts") >= config.originality.template_accounts
    p = _as_boilerplate(_as_shown(raw, measures["spans"], config), is_boilerplate & ~syndicated)
    original = originality(p, syndicated, config)
    undetermined = measures["is_undetermined"].to_pylist()
    worded = np.array([not is_blank(text) for text in measures["text"].to_pylist()], dtype=bool)
    read = worded | np.array([bool((title or "").strip()) for title in measures["title"].to_pylist()], dtype=bool)
    original[~worded] = np.nan
    labels = [
        _originality_label(row, raw[i], bool(undetermined[i]), config) if worded[i] else Originality.UNDETERMINED
        for i, row in enumerate(p)
    ]
    values = measures["values"].to_pylist()
    graded = [coherence(one if read[i] else None) for i, one in enumerate(values)]
    named = [named_values(one, grade) for one, (_, grade) in zip(values, graded, strict=True)]
    share = _column(measures, "genuine_share")
    n_comments = _column(measures, "n_comments")
    interaction = 100 * share
    coherent = np.array([np.nan if score is None else score for score, _ in graded], dtype=float)
    parts = np.stack([original, coherent, interaction], axis=1)
    weights = np.array([config.quality.originality, config.quality.coherence, config.quality.interaction])
    present = ~np.isnan(parts)
    present[~read] = False
    weight = present @ weights
    quality = np.where(weight > 0, np.where(present, parts, 0) @ weights / np.maximum(weight, 1e-9), np.nan)

    odd = {f"{count}_without_comments": _is_odd(measures, count, config) for count in ("likes", "reposts")}

    verdicts: list[str | None] = []
    reasons = []
    for i, label in enumerate(labels):
        codes: list[str] = [] if worded[i] else ["no_text"]
        if not read[i]:
            verdicts.append(None)
            reasons.append(codes)
            continue
        grade = graded[i][1]
        codes.append("no_brand" if grade is None else _GRADE_REASON[grade])
        if label in _DERIVED:
            codes += ["syndication"] if syndicated[i] else [label.value, *(["recycled"] if is_self[i] else [])]
        elif worded[i] and label is not Originality.ORIGINAL:
            codes.append(label.value)
        if np.isnan(share[i]) and n_comments[i] > 0:
            codes.append("too_few_comments")
        elif not np.isnan(share[i]) and share[i] < 0.5:
            codes.append("bought_interaction")
        codes += [code for code, flags in odd.items() if flags[i]]
        if quality[i] < config.verdict.publish_from:
            codes.append("low_quality")
        copied = label in _DERIVED and not syndicated[i]
        if (
            grade is Grade.CONTRADICTS
            or quality[i] < config.verdict.hold_below
            or (label is Originality.DUPLICATE and copied)
        ):
            verdict = Verdict.HOLD
        elif (
            copied
            or label is Originality.TEMPLATE
            or grade is Grade.TOUCHES
            or quality[i] < config.verdict.publish_from
        ):
            verdict = Verdict.REVISE
        else:
            verdict = Verdict.PUBLISH
        verdicts.append(verdict.value)
        reasons.append(codes)
    columns = {
        "originality": _scores(original),
        "originality_label": pa.array([label.value for label in labels], pa.string()),
        **_sources(measures, np.array([label in _DERIVED for label in labels], dtype=bool)),
        "coherence": _scores(coherent),
        "coherence_grade": pa.array([None if grade is None else int(grade) for _, grade in graded], pa.int8()),
        **{stance: pa.array([one[stance] for one in named], pa.list_(pa.string())) for stance in STANCES},
        "interaction": _scores(interaction),
        "quality": _scores(quality),
        "verdict": pa.array(verdicts, pa.string()),
        "reasons": pa.array(reasons, pa.list_(pa.string())),
    }
    return _with(measures, columns)


def _is_odd(measures: pa.Table, count: str, config: ScoreConfig) -> np.ndarray:
    """Whether each post [n] has many times more likes or reposts a comment than is usual for its account or tier; never where
    neither was measured."""
    names = (f"{count}_vs_own", f"{count}_vs_tier")
    if not {count, *names} <= set(measures.column_names):
        return np.zeros(measures.num_rows, dtype=bool)
    times = np.stack([np.nan_to_num(_column(measures, name)) for name in names])
    enough = np.nan_to_num(_column(measures, count)) >= config.interaction.odd_from
    return enough & (times.max(0) >= config.interaction.odd_times)


def _sources(measures: pa.Table, is_derived: np.ndarray) -> dict[str, pa.ChunkedArray]:
    """The source columns, null where a post does not count as derived."""
    names = (
        "source_platform", "source_post_id", "source_account_id", "source_published_at", "source_similarity", "spans",
        "other_sources",
    )  # fmt: skip
    return {name: pc.if_else(pa.array(is_derived), measures[name], None) for name in names}


def decide_comments(measures: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append sentiment and authenticity. A comment that acts together with others (`coordination_id`) and is no
    lottery entry, advertisement or empty mark is water army, whatever it reads like alone; a wording too short to be
    anybody's own (`min_letters`) is so in company only: 好用！ is genuine once."""
    p = _matrix(measures, schemas.P_AUTHENTICITY)
    together = (
        measures["coordination_id"].to_pylist() if "coordination_id" in measures.column_names else [None] * len(p)
    )
    water_army = tuple(Authenticity).index(Authenticity.WATER_ARMY)
    texts = measures["text"]
    for row in np.flatnonzero(p.argmax(1) == water_army).tolist():
        if together[row] is None and len(letters(normalise(texts[row].as_py()).text)) < config.comments.min_letters:
            p[row, water_army] = 0
    labels = [tuple(Authenticity)[i] for i in p.argmax(1)]
    for i, group in enumerate(together):
        if group is not None and labels[i] is Authenticity.GENUINE:
            labels[i] = Authenticity.WATER_ARMY
    feeling = _matrix(measures, schemas.P_SENTIMENT).argmax(1)
    silent = {Authenticity.SPAM, Authenticity.EMPTY}
    sentiment = [
        Sentiment.NEUTRAL if label in silent else tuple(Sentiment)[k] for k, label in zip(feeling, labels, strict=True)
    ]
    return _with(
        measures,
        {
            "sentiment": pa.array([int(s) for s in sentiment], pa.int8()),
            "authenticity": pa.array([label.value for label in labels], pa.string()),
        },
    )


TIERS = ("nano", "micro", "macro", "mega")


def decide_accounts(accounts: pa.Table, config: ScoreConfig) -> pa.Table:
    """Append tier, rank_in_tier, verdict and complete reasons; `accounts` brings real_share and its null reasons, and p_fed where
    it was measured. The verdict is of the followers alone: a fed account may have real ones."""
    followers = accounts["followers"].to_pylist()
    share = accounts["real_share"].to_pylist()
    tiers = [None if f is None else TIERS[int(np.searchsorted(config.accounts.tiers, f, "right"))] for f in followers]
    order = sorted(
        (i for i in range(len(share)) if share[i] is not None),
        key=lambda i: (-share[i], accounts["platform"][i].as_py(), accounts["account_id"][i].as_py()),
    )
    ranks: list[int | None] = [None] * len(share)
    counted: dict[str | None, int] = {}
    for i in order:
        counted[tiers[i]] = counted.get(tiers[i], 0) + 1
        ranks[i] = counted[tiers[i]]
    fed = _column(accounts, "p_fed") if "p_fed" in accounts.column_names else np.full(len(share), np.nan)
    verdicts, reasons = [], []
    for i, given in enumerate(accounts["reasons"].to_pylist()):
        codes = list(given or [])
        if share[i] is None:
            verdicts.append("unknown")
        elif share[i] >= config.accounts.genuine_from:
            verdicts.append("genuine")
            codes.append("genuine_community")
        elif share[i] < config.accounts.bought_below:
            verdicts.append("bought")
            codes.append("few_real_fans")
        else:
            verdicts.append("mixed")
        if fed[i] >= config.accounts.fed_from:
            codes.append("looks_fed")
        reasons.append(codes)
    return _with(
        accounts,
        {
            "tier": pa.array(tiers, pa.string()),
            "rank_in_tier": pa.array(ranks, pa.int32()),
            "verdict": pa.array(verdicts, pa.string()),
            "reasons": pa.array(reasons, pa.list_(pa.string())),
        },
    )


def _scores(values: np.ndarray) -> pa.Array:
    """Scores with two decimals; NaN is null."""
    return pa.array(np.round(values, 2), pa.float64(), from_pandas=True).cast(pa.float32())


def _with(table: pa.Table, columns: Mapping[str, pa.Array | pa.ChunkedArray]) -> pa.Table:
    """`table` with `columns` set, in place where they were."""
    for name, column in columns.items():
        at = table.schema.get_field_index(name)
        table = table.append_column(name, column) if at < 0 else table.set_column(at, name, column)
    return table
