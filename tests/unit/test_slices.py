"""Slices of the dev rows: which rows are in them, and what figures show of a model that spots keywords or reads no profile."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import yaml

from pinzhi.evaluation.baselines import keyword_overlap, tfidf_cosine
from pinzhi.evaluation.coherence import (
    OURS,
    TEXT_ONLY,
    Model,
    Said,
    by_slice,
    evaluate_swapped,
    models_compared,
    under_another_brand,
)
from pinzhi.evaluation.evaluate import slices_of_comments
from pinzhi.evaluation.slices import coherence_slices, comment_slices, content_words
from pinzhi.labels import Authenticity, Sentiment
from pinzhi.segment import Segmenter
from pinzhi.training.data import (
    AUTHENTICITIES,
    SENTIMENTS,
    CoherenceRow,
    CommentRow,
    Target,
    Value,
    read_coherence,
    read_comments,
)
from pipelines.evaluate import as_markdown, write_metrics

VALUES = {
    "a/farm": [Value("soil", "不伤土地：少用药，把土地留给下一代"), Value("price", "公道：价格透明，不收冤枉钱")],
    "a/shoes": [
        Value("last", "Made to Last: we repair and reuse", is_english=True),
        Value("fair", "Integrity: we keep our word", is_english=True),
    ],
    "a/bank": [Value("open", "透明：账目公开"), Value("safe", "安全：看好每一分积蓄")],
}
STUFFED = "土地用药标准再提高，土地留给下一代，礼盒上都印着"
LIVED = "三号地今年不打农药，虫眼多，张婶一颗颗挑"


def post(text: str, grade: int, brand: str = "a/farm", key: str = "soil", **more: str) -> CoherenceRow:
    expresses, contradicts = ((key,) if grade == 3 else ()), ((key,) if grade == 0 else ())
    return CoherenceRow(text, brand, grade, expresses, contradicts, (), platform="weibo", group=brand, **more)  # type: ignore[arg-type]


ROWS = [
    post(STUFFED, 0, kind="stuffed"),
    post(LIVED, 3, kind="no_keyword"),
    post("价格印在瓶身上", 3, key="price"),
    post("我们从不谈土地", 1, kind="irony"),
    post("鞋底磨穿了，补一补又是三年", 3, "a/shoes", "last", pair_id="a/p1"),
    post("鞋底磨穿了，扔掉吧", 0, "a/shoes", "last", pair_id="a/p1"),
    post("今天抽奖", 1, pair_id="a/p2"),
    post("今天抽奖", 2, "a/bank", "open", pair_id="a/p2"),
]


def inside(slices: dict[str, np.ndarray], name: str) -> list[int]:
    return np.flatnonzero(slices[name]).tolist()


def test_keywords_are_the_content_words_of_a_statement() -> None:
    assert content_words("不伤土地：少用药，把地留给我们自己") == {"土地", "用药", "留给"}
    assert content_words("不傷土地") == {"土地"}, "posts are normalised too"
    assert not content_words("Integrity: we keep our word")
    like = keyword_overlap(Segmenter())([LIVED, "这片土地"], ["不伤土地：少用药", "Integrity: we keep our word"])
    np.testing.assert_allclose(like, [[0, 0], [0.5, 0]])


def test_every_slice_holds_the_posts_that_it_names() -> None:
    slices = coherence_slices(ROWS, VALUES, Segmenter())
    assert inside(slices, "all") == list(range(8))
    assert inside(slices, "2 or more words of a value") == [0]
    assert inside(slices, "no word of any value") == [1, 6, 7], "English statements are in no slice by keywords"
    assert inside(slices, "words against the grade") == [0, 1], "a contradiction in its words, a deed without them"
    assert inside(slices, "a word of a value negated") == [3]
    assert inside(slices, "minimal pairs") == [4, 5] and inside(slices, "twins") == [6, 7]
    assert inside(slices, "statements in English") == [4, 5]
    assert inside(slices, "statements in Chinese") == [0, 1, 2, 3, 6, 7]
    assert inside(slices, "weibo") == list(range(8))
    assert [inside(slices, f"kind: {kind}") for kind in ("stuffed", "no_keyword", "irony")] == [[0], [1], [3]]
    assert inside(slices, "part: a") == list(range(8))
    assert "kind: " not in slices, "rows of which nothing is told are no kind"
    bands = [mask for name, mask in slices.items() if "characters" in name]
    assert (np.sum(bands, 0) == 1).all()


def of_likeness(like: np.ndarray, rows: Sequence[CoherenceRow]) -> Said:
    scored = [
        {value.key: np.full(4, x) for value, x in zip(VALUES[row.brand], of, strict=True)}
        for row, of in zip(rows, like, strict=True)
    ]
    return Said(scored, like.max(1), like.max(1))


def knows_truth(rows: Sequence[CoherenceRow]) -> Said:
    scored = [
        {
            value.key: np.array([0.1, 0.1, 0.9 * (value.key in row.expresses), 0.9 * (value.key in row.contradicts)])
            for value in VALUES[row.brand]
        }
        for row in rows
    ]
    return Said(scored, *(np.array([max(p[side] for p in of.values()) for of in scored]) for side in (2, 3)))


def spots_keywords(rows: Sequence[CoherenceRow]) -> Said:
    overlap = keyword_overlap(Segmenter())
    return of_likeness(
        np.concatenate([overlap([row.text], [value.text for value in VALUES[row.brand]]) for row in rows]), rows
    )


def reads_text_alone(rows: Sequence[CoherenceRow]) -> Said:
    return of_likeness(np.array([[len(row.text) / 100] * len(VALUES[row.brand]) for row in rows]), rows)


MODELS: dict[str, Model] = {OURS: knows_truth, "keyword_overlap": spots_keywords, TEXT_ONLY: reads_text_alone}


def test_keyword_spotting_fails_where_words_go_against_the_grade() -> None:
    said = {name: model(ROWS) for name, model in MODELS.items()}
    report = by_slice(ROWS, said, coherence_slices(ROWS, VALUES, Segmenter()))
    against = report["words against the grade"]
    assert against["n"] == 2
    assert against["auroc_expresses"][OURS]["value"] == 1.0 and against["auroc_expresses"]["keyword_overlap"] == 0.0
    assert against["contradiction_ap"] == {OURS: 1.0, "keyword_overlap": 1.0, TEXT_ONLY: 1.0, "chance": 0.5}
    assert report["all"]["auroc_value_expresses"][OURS] == 1.0 > report["all"]["auroc_value_expresses"][TEXT_ONLY]
    first = report["all"]["named_first_expresses"]
    assert (first[OURS], first["n"]) == (1.0, 3)
    assert first[TEXT_ONLY] == first["chance"] == 0.5, "who holds all values equally likely draws one"
    assert report["kind: irony"] == {"n": 1}, "what one post cannot show is left out"


def test_who_reads_no_profile_says_the_same_under_another() -> None:
    swapped = under_another_brand(ROWS)
    assert [row.text for row in swapped] == [row.text for row in ROWS]
    assert all(one.brand != row.brand for one, row in zip(swapped, ROWS, strict=True))
    assert len({(row.brand, one.brand) for one, row in zip(swapped, ROWS, strict=True)}) == 3, (
        "a brand has one stand-in"
    )
    assert under_another_brand(ROWS[:4]) == [], "there is no other brand"
    said = {name: model(ROWS) for name, model in MODELS.items()}
    report = evaluate_swapped(ROWS, said, MODELS)
    auroc = {name: one["value"] for name, one in report["auroc_own_against_other"].items()}
    assert report["n"] == 3 and auroc[OURS] == 1.0 and auroc[TEXT_ONLY] == 0.5
    assert report["likelier_under_own"] == {OURS: 1.0, "keyword_overlap": 0.6667, TEXT_ONLY: 0.5}
    assert report["mean_score_own"] > report["mean_score_other"] + 30
    assert (report["called_grade_3_own"], report["called_grade_3_other"]) == (1.0, 0.0)
    assert report["grade_changes"] == 5 / 8, "three that express and two that contradict"
    of_text = evaluate_swapped(ROWS, {OURS: said[TEXT_ONLY]}, {OURS: reads_text_alone})
    assert of_text["grade_changes"] == 0.0 and of_text["mean_score_own"] == of_text["mean_score_other"]


class Vectors:
    """Stands for `Heads`: embeds a text by how often four characters stand in it, and says the same of every value."""

    def posts(self, texts: Sequence[str]) -> tuple[np.ndarray, None]:
        counts = np.array([[text.count(letter) + 0.01 for letter in "土药价鞋"] for text in texts])
        return counts / np.linalg.norm(counts, axis=1, keepdims=True), None

    def encode_values(self, values: Sequence[str], examples: Sequence[Sequence[str]]) -> Sequence[str]:
        return values

    def coherence(self, texts: Sequence[str], values: Sequence[str], explain_from: float) -> tuple[np.ndarray, None]:
        return np.tile([0.7, 0.1, 0.1, 0.1], (len(texts), len(values), 1)), None


def test_every_model_is_asked_about_every_value() -> None:
    learnt = [post(f"{STUFFED}{n}", 0) for n in range(4)] + [post(f"{LIVED}{n}", 3) for n in range(4)]
    models = models_compared(Vectors(), learnt, VALUES, Segmenter())  # type: ignore[arg-type]
    said = {name: model(ROWS) for name, model in models.items()}
    assert set(said) == {OURS, "keyword_overlap", "tfidf_cosine", "embedding_cosine", TEXT_ONLY}
    for name, one in said.items():
        assert [set(of) for of in one.scored] == [{v.key for v in VALUES[row.brand]} for row in ROWS], name
        assert len(one.expresses) == len(one.contradicts) == len(ROWS)
    assert said[OURS].expresses[0] == pytest.approx((1 - 0.9**2) * 0.9**2)
    assert said["keyword_overlap"].expresses[:2].tolist() == [1.0, 0.0]
    cosine = tfidf_cosine([row.text for row in learnt])([LIVED], [value.text for value in VALUES["a/farm"]])
    assert said["tfidf_cosine"].expresses[1] == pytest.approx(cosine.max())
    text_only = said[TEXT_ONLY]
    assert text_only.expresses[1] > text_only.expresses[0] and text_only.contradicts[1] < text_only.contradicts[0]
    twins = [text_only.expresses[6], text_only.expresses[7]]
    assert twins[0] == twins[1] and said["embedding_cosine"].expresses[6] != said["embedding_cosine"].expresses[0]


def comment(text: str, under: str, sentiment: int, authenticity: Authenticity, kind: str = "") -> CommentRow:
    return CommentRow(
        text, under, "comments/x", "own", Target((SENTIMENTS.index(Sentiment(sentiment)),), (0, 1, 2)),
        Target((AUTHENTICITIES.index(authenticity),), (0, 1, 2, 3, 4)), platform="weibo", kind=kind,
    )  # fmt: skip


def test_complaints_of_a_storm_that_are_called_water_army_are_counted(tmp_path: Path) -> None:
    genuine, hired = Authenticity.GENUINE, Authenticity.WATER_ARMY
    storm = [comment(f"第{n}次退款了还不给", "涨价公告", -1, genuine, "storm" if n < 4 else "") for n in range(10)]
    calm = [comment(f"第{n}口好喝", "新品", 1, genuine, "fan") for n in range(10)] + [
        comment("太甜", "新品", -1, genuine)
    ]
    rows = [*storm, comment("垃圾品牌滚出去", "涨价公告", -1, hired), *calm]
    slices = comment_slices(rows)
    assert inside(slices, "complaints where most complain") == list(range(10)), "hired ones and calm posts are no storm"
    assert inside(slices, "kind: storm") == [0, 1, 2, 3] and inside(slices, "kind: fan") == list(range(11, 21))

    truth = {task: np.array([getattr(row, task).allowed[0] for row in rows]) for task in ("sentiment", "authenticity")}
    suspicious = truth["authenticity"].copy()
    suspicious[0] = AUTHENTICITIES.index(hired)
    report = slices_of_comments(
        rows,
        {
            "sentiment": {"pinzhi": truth["sentiment"], "tfidf": 0 * truth["sentiment"]},
            "authenticity": {"pinzhi": suspicious, "tfidf": truth["authenticity"]},
        },
    )
    assert report["kind: storm"]["genuine_called_water_army"] == {"pinzhi": 0.25, "tfidf": 0.0, "n": 4}
    assert report["complaints where most complain"]["genuine_called_water_army"]["pinzhi"] == 0.1
    assert report["all"]["genuine_called_water_army"]["n"] == len(rows) - 1
    assert report["kind: fan"]["sentiment_accuracy"] == {"pinzhi": 1.0, "tfidf": 0.0}
    assert report["kind: storm"]["authenticity_macro_f1"]["pinzhi"]["value"] == pytest.approx(0.4286)

    written = write_metrics({"models": {}, "metrics": {"comments": {"n": 3, "slices": report}}}, tmp_path)
    page = as_markdown(json.loads(Path(written).read_text("utf-8"))).splitlines()
    heads, row = page[page.index("### comments, by slice") + 2], next(one for one in page if "| kind: storm |" in one)
    assert "| genuine_called_water_army: pinzhi / tfidf / n |" in heads and "| 0.250 / 0.000 / 4 |" in row
    assert heads.count("|") == row.count("|") and "| n | 3 |" in page
    assert "| 0.429 / 1.000 |" in row, "of one class alone there is no interval"


def test_kinds_are_read_where_labels_name_them(tmp_path: Path) -> None:
    graded, comments = tmp_path / "coherence" / "s", tmp_path / "comments" / "q"
    graded.mkdir(parents=True)
    comments.mkdir(parents=True)
    profile = {"id": "b", "values": [{"id": "v", "name": "名", "statement": "话"}]}
    (graded / "brands.yaml").write_text(yaml.safe_dump([profile], allow_unicode=True), "utf-8")
    of_post = {
        "text": "文",
        "brand": "b",
        "grade": 1,
        "expresses": [],
        "contradicts": [],
        "hard": False,
        "platform": "weibo",
    }
    of_comment = {"post_id": "p", "author_id": "u", "text": "好", "sentiment": 1, "authenticity": "genuine"}
    published = {"post_id": "p", "account_id": "x", "text": "文", "platform": "weibo"}
    for path, row, kinds in (
        (graded / "posts.jsonl", of_post, ({"kind": "irony"}, {"kind": None}, {})),
        (comments / "comments.jsonl", of_comment, ({"kind": "storm"}, {"kind": None}, {})),
        (comments / "posts.jsonl", published, ({},)),
    ):
        path.write_text("".join(json.dumps({**row, **kind}) + "\n" for kind in kinds), "utf-8")
    rows, _ = read_coherence(tmp_path)
    assert [row.kind for row in rows] == ["irony", "", ""]
    assert [row.kind for row in read_comments(tmp_path)] == ["storm", "", ""]
