"""The page that a marketer opens: what it says first, how it is built, what it does with odd tables."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from pinzhi.archive import run
from pinzhi.brand import BrandProfile
from pinzhi.report import charts, summary, summary_markdown, write_report
from pinzhi.report.build import LONGEST, SHOWN_POSTS, marked
from pinzhi.report.glance import Change, Share
from pinzhi.report.words import WORDS
from pinzhi.schemas import OUTPUT
from pinzhi.tables import read_table
from tests.conftest import ROOT
from tests.fakes import FakeScorer
from tests.integration.test_archive import KEY, settings, write_archive

N_ACCOUNTS = 40
LONG_NAME = "名字很长的账号" * 40


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which acc1 speaks for a brand, many other accounts do not, and two hardly anybody answered."""
    folder = tmp_path_factory.mktemp("report")
    archive = write_archive(folder / "a", 0, 60)
    row = {"platform": "weibo", "published_at": "2026-01-09T08:00:00+08:00"}
    more = [
        row | {"post_id": f"o{i}", "account_id": f"other{i}", "text": f"第{i}家店今天开门迎客" * 300}
        for i in range(N_ACCOUNTS)
    ]
    (archive / "posts_more.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in more), "utf-8")
    names = [{"platform": "weibo", "account_id": "acc1", "name": LONG_NAME, "followers": 9000, "following": 8, "posts": 90},
             *({"platform": "weibo", "account_id": one, "name": "<b>小满</b>", "followers": 9000, "following": 8, "posts": 90} for one in ("acc0", "acc2"))]  # fmt: skip
    (archive / "accounts.jsonl").write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in names), "utf-8")
    profile = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    account = profile.accounts[0].model_copy(update={"platform": "weibo", "account_id": "acc1"})
    profile = profile.model_copy(update={"name": "绿|野 & <友>", "accounts": (account,)})
    run([archive], [profile], folder / "out", scorer=FakeScorer(), config=settings(), pseudonymise=KEY)
    return folder / "out"


@pytest.fixture(scope="module")
def pages(out: Path) -> dict[str, str]:
    return {lang: write_report(out, lang).read_text("utf-8") for lang in WORDS}


VOID = {"meta", "br"}


class Outline(HTMLParser):
    """What encloses what; every start has its end."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None], tuple[str, ...]]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("lang", WORDS)
def test_the_page_is_whole_light_and_asks_nobody(lang: str, pages: dict[str, str]) -> None:
    page = pages[lang]
    outline = Outline(page)
    assert not outline.open and len(page) < 400_000
    policy = next(a["content"] for tag, a, _ in outline.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    assert not {tag for tag, _, _ in outline.found} & {"script", "link", "img", "iframe", "object", "form"}
    assert not re.search(r"\b(on\w+|src)=|url\(|@import", page)
    assert "{" not in re.sub(r"<style>.*?</style>", "", page, flags=re.S), "a word was not filled in"


@pytest.mark.parametrize("lang", WORDS)
def test_the_page_can_be_read_out_and_on_a_phone(lang: str, pages: dict[str, str]) -> None:
    outline = Outline(pages[lang])
    tags = [tag for tag, _, _ in outline.found]
    assert tags.count("h1") == tags.count("main") == tags.count("nav") == 1
    ids = {a["id"] for _, a, _ in outline.found if "id" in a}
    linked = {a["href"] for tag, a, _ in outline.found if tag == "a"}
    assert linked and all(href in {f"#{one}" for one in ids} for href in linked)
    assert all(a.get("aria-label") for tag, a, _ in outline.found if tag == "section")
    assert all(a.get("scope") == "col" for tag, a, _ in outline.found if tag == "th")
    assert all(a.get("aria-hidden") == "true" or a.get("role") == "img" for tag, a, _ in outline.found if tag == "svg")
    shapes = re.findall(r'<svg class="chart" role="img".*?>(.{7})', pages[lang])
    assert shapes and set(shapes) == {"<title>"}
    scrolled = re.findall(r'(<div class="scroll"[^>]*>)?<table>', pages[lang])
    assert scrolled and all(scrolled), "a table would break a narrow screen"
    assert 'name="viewport"' in pages[lang]


def test_both_languages_say_everything() -> None:
    assert WORDS["zh"].keys() == WORDS["en"].keys()
    for key, zh in WORDS["zh"].items():
        assert zh and set(re.findall(r"{\w+}", zh)) == set(re.findall(r"{\w+}", WORDS["en"][key])), key


def test_the_verdict_comes_first_and_counts_only_the_brands_own_posts(out: Path, pages: dict[str, str]) -> None:
    posts = read_table(out / "posts", OUTPUT["posts"]).to_pylist()
    own = [row for row in posts if row["account_id"] == "acc1"]
    ours, others = summary(out)["brands"]
    assert ours["brand"] == "lvye" and others["brand"] is None and ours["n_posts"] == len(own) == 20
    original = sum(row["originality_label"] == "original" for row in own)
    assert ours["original"].n == 20 and ours["original"].value == pytest.approx(original / 20)
    assert ours["coherent"].value == pytest.approx(sum(row["coherence_grade"] == 3 for row in own) / 20)
    assert all(0 <= s.low <= s.value <= s.high <= 1 for s in (ours["original"], ours["coherent"], ours["genuine"]))
    comments = read_table(out / "comments", OUTPUT["comments"]).to_pylist()
    ids = {row["post_id"] for row in own}
    assert ours["genuine"].n == sum(row["post_id"] in ids and not row["is_owner"] for row in comments)
    page = pages["zh"]
    titles = re.findall("<h2>(.*?)</h2>", page)
    assert titles[:3] == ["一眼看清", "接下来做什么", "社区"]
    assert "绿|野 &amp; &lt;友&gt;" in page and "<友>" not in page
    assert f"{100 * ours['original'].value:.0f}%</b>" in page


def test_people_and_posts_to_mend_are_our_own(out: Path, pages: dict[str, str]) -> None:
    community = read_table(out / "community", OUTPUT["community"]).to_pylist()
    n = sum(row["kind"] == "critic" and row["account_id"] == "acc1" for row in community)
    assert 0 < n < sum(row["kind"] == "critic" for row in community)
    assert summary(out)["todo"]["critic"] == n
    for name in ("社区", "违背价值观的内容", "最需要改的内容", "最好的内容"):
        section = pages["zh"].split(f"<h2>{name}</h2>")[1].split("</section>")[0]
        assert "acc0" not in section and "小满" not in section and "other" not in section


def test_long_tables_and_texts_are_cut_and_say_so(pages: dict[str, str]) -> None:
    accounts = pages["zh"].split("<h2>账号：")[1].split("</section>")[0]
    rows = accounts.count("<tr>") - 1
    assert rows < N_ACCOUNTS + 3 and f"共 {N_ACCOUNTS + 3}，此处列出前 {rows}" in accounts
    assert f"{N_ACCOUNTS + 3} in all, the first {rows} shown" in pages["en"]
    assert LONG_NAME not in pages["zh"] and LONG_NAME[:26] in pages["zh"]
    assert "<b>小满</b>" not in pages["zh"] and "&lt;b&gt;小满" in pages["zh"]
    lines = pages["zh"].split("<h3>每月真实评论与转发</h3>")[1].split("</figcaption>")[0]
    assert lines.count("小满") == 2, "accounts of one name have a line each"
    lists = [pages["zh"].split(f'id="{name}"')[1].split("</section>")[0] for name in ("violations", "worst", "best")]
    assert max(one.count("<article") for one in lists) == SHOWN_POSTS
    assert all(
        (f"此处列出前 {SHOWN_POSTS}；其余在 posts/" in one) == (one.count("<article") == SHOWN_POSTS) for one in lists
    )
    text = "短句。" + "很长" * 20_000
    pieces = marked(text, [{"start": 0, "end": 2}, {"start": 39_000, "end": 39_990}])
    assert sum(len(piece) for _, piece in pieces) < LONGEST + 500 and pieces[0] == (1, "短句")
    assert marked("说到，却违背", [{"start": 0, "end": 2}], against=[{"start": 1, "end": 6}]) == [
        (1, "说"),
        (2, "到，却违背"),
    ]


def test_too_little_is_said_and_not_shown_as_nothing(tmp_path: Path) -> None:
    row = {
        "platform": "weibo",
        "post_id": "1",
        "account_id": "a",
        "published_at": "2026-03-11T08:00:00+08:00",
        "text": "茶园开采了",
    }
    (tmp_path / "posts.jsonl").write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    profile = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    run(
        [tmp_path / "posts.jsonl"],
        [profile],
        tmp_path / "out",
        scorer=FakeScorer(),
        config=settings(),
        pseudonymise=KEY,
    )
    (only,) = summary(tmp_path / "out")["brands"]
    assert only["genuine"] == Share(0) and only["changes"] == {}
    page = write_report(tmp_path / "out").read_text("utf-8")
    assert '<b class="missing">数据不足</b>' in page and "全部账号" in page and "其他账号" not in page
    assert not Outline(page).open


def test_the_summary_of_a_terminal_says_what_to_do(out: Path) -> None:
    numbers = summary(out)
    zh, en = (summary_markdown(numbers, lang) for lang in WORDS)
    assert "绿\\|野" in zh and len({line.replace("\\|", "").count("|") for line in zh.splitlines() if "|" in line}) == 1
    assert f"{numbers['todo']['critic']} 位批评者" in zh and "What to do next" in en
    nothing = numbers | {"todo": dict.fromkeys(numbers["todo"], 0)}
    assert "没有待办" in summary_markdown(nothing) and "接下来" not in summary_markdown(nothing)


def test_a_change_is_one_only_where_the_intervals_lie_apart() -> None:
    low, middle, high = Share(9, 0.1, 0.0, 0.2), Share(9, 0.3, 0.15, 0.5), Share(9, 0.8, 0.6, 0.9)
    pairs = {(low, high): "up", (high, low): "down", (low, middle): "same", (low, Share(2)): "unknown"}
    assert {pair: Change(*pair).direction for pair in pairs} == pairs


def test_lines_stay_on_the_chart_and_break_where_nothing_is_known() -> None:
    months = [f"{2020 + at // 12}-{1 + at % 12:02d}" for at in range(60)]
    values = [None if at == 30 else 7.0 * at for at in range(60)]
    chart = charts.lines(months, {f"账号{i}": values for i in range(9)}, lambda value: f"{value:.0f}")
    assert len(chart["lines"]) == charts.MOST_LINES == len({line["colour"] for line in chart["lines"]})
    assert len({line["dash"] for line in chart["lines"]}) == charts.MOST_LINES, "in grey print the dashes tell"
    assert len(chart["months"]) <= 12 and chart["months"][-1][1] == months[-1]
    line = chart["lines"][0]
    assert line["path"].count("M") == 2 and len(line["points"]) == 59
    assert all(
        0 <= x <= charts.WIDTH and charts.TOP <= y <= charts.HEIGHT - charts.BOTTOM for x, y, _ in line["points"]
    )
    assert [told for _, told in chart["ticks"]] == ["0", "200", "400", "600", "800"] and line[
        "told"
    ] == "2020-01 0 → 2024-12 413"
    flat = charts.lines(["2026-01", "2026-02"], {"a": [0.0, None]}, str)
    assert flat["ticks"][-1][0] == charts.TOP and flat["lines"][0]["points"][0][1] == charts.HEIGHT - charts.BOTTOM
