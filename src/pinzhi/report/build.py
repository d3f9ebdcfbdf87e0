"""Queries over the tables of a run, and the page made of them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pinzhi import schemas
from pinzhi.decide import REASONS
from pinzhi.errors import InputError, UsageError
from pinzhi.report import charts
from pinzhi.report.words import EVIDENCE, NAMES, WORDS
from pinzhi.tables import write_text

SHOWN = 12
Row = dict[str, Any]
Query = Callable[[str], list[Row]]


@contextmanager
def _opened(out: Path) -> Iterator[Query]:
    """Asks for rows of the tables under `out`; one that is not there is empty. Raises InputError when there are no posts."""
    import duckdb

    if not (out / "posts").is_dir():
        raise InputError(f"{out}: expected the folder of a finished run, found no posts/; do `pinzhi run` first")
    connection = duckdb.connect(config={"memory_limit": "512MB", "threads": 2})
    connection.execute("SET TimeZone = 'UTC'")
    try:
        for name, schema in schemas.OUTPUT.items():
            paths = sorted((out / name).rglob("*.parquet")) if (out / name).is_dir() else []
            if paths:
                listed = ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths)
                connection.execute(
                    f"CREATE VIEW {name} AS SELECT * FROM read_parquet([{listed}], "
                    f"hive_partitioning = {name != 'rejects'}, hive_types_autocast = false)"
                )
            else:
                connection.register(name, schema.empty_table())
        yield lambda sql: connection.sql(sql).to_arrow_table().to_pylist()
    finally:
        connection.close()


def summary(out: Path) -> Row:
    """Headline numbers of a run: quality, genuine share, claimed and real followers, copies, counts. Raises InputError
    when `out` holds no tables."""
    with _opened(out) as query:
        return _summary(query)


def _summary(query: Query) -> Row:
    (posts,) = query(
        "SELECT count(*) AS posts, avg(quality) AS quality, count(*) FILTER (originality_label IN ('duplicate', 'rewrite') "
        "AND NOT (is_self AND source_platform <> platform)) AS copies, count(*) FILTER (coherence_grade = 0) AS violations, "
        "count(*) FILTER (verdict = 'hold') AS hold, count(*) FILTER (verdict = 'revise') AS revise FROM posts",
    )
    (comments,) = query(
        "SELECT count(*) FILTER (NOT is_owner) AS comments, "
        "count(*) FILTER (authenticity = 'genuine' AND NOT is_owner) AS genuine FROM comments",
    )
    (accounts,) = query(
        "SELECT count(*) AS accounts, sum(followers) FILTER (real_share IS NOT NULL) AS claimed_followers, "
        "sum(real_followers) AS real_followers FROM accounts",
    )
    (rejects,) = query("SELECT count(*) AS rejected FROM rejects")
    (copied,) = query("SELECT count(DISTINCT (platform, post_id)) AS copied_us, "
        "count(DISTINCT (platform, account_id)) FILTER (account_id IS NOT NULL) AS copiers FROM copies")  # fmt: skip
    n = comments["comments"]
    return {
        **posts,
        **comments,
        **accounts,
        **rejects,
        **copied,
        "genuine_share": comments["genuine"] / n if n else None,
    }


def summary_markdown(numbers: Mapping[str, Any], lang: str = "zh") -> str:
    """The headline numbers as a Markdown table."""
    words = _words(lang)
    rows = [(words["quality"], _number(numbers["quality"], words)), (words["genuine"], _percent(numbers["genuine_share"], words)),
            (words["real"], f"{_count(numbers['real_followers'], words)} / {_count(numbers['claimed_followers'], words)}"),
            (words["copies"], str(numbers["copies"])), (words["copied_us"], words["copied_us_says"].format(**numbers)), (words["rejects"], str(numbers["rejected"]))]  # fmt: skip
    return "\n".join(["| | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]) + "\n"


def _words(lang: str) -> dict[str, str]:
    if lang not in WORDS:
        raise UsageError(f"expected a language of {', '.join(WORDS)}, found {lang}")
    return WORDS[lang]


def _number(value: float | None, words: Mapping[str, str]) -> str:
    return words["missing"] if value is None else f"{value:.0f}"


def _percent(value: float | None, words: Mapping[str, str]) -> str:
    return words["missing"] if value is None else f"{100 * value:.0f}%"


def _count(value: float | None, words: Mapping[str, str]) -> str:
    """A count as Chinese readers write it, 12.6万, or with thousands in English."""
    if value is None:
        return words["missing"]
    if words is WORDS["zh"] and value >= 10_000:
        return f"{value / 10_000:.1f}万"
    return f"{value:,.0f}"


def marked(
    text: str, spans: Sequence[Mapping[str, int]] | None, first: str = "start", last: str = "end"
) -> list[tuple[bool, str]]:
    """`text` cut into pieces, each with whether it is inside a span; spans may overlap or lie outside."""
    inside = bytearray(len(text))
    for span in spans or ():
        for position in range(max(0, span[first]), min(len(text), span[last])):
            inside[position] = 1
    pieces: list[tuple[bool, str]] = []
    start = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or inside[position] != inside[start]:
            pieces.append((bool(inside[start]), text[start:position]))
            start = position
    return pieces


def _post(row: Row, lang: str) -> Row:
    carrying = [span for value in row.get("values") or () for span in value["spans"] or ()]
    url = row.get("url") or ""
    return {
        **row, "pieces": marked(row["text"], carrying), "url": url if url.startswith(("https://", "http://")) else None,
        "says": _says(row, lang),
    }  # fmt: skip


def _says(row: Row, lang: str) -> list[str]:
    """The reasons of a row as sentences."""
    return [getattr(REASONS[code], lang) for code in row["reasons"] or () if code in REASONS]


def _fed(row: Row, lang: str) -> str:
    """How likely an account is fed, or why that is not told; a run of before says neither."""
    p, reason = row.get("p_fed"), row.get("p_fed_reason")
    if p is None and reason in REASONS:
        return str(getattr(REASONS[reason], lang))
    return _percent(p, _words(lang))


_POST = 'platform, post_id, account_id, text, title, url, quality, verdict, reasons, "values", published_at'


def _content(query: Query, lang: str) -> Row:
    """Everything that the template shows."""
    words = _words(lang)
    posts = {
        name: [_post(row, lang) for row in query(f"SELECT {_POST} FROM posts {where} LIMIT {SHOWN}")]
        for name, where in {
            "best": "WHERE verdict = 'publish' ORDER BY brand IS NULL, quality DESC, platform, post_id",
            "worst": "WHERE quality IS NOT NULL ORDER BY quality, platform, post_id",
            "violations": "WHERE coherence_grade = 0 ORDER BY coherence, platform, post_id",
        }.items()
    }
    copies = {
        "copied_us": _copies(query, "SEMI JOIN copies c ON c.relation = 'source' AND c.platform = p.platform AND c.post_id = p.post_id"),
        "copied": _copies(query, ""),
    }  # fmt: skip
    people = query(
        "SELECT c.*, p.text AS post_text FROM community c LEFT JOIN posts p ON p.platform = c.platform AND p.post_id = c.post_ids[1] "
        "WHERE c.rank <= 8 ORDER BY c.kind, c.likes DESC, c.platform, c.account_id, c.rank, c.text",
    )
    return {
        **posts, **copies,
        "copiers": query("SELECT platform, account_id, count(DISTINCT post_id) AS n, "
            "count(DISTINCT post_id) FILTER (originality_label = 'rewrite') AS n_rewrites, "
            "count(DISTINCT source_post_id) AS n_sources, min(published_at) AS first_at, max(published_at) AS last_at "
            f"FROM copies GROUP BY platform, account_id ORDER BY n DESC, platform, account_id LIMIT {SHOWN}"),
        "fatigue": _fatigue(query),
        **_standing(query, lang), "accounts": [row | {"says": _says(row, lang), "fed": _fed(row, lang)} for row in query("SELECT * FROM accounts WHERE n_posts > 0 ORDER BY real_share DESC NULLS LAST, platform, account_id LIMIT 40")],
        "people": {kind: [p for p in people if p["kind"] == kind][:SHOWN] for kind in ("critic", "advocate", "voice", "lottery_hunter")},
        "rejects": query(f"SELECT reason, count(*) AS n, min(source) AS source FROM rejects GROUP BY reason ORDER BY n DESC, reason LIMIT {SHOWN}"),
        "values": _values(query), "compared": query(_COMPARED),
        "figures": _figures(query, words, NAMES[lang]),
    }  # fmt: skip


def _standing(query: Query, lang: str) -> Row:
    """Who acts together, whom accounts share, where they stand, what money bought."""
    odd = "list_has_any(reasons, ['likes_without_comments', 'reposts_without_comments'])"
    return {
        "groups": [row | {"says": evidence_words(row["evidence"] or "", lang)} for row in query(f"SELECT * FROM coordination ORDER BY mostly = 'genuine', n_comments DESC, platform, coordination_id LIMIT {2 * SHOWN}")],
        "overlap": query(f"SELECT * FROM overlap ORDER BY n_shared_bought DESC, share DESC, platform, account_id, other_account_id LIMIT {SHOWN}"),
        "months": query("SELECT *, strftime(month_start, '%Y-%m') AS label FROM months WHERE month_start = (SELECT max(month_start) FROM months) "
            "ORDER BY rank NULLS LAST, platform, account_id LIMIT 40"),
        "campaigns": query("SELECT * FROM campaigns WHERE cost IS NOT NULL ORDER BY cost DESC, platform, account_id, campaign NULLS LAST LIMIT 20"),
        "odd": query("SELECT *, greatest(likes_vs_own, reposts_vs_own) AS vs_own, greatest(likes_vs_tier, reposts_vs_tier) AS vs_tier "
            f"FROM posts WHERE {odd} ORDER BY greatest(likes_vs_own, likes_vs_tier, reposts_vs_own, reposts_vs_tier) DESC, platform, post_id LIMIT {SHOWN}"),
    }  # fmt: skip


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _copies(query: Query, among: str) -> list[Row]:
    """Copies and rewrites p `among` some others (SQL), the least original first, and their sources, both with the passages that they
    share."""
    copies = query(
        "SELECT p.platform, p.post_id, p.account_id, p.text, p.spans, p.originality_label, p.source_similarity, p.published_at, "
        "s.text AS source_text, s.account_id AS source_account, s.platform AS source_platform, s.published_at AS source_at FROM posts p "
        "JOIN posts s ON s.platform = p.source_platform AND s.post_id = p.source_post_id "
        f"{among} WHERE p.originality_label IN ('duplicate', 'rewrite') ORDER BY p.originality, p.platform, p.post_id "
        f"LIMIT {SHOWN}",
    )
    for row in copies:
        row["pieces"] = marked(row["text"], row["spans"])
        row["source_pieces"] = marked(row["source_text"], row["spans"], "source_start", "source_end")
    return copies


_VALUE = "brand || ' · ' || coalesce(value_name, value_id)"


def _values(query: Query) -> list[Row]:
    """Every declared value with what becomes of it, and the best liked of the comments by which readers doubt it."""
    rows = query("SELECT * FROM brand_values ORDER BY brand, value_id")
    doubted = [one for row in rows if row["doubted_by_readers"] for one in row["negative_comments"][:3]]
    listed = ", ".join(map(_quoted, doubted)) or "NULL"
    said = query(
        f"SELECT platform || '/' || comment_id AS id, text FROM comments WHERE platform || '/' || comment_id IN ({listed})",
    )
    texts = {row["id"]: row["text"] for row in said}
    return [
        row
        | {"says": [texts[one] for one in row["negative_comments"][:3] if row["doubted_by_readers"] and one in texts]}
        for row in rows
    ]


_COMPARED = (
    "SELECT p.brand, p.platform, p.account_id, m.is_own, count(*) AS n_posts, "
    "count(*) FILTER (coherence_grade = 3) / count(*) AS expresses, count(*) FILTER (coherence_grade = 2) / count(*) AS touches, "
    "count(*) FILTER (coherence_grade = 0) / count(*) AS contradicts FROM posts p "
    "JOIN (SELECT DISTINCT brand, platform, account_id, is_own FROM value_months) m "
    "ON m.brand = p.brand AND m.platform = p.platform AND m.account_id IS NOT DISTINCT FROM p.account_id "
    "WHERE coherence_grade IS NOT NULL GROUP BY ALL ORDER BY p.brand, m.is_own DESC, expresses DESC, p.platform, p.account_id LIMIT 40"
)


def _fatigue(query: Query) -> Row:
    """Share of templates by account and month: the last months, and the accounts that published most in them."""
    rows = query("SELECT platform, account_id, strftime(month_at, '%Y-%m') AS month_said, n_posts, template_share "
                       "FROM account_months ORDER BY platform, account_id, month_at")  # fmt: skip
    months = sorted({row["month_said"] for row in rows})[-SHOWN:]
    accounts: dict[tuple[str, str], Row] = {}
    for row in rows:
        if row["month_said"] in months:
            accounts.setdefault((row["platform"], row["account_id"]), {})[row["month_said"]] = row
    most = sorted(accounts, key=lambda key: (-sum(row["n_posts"] for row in accounts[key].values()), key))[:SHOWN]
    return {
        "months": months,
        "accounts": [{"platform": p, "account_id": a, "by_month": accounts[p, a]} for p, a in most],
    }


def _figures(query: Query, words: Mapping[str, str], names: Mapping[str, str]) -> Row:
    figures: Row = {}
    accounts = query("SELECT coalesce(name, account_id) AS name, platform, followers, real_followers FROM accounts WHERE real_share IS NOT NULL "
                           "ORDER BY followers DESC, platform, account_id LIMIT 12")  # fmt: skip
    if accounts:
        real = [float(row["real_followers"]) for row in accounts]
        rest = [float(row["followers"] - row["real_followers"]) for row in accounts]
        labels = [f"{row['name']} · {names.get(row['platform'], row['platform'])}" for row in accounts]
        figures["accounts"] = charts.bars(labels, {words["real"]: real, words["rest"]: rest}, stacked=True)
    months = query("SELECT strftime(published_at, '%Y-%m') AS month, avg(quality) AS quality, 100 * avg(genuine_share) AS genuine, "
                         "100 * avg(CAST(originality_label = 'template' AS INTEGER)) FILTER (originality IS NOT NULL) AS templates "
                         "FROM posts WHERE published_at IS NOT NULL GROUP BY 1 ORDER BY 1")  # fmt: skip
    if len(months) > 1:
        series = {
            words["quality"]: [row["quality"] for row in months],
            words["genuine"]: [row["genuine"] for row in months],
            words["templates"]: [row["templates"] for row in months],
        }
        figures["months"] = charts.lines([row["month"] for row in months], series)
    figures |= _trends(query, words)
    mix = query("SELECT originality_label AS label, count(*) AS n FROM posts GROUP BY 1 ORDER BY n DESC, 1")
    if mix:
        figures["mix"] = charts.bars(
            [names.get(row["label"], row["label"]) for row in mix], {words["count"]: [float(row["n"]) for row in mix]}
        )
    values = query(f"SELECT {_VALUE} AS name, n_expresses, n_contradicts FROM brand_values ORDER BY brand, value_id")
    if values:
        series_v = {
            words["expressed"]: [float(row["n_expresses"]) for row in values],
            words["contradicted"]: [-float(row["n_contradicts"]) for row in values],
        }
        figures["values"] = charts.bars([row["name"] for row in values], series_v)
    cells = query(f"SELECT {_VALUE} AS name, strftime(m.first_at, '%Y-%m') AS shown_month, sum(m.n_expresses) / sum(m.n_posts) AS share "
                        "FROM value_months m JOIN brand_values USING (brand, value_id) WHERE is_own AND first_at IS NOT NULL "
                        "GROUP BY brand, value_id, name, shown_month ORDER BY brand, value_id, shown_month")  # fmt: skip
    if len({row["shown_month"] for row in cells}) > 1:
        figures["value_months"] = charts.grid([(row["name"], row["shown_month"], row["share"]) for row in cells])
    return figures


def evidence_words(evidence: str, lang: str) -> str:
    """Evidence of acting together as a reader understands it; what has no words stays as it is."""
    words = EVIDENCE[lang]

    def said(part: str) -> str:
        key, sign, value = part.rpartition("=")
        return words.get(part) or words.get(key + sign, part).format(value)

    between = {"zh": "，", "en": ", "}[lang]
    return " | ".join(between.join(map(said, group.split(";"))) for group in evidence.split(" | "))


def _trends(query: Query, words: Mapping[str, str]) -> Row:
    """Month by month: genuine interactions of the accounts that had most, and reads that were paid for and not."""
    figures: Row = {}
    trend = query("SELECT strftime(month_start, '%Y-%m') AS label, name, genuine_interactions AS n, sum(genuine_interactions) OVER (PARTITION BY platform, account_id) AS whole, "
                        "platform, account_id FROM months WHERE genuine_interactions IS NOT NULL "
                        "ORDER BY whole DESC, platform, account_id, label")  # fmt: skip
    labels = sorted({row["label"] for row in trend})
    series: dict[str, dict[str, float]] = {}
    for row in trend:
        series.setdefault(row["name"] or row["account_id"], {})[row["label"]] = row["n"]
    if len(labels) > 1:
        most = list(series.items())[: charts.MOST_LINES]
        lines: dict[str, list[float | None]] = {name: [of.get(month) for month in labels] for name, of in most}
        figures["standing_trend"] = charts.lines(labels, lines, share=False)
    reads = query("SELECT strftime(month_start, '%Y-%m') AS label, CAST(sum(reads_paid) AS DOUBLE) AS paid, CAST(sum(reads_earned) AS DOUBLE) AS earned FROM months "
                        "GROUP BY 1 HAVING paid IS NOT NULL OR earned IS NOT NULL ORDER BY 1")  # fmt: skip
    if len(reads) > 1:
        figures["reads_by_month"] = charts.lines(
            [row["label"] for row in reads],
            {
                words["reads_paid"]: [row["paid"] for row in reads],
                words["reads_earned"]: [row["earned"] for row in reads],
            },
            share=False,
        )
    return figures


def write_report(out: Path, lang: str = "zh") -> Path:
    """Write `out`/report.html in one move and return its path; equal tables give equal bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    words = _words(lang)
    with _opened(out) as query:
        numbers, content = _summary(query), _content(query, lang)
        known = query("SELECT platform, account_id, name FROM accounts WHERE name IS NOT NULL")
    codes = NAMES[lang]
    accounts = {(row["platform"], row["account_id"]): row["name"] for row in known}
    script, elements = charts.render(content.pop("figures"))
    environment = Environment(
        loader=PackageLoader("pinzhi.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "number": lambda value: _number(value, words), "percent": lambda value: _percent(value, words),
        "count": lambda value: _count(value, words),
        "times": lambda value: "" if value is None else f"×{value:,.0f}",
        "price": lambda value: words["missing"] if value is None else f"{value:,.2f}",
        "named": lambda code: codes.get(code, code),
        "account": lambda row: accounts.get((row["platform"], row["account_id"]), row["account_id"] or ""),
        "day": lambda value: value.strftime("%Y-%m-%d") if value else words["missing"],
        "visible": lambda text: "".join(c if c.isprintable() or c == "\n" else " " for c in text),
    }  # fmt: skip
    html = environment.get_template("report.html.j2").render(
        lang=lang, w=words, n=numbers, c=content, script=Markup(script),
        figures={name: Markup(element) for name, element in elements.items()},
    )  # fmt: skip
    path = out / "report.html"
    write_text(html, path)
    return path
