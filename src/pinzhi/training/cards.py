"""What a version says of itself: its labels and features, what it was trained on, and a card for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from pinzhi.evaluation.figures import figure_table
from pinzhi.heads import account
from pinzhi.heads.modules import PairJudge, ValueMatcher
from pinzhi.heads.predict import MANNERS
from pinzhi.interaction.account_features import TAUGHT
from pinzhi.labels import Authenticity, Sentiment
from pinzhi.originality.evidence import FEATURES
from pinzhi.training.accounts import ACCOUNTS

LABELS: Mapping[str, Sequence[str]] = {
    "sentiment": [s.name.lower() for s in Sentiment],
    "authenticity": list(Authenticity),
    "manner": MANNERS,
    "coherence": ValueMatcher.CLASSES,
    "originality": PairJudge.CLASSES,
    account.HEAD: account.CLASSES,
}
READS: Mapping[str, Sequence[str]] = {"originality": FEATURES, account.HEAD: TAUGHT}
SOURCES: Mapping[str, str] = {
    "encoder": "raw_text (everyday_dialogue_qa without c3, everyday_life_articles, everyday_titles, misc_short, "
    "news_articles_cnews, a quarter of weibo_posts_covid19), threads/ced, the training texts of online_shopping_10_cats, "
    "chnsenticorp_htl, waimai_10k, weibo2018, eprstmt, osm2022, bdci2018_car_aspect, weibo_senti_100k_sample, "
    "covid19_weibo_7emo, simplifyweibo_4_moods_sample, smp2020_ewect, weibo_moods8, game_chat_ads, group_chat_ads, iflytek_few, "
    "nlpcc2017_headline, thucnews_titles, tnews_few, hancd_clickbait, afqmc, atec, bq_corpus, bustm_few, lcqmc, oppo_xiaobu, "
    "pawsx_zh, stsb_zh, sohu_news_match, huawei_weibo; labels of all that the heads were trained on, bdci2018_car_aspect, "
    "covid19_weibo_7emo, weibo_rumor without CHECKED, hancd_clickbait, thucnews_titles, nlpcc2017_headline",
    "sentiment": "labels/comments; online_shopping_10_cats, chnsenticorp_htl, waimai_10k, weibo2018, eprstmt, "
    "smp2020_ewect, weibo_moods8, osm2022",
    "authenticity": "labels/comments; group_chat_ads, game_chat_ads",
    "embedding": "labels/originality: rewrites and their sources; its origin is the middle of labels/coherence and labels/comments",
    "manner": "labels/originality: templates, quotes, sources",
    "coherence": "labels/coherence; cmnli_zh, csnli_zh, iflytek_few",
    "originality": "labels/originality: the reader all pairs, the judge of evidence those that the encoder did not practise on",
    account.HEAD: "accounts/weibo_568",
}
LIMITS: Mapping[str, str] = {
    "sentiment": "Irony without a marker, dialect and two-character comments are weak.",
    "authenticity": "Lone praise and paid praise read alike; the archive's context decides, not this head.",
    "coherence": "Quiet violations and values of trades that were never seen; blunt violations are found best.",
    "originality": "Rewrites in another form and person (grades 4 and 5) are often missed.",
    account.HEAD: "281 accounts of one platform, the real ones people, most of them large and well answered: an account of a person or company "
    "whom nobody answers reads as fed, and bought likes and comments read as a life.",
}
_HELD_OUT = {
    account.HEAD: "accounts that share no post with a training one (ten folds; the shipped weights learnt all of them)"
}
_REPRODUCE = {account.HEAD: f"`python -m pipelines.probe DATA --tasks {ACCOUNTS}`"}


def model_card(head: str, data: str, report: Mapping[str, Any]) -> str:
    """Model card in Markdown: what it does, what it was trained on (`data`), how good it is, where it fails."""
    lines = [f"# {head}", "", f"Labels: {', '.join(LABELS.get(head, ())) or 'none'}. Trained on: {data}."]
    lines += ["", "Weights are learnt; no sentence of the data is part of them. Several public sets state no licence:"]
    lines += ["treat weights trained on them as research until their terms are settled.", ""]
    if head in LIMITS:
        lines += [f"Known failures: {LIMITS[head]}", ""]
    if report:
        of = _HELD_OUT.get(head, "dev rows that share no brand, account or topic with a training row")
        lines += [f"Metrics on {of}; `metrics.json` has those of slices too:", ""]
        lines += [*figure_table(report), ""]
    how = _REPRODUCE.get(head, "while this version is the active one: `python -m pipelines.evaluate DATA`")
    lines += [f"Reproduce{': ' if head in _REPRODUCE else ', '}{how}."]
    return "\n".join(lines) + "\n"
