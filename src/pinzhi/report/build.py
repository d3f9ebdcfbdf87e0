"""Queries over the tables of a run, and the page made of them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pinzhi import schemas
from pinzhi.config import ScoreConfig
from pinzhi.decide import REASONS
from pinzhi.errors import InputError, UsageError
from pinzhi.report import charts
from pinzhi.report.glance import QUESTIONS, VIEWS, Query, Row, Share, glance
from pinzhi.report.words import EVIDENCE, NAMES, WORDS
from pinzhi.tables import write_text

SHOWN = 12  # rows of a table; what is left out is counted below it
SHOWN_POSTS = 6  # and texts of a list
LONGEST_PIECE, LONGEST = 240, 900  # characters of a text, of one passage of it and in all


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
        for view in VIEWS:
            connection.execute(view)
        yield lambda sql: connection.sql(sql).to_arrow_table().to_pylist()
    finally:
        connection.close()


def summary(out: Path) -> Row:
    """Headline numbers of a run: quality, genuine share, claimed and real followers, copies, counts; `brands` (the three questions
    for each) and `todo` (how many there are of what wants a person). Raises InputError when `out` holds no tables."""
    with _opened(out) as query:
        return _summary(query, out)


def _summary(query: Query, out: Path) -> Row:
    (posts,) = query(
        "SELECT count(*) AS posts, avg(quality) AS quality, count(*) FILTER (originality_label IN ('duplicate', 'rewrite') "
        "AND NOT (is_self AND source_platform <> platform)) AS copies, count(*) FILTER (coherence_grade = 0) AS violations, "
        "count(*) FILTER (verdict = 'hold') AS hold, count(*) FILTER (verdict = 'revise') AS revise, "
        "min(published_at) AS first_at, max(published_at) AS last_at, "
        "round(sum(genuine_share * n_comments) / sum(n_comments) FILTER (genuine_share IS NOT NULL), 4) AS genuine_share FROM posts",
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
    return {
        **posts,
        **comments,
        **accounts,
        **rejects,
        **copied,
        "brands": _brands(query, out),
        "todo": _todo(query),
    }


def summary_markdown(numbers: Mapping[str, Any], lang: str = "zh") -> str:
    """The three questions for each brand as a Markdown table, and what to do next."""
    words = _words(lang)
    heads = [words["brand"], *(words[name] for name in QUESTIONS), words["quality"]]
    rows = [[_brand(one, words), *(_share(one[name], words) for name in QUESTIONS), _number(one["quality"], words)] for one in numbers["brands"]]  # fmt: skip
    table = ["| " + " | ".join(_cell(cell) for cell in row) + " |" for row in (heads, ["---"] * len(heads), *rows)]
    todo = [f"- {words['todo_' + name].format(n=f'{n:,}')}" for name, n in numbers["todo"].items() if n]
    return "\n".join([*table, "", *([words["todo"], "", *todo] if todo else [words["nothing_to_do"]])]) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def _words(lang: str) -> dict[str, str]:
    if lang not in WORDS:
        raise UsageError(f"expected a language of {', '.join(WORDS)}, found {lang}")
    return WORDS[lang]


def _number(value: float | None, words: Mapping[str, str]) -> str:
    return words["missing"] if value is None else f"{value:.0f}"


def _percent(value: float | None, words: Mapping[str, str]) -> str:
    return words["missing"] if value is None else f"{100 * value:.0f}%"


def _range(low: float | None, high: float | None) -> str:
    """An interval of a share in percent; one number where rounding makes both ends equal."""
    if low is None or high is None:
        return ""
    ends = dict.fromkeys((f"{100 * low:.0f}", f"{100 * high:.0f}"))
    return "–".join(ends) + "%"


def _share(share: Share, words: Mapping[str, str]) -> str:
    """A share with its interval and the number behind it, in one line of a terminal."""
    if share.value is None:
        return words["missing_n"].format(n=share.n) if share.n else words["missing"]
    return f"{_percent(share.value, words)} ({_range(share.low, share.high)}) n={share.n:,}"


def _behind(share: Share, words: Mapping[str, str]) -> str:
    """The interval of a share, and of how many posts or comments."""
    return words["behind_n"].format(range=_range(share.low, share.high), n=f"{share.n:,}")


def _brand(row: Mapping[str, Any], words: Mapping[str, str]) -> str:
    return str(row["name"] or words["others" if row["is_beside"] else "everybody"])


def _price(value: float | None, words: Mapping[str, str]) -> str:
    """Money to three digits that mean something."""
    if value is None:
        return words["missing"]
    return f"{value:,.{0 if value >= 100 else 1 if value >= 10 else 2}f}"


def _count(value: float | None, words: Mapping[str, str]) -> str:
    """A count as Chinese readers write it, 12.6万, or with thousands in English."""
    if value is None:
        return words["missing"]
    if words is WORDS["zh"] and value >= 10_000:
        return f"{value / 10_000:.1f}万"
    return f"{value:,.0f}"


def marked(
    text: str, spans: Sequence[Mapping[str, int]] | None, first: str = "start", last: str = "end",
    against: Sequence[Mapping[str, int]] = (),
) -> list[tuple[int, str]]:  # fmt: skip
    """`text` cut into pieces, each with 1 inside a span, 2 inside one of `against`, else 0; spans may overlap or lie outside. What is
    longer than a reader would read is cut in the middle of its pieces and at the end."""
    inside = bytearray(len(text))
    for kind, marks in ((1, spans or ()), (2, against)):
        for span in marks:
            for position in range(max(0, span[first]), min(len(text), span[last])):
                inside[position] = kind
    pieces: list[tuple[int, str]] = []
    start = length = 0
    for position in range(1, len(text) + 1):
        if position == len(text) or inside[position] != inside[start]:
            pieces.append((inside[start], _shortened(text[start:position], LONGEST_PIECE)))
            length += len(pieces[-1][1])
            start = position
            if length > LONGEST and start < len(text):
                return [*pieces, (0, " …")]
    return pieces


def _shortened(text: str, most: int) -> str:
    """`text`, or its beginning and end around an ellipsis."""
    return text if len(text) <= most else f"{text[: most * 2 // 3]} … {text[-most // 3 :]}"


def _post(row: Row, lang: str, values: Mapping[tuple[str, str], str]) -> Row:
    """A post with the words that carry its values marked, and the names of the values that it lives and breaks."""
    spans: dict[bool, list[Row]] = {False: [], True: []}
    for value in row["values"] or ():
        spans[(value["p_contradicts"] or 0) > (value["p_expresses"] or 0)] += value["spans"] or ()
    url = row["url"] or ""
    return {
        **row, "pieces": marked(row["text"], spans[False], against=spans[True]), "says": _says(row, lang),
        "url": url if url.startswith(("https://", "http://")) else None,
        **{name: [values.get((row["brand"], one), one) for one in row[name] or ()] for name in ("expresses", "contradicts")},
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


_POST = (
    'platform, post_id, account_id, text, title, url, quality, verdict, reasons, "values", published_at, brand, expresses, contradicts, '
    "count(*) OVER () AS total"
)
_IS_COPY = "p.originality_label IN ('duplicate', 'rewrite') AND NOT (p.is_self AND p.source_platform <> p.platform)"


def _todo(query: Query) -> dict[str, int]:
    """How many there are of what wants a person: posts of ours that break a value or copy others, people, and what others did."""
    (posts,) = query(
        f"SELECT count(*) FILTER (coherence_grade = 0) AS violations, count(*) FILTER ({_IS_COPY}) AS copied FROM ours p"
    )
    (people,) = query(
        "SELECT count(*) FILTER (kind = 'critic') AS critic, count(*) FILTER (kind = 'advocate') AS advocate "
        f"FROM community c WHERE {_IS_OURS}"
    )
    (others,) = query(
        "SELECT (SELECT count(DISTINCT (platform, post_id)) FROM copies) AS copied_us, "
        "(SELECT count(*) FROM coordination WHERE mostly <> 'genuine') AS groups, (SELECT count(*) FROM rejects) AS rejects"
    )
    return {**posts, **people, **others}


_IS_OURS = (
    "(NOT EXISTS (SELECT 1 FROM own) OR EXISTS (SELECT 1 FROM own o WHERE o.platform = c.platform "
    "AND o.account_id IS NOT DISTINCT FROM c.account_id))"
)


def _content(query: Query, lang: str) -> Row:
    """Everything that the template shows."""
    words = _words(lang)
    named = query("SELECT brand, value_id, coalesce(value_name, value_id) AS name FROM brand_values")
    values = {(row["brand"], row["value_id"]): row["name"] for row in named}
    posts = {
        name: [_post(row, lang, values) for row in query(f"SELECT {_POST} FROM ours {where} LIMIT {SHOWN_POSTS}")]
        for name, where in {
            "violations": "WHERE coherence_grade = 0 ORDER BY coherence, platform, post_id",
            "worst": "WHERE verdict <> 'publish' AND coherence_grade IS DISTINCT FROM 0 ORDER BY quality, platform, post_id",
            "best": "WHERE verdict = 'publish' ORDER BY brand IS NULL, quality DESC, platform, post_id",
        }.items()
    }
    copies = {
        "copied_us": _copies(query, "SEMI JOIN copies c ON c.relation = 'source' AND c.platform = p.platform AND c.post_id = p.post_id"),
        "copied": _copies(query, ""),
    }  # fmt: skip
    # Within an account `rank` says who comes first; every account's first come before any second, or the loudest hides the others.
    people = query(
        "SELECT c.*, p.text AS post_text, p.url AS post_url FROM (SELECT *, count(*) OVER (PARTITION BY kind) AS total, "
        "row_number() OVER (PARTITION BY kind ORDER BY rank, likes DESC, platform, account_id, text) AS place "
        f"FROM community c WHERE {_IS_OURS}) c LEFT JOIN posts p ON p.platform = c.platform AND p.post_id = c.post_ids[1] "
        f"WHERE place <= {SHOWN_POSTS} ORDER BY c.kind, place",
    )
    return {
        **posts, **copies,
        "copiers": query("SELECT platform, account_id, count(DISTINCT post_id) AS n, "
            "count(DISTINCT post_id) FILTER (originality_label = 'rewrite') AS n_rewrites, count(*) OVER () AS total, "
            "count(DISTINCT source_post_id) AS n_sources, min(published_at) AS first_at, max(published_at) AS last_at "
            f"FROM copies GROUP BY platform, account_id ORDER BY n DESC, platform, account_id LIMIT {SHOWN}"),
        "fatigue": _fatigue(query),
        **_standing(query, lang), "accounts": [row | {"says": _says(row, lang), "fed": _fed(row, lang)} for row in query(
            f"SELECT c.*, {_IS_OURS} AS is_own, count(*) OVER () AS total FROM accounts c WHERE n_posts > 0 "
            f"ORDER BY is_own DESC, real_share DESC NULLS LAST, platform, account_id LIMIT {2 * SHOWN}")],
        "people": {kind: [p for p in people if p["kind"] == kind] for kind in ("critic", "advocate", "voice", "lottery_hunter")},
        "rejects": query(f"SELECT reason, count(*) AS n, min(source) AS source, count(*) OVER () AS total FROM rejects GROUP BY reason ORDER BY n DESC, reason LIMIT {SHOWN}"),
        "mix": query("SELECT originality_label AS label, count(*) AS n, count(*) / sum(count(*)) OVER () AS share FROM ours GROUP BY 1 ORDER BY n DESC, 1"),
        "values": _values(query), "compared": query(_COMPARED), "value_months": _value_months(query),
        "figures": _trends(query, words, lang),
    }  # fmt: skip


def _standing(query: Query, lang: str) -> Row:
    """Who acts together, whom accounts share, where they stand, what money bought."""
    odd = "list_has_any(reasons, ['likes_without_comments', 'reposts_without_comments'])"
    return {
        "groups": [row | {"says": evidence_words(row["evidence"] or "", lang)} for row in query(f"SELECT *, count(*) OVER () AS total FROM coordination ORDER BY mostly = 'genuine', n_comments DESC, platform, coordination_id LIMIT {SHOWN}")],
        "overlap": query(f"SELECT *, count(*) OVER () AS total FROM overlap ORDER BY n_shared_bought DESC, share DESC, platform, account_id, other_account_id LIMIT {SHOWN}"),
        "months": query(f"SELECT *, strftime(month_start, '%Y-%m') AS label, count(*) OVER () AS total FROM (SELECT *, {_IS_OURS} AS is_own FROM months c WHERE month_start = (SELECT max(month_start) FROM months)) "
            f"QUALIFY is_own OR row_number() OVER (ORDER BY rank NULLS LAST, platform, account_id) <= {SHOWN} ORDER BY rank NULLS LAST, platform, account_id LIMIT {2 * SHOWN}"),
        "campaigns": query(f"SELECT *, count(*) OVER () AS total FROM campaigns WHERE cost IS NOT NULL ORDER BY cost DESC, platform, account_id, campaign NULLS LAST LIMIT {SHOWN}"),
        "odd": query("SELECT *, greatest(likes_vs_own, reposts_vs_own) AS vs_own, greatest(likes_vs_tier, reposts_vs_tier) AS vs_tier, count(*) OVER () AS total "
            f"FROM posts WHERE {odd} ORDER BY greatest(likes_vs_own, likes_vs_tier, reposts_vs_own, reposts_vs_tier) DESC, platform, post_id LIMIT {SHOWN}"),
    }  # fmt: skip


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _copies(query: Query, among: str) -> list[Row]:
    """Copies and rewrites p `among` some others (SQL), those that are ours before others', the least original first, and their sources, both
    with the passages that they share. A brand's own text on another platform is none."""
    copies = query(
        "SELECT p.platform, p.post_id, p.account_id, p.text, p.spans, p.originality_label, p.source_similarity, p.published_at, "
        "s.text AS source_text, s.account_id AS source_account, s.platform AS source_platform, s.published_at AS source_at, "
        "count(*) OVER () AS total FROM told p "
        "JOIN posts s ON s.platform = p.source_platform AND s.post_id = p.source_post_id "
        f"{among} WHERE {_IS_COPY} "
        f"ORDER BY p.own_brand IS NULL, p.originality, p.platform, p.post_id LIMIT {SHOWN_POSTS}",
    )
    for row in copies:
        row["pieces"] = marked(row["text"], row["spans"])
        row["source_pieces"] = marked(row["source_text"], row["spans"], "source_start", "source_end")
    return copies


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
    "SELECT p.brand, p.platform, p.account_id, m.is_own, count(*) AS n_posts, count(*) OVER () AS total, "
    "count(*) FILTER (coherence_grade = 3) / count(*) AS expresses, count(*) FILTER (coherence_grade = 2) / count(*) AS touches, "
    "count(*) FILTER (coherence_grade = 0) / count(*) AS contradicts FROM posts p "
    "JOIN (SELECT DISTINCT brand, platform, account_id, is_own FROM value_months) m "
    "ON m.brand = p.brand AND m.platform = p.platform AND m.account_id IS NOT DISTINCT FROM p.account_id "
    "WHERE coherence_grade IS NOT NULL GROUP BY ALL ORDER BY p.brand, m.is_own DESC, expresses DESC, p.platform, p.account_id "
    f"LIMIT {2 * SHOWN}"
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
        "accounts": [
            {"platform": p, "account_id": a, "by_month": accounts[p, a], "total": len(accounts)} for p, a in most
        ],
    }


def _value_months(query: Query) -> Row:
    """Share of own posts that express each value, for the last months: what the deepest cell holds, and the rows."""
    cells = query("SELECT brand, value_id, coalesce(value_name, value_id) AS name, strftime(m.first_at, '%Y-%m') AS label, sum(m.n_expresses) AS n_expresses, sum(m.n_posts) AS n_posts "
                  "FROM value_months m JOIN brand_values USING (brand, value_id) WHERE is_own AND first_at IS NOT NULL "
                  "GROUP BY ALL ORDER BY brand, value_id, label")  # fmt: skip
    months = sorted({row["label"] for row in cells})[-SHOWN:]
    rows: dict[tuple[str, str], Row] = {}
    for row in cells:
        if row["label"] in months:
            row["share"] = float(row["n_expresses"] / row["n_posts"])
            of_value = rows.setdefault(
                (row["brand"], row["value_id"]), {"brand": row["brand"], "name": row["name"], "by_month": {}}
            )
            of_value["by_month"][row["label"]] = row
    deepest = max((row["share"] for of in rows.values() for row in of["by_month"].values()), default=0.0)
    return {"months": months, "rows": list(rows.values()), "deepest": deepest or 1.0}


def evidence_words(evidence: str, lang: str) -> str:
    """Evidence of acting together as a reader understands it; what has no words stays as it is."""
    words = EVIDENCE[lang]

    def said(part: str) -> str:
        key, sign, value = part.rpartition("=")
        return words.get(part) or words.get(key + sign, part).format(value)

    between = {"zh": "，", "en": ", "}[lang]
    return " | ".join(between.join(map(said, group.split(";"))) for group in evidence.split(" | "))


def _trends(query: Query, words: Mapping[str, str], lang: str) -> Row:
    """Month by month: genuine interactions of the accounts that had most, and reads that were paid for and not."""
    figures: Row = {}
    trend = query("SELECT strftime(month_start, '%Y-%m') AS label, coalesce(name, account_id) AS name, genuine_interactions AS n, sum(genuine_interactions) OVER (PARTITION BY platform, account_id) AS whole, "
                        "platform, account_id FROM months WHERE genuine_interactions IS NOT NULL "
                        "ORDER BY whole DESC, platform, account_id, label")  # fmt: skip
    labels = sorted({row["label"] for row in trend})
    series: dict[tuple[str, str], dict[str, float]] = {}
    said: dict[str, tuple[str, str]] = {}
    for row in trend:
        key = (row["platform"], row["account_id"])
        if key not in series:
            name = f"{_shortened(row['name'], 40)} · {NAMES[lang].get(row['platform'], row['platform'])}"
            said[name if name not in said else f"{name} · {row['account_id']}"] = key
        series.setdefault(key, {})[row["label"]] = row["n"]

    def told(value: float) -> str:
        return _count(value, words)

    if len(labels) > 1:
        lines = {name: [series[key].get(month) for month in labels] for name, key in said.items()}
        figures["standing_trend"] = charts.lines(labels, lines, told)
    reads = query("SELECT strftime(month_start, '%Y-%m') AS label, CAST(sum(reads_paid) AS DOUBLE) AS paid, CAST(sum(reads_earned) AS DOUBLE) AS earned FROM months "
                        "GROUP BY 1 HAVING paid IS NOT NULL OR earned IS NOT NULL ORDER BY 1")  # fmt: skip
    if len(reads) > 1:
        both = {words[f"reads_{kind}"]: [row[kind] for row in reads] for kind in ("paid", "earned")}
        figures["reads_by_month"] = charts.lines([row["label"] for row in reads], both, told)
    return figures


def _brands(query: Query, out: Path) -> list[Row]:
    """The brands at a glance, under the names of their profiles, each with its followers."""
    followers = query(
        "SELECT own_brand AS brand, sum(followers) FILTER (real_share IS NOT NULL) AS claimed_followers, sum(real_followers) AS real_followers "
        "FROM accounts a LEFT JOIN own o ON o.platform = a.platform AND o.account_id IS NOT DISTINCT FROM a.account_id GROUP BY 1"
    )
    of_brand = {row["brand"]: row for row in followers}
    names = _brand_names(out)
    rows = glance(query, ScoreConfig.load().interaction)
    none = {"claimed_followers": None, "real_followers": None}
    return [{**none, **of_brand.get(row["brand"], {}), **row, "name": row["brand"] and names.get(row["brand"], row["brand"]), "is_beside": len(rows) > 1} for row in rows]  # fmt: skip


def _brand_names(out: Path) -> dict[str, str]:
    """Names of brands by id, as the last run knew their profiles; none where it left nothing."""
    path = out / schemas.BRANDS
    return {one["id"]: one["name"] for one in json.loads(path.read_text("utf-8"))} if path.exists() else {}


def _by_month(brand: Row, words: Mapping[str, str]) -> Row | None:
    """The chart of a brand's three shares, None for a single month."""
    months = brand["months"]
    if len(months) < 2:
        return None

    def percent(share: Share) -> float | None:
        return None if share.value is None else 100 * share.value

    series = {words[name]: [percent(shares[name]) for shares in months.values()] for name in QUESTIONS}
    known = {name: values for name, values in series.items() if any(value is not None for value in values)}
    return charts.lines(list(months), known, lambda value: f"{value:.0f}%", top=100.0)


def write_report(out: Path, lang: str = "zh") -> Path:
    """Write `out`/report.html in one move and return its path; equal tables give equal bytes."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    words, codes = _words(lang), NAMES[lang]
    with _opened(out) as query:
        numbers, content = _summary(query, out), _content(query, lang)
        known = query("SELECT platform, account_id, name FROM accounts WHERE name IS NOT NULL")
    accounts = {(row["platform"], row["account_id"]): row["name"] for row in known}
    names = {brand["brand"]: brand["name"] for brand in numbers["brands"]}
    for brand in numbers["brands"]:
        brand["chart"], brand["title"] = _by_month(brand, words), _brand(brand, words)
    environment = Environment(
        loader=PackageLoader("pinzhi.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "number": lambda value: _number(value, words), "percent": lambda value: _percent(value, words),
        "count": lambda value: _count(value, words),
        "about": lambda value: _count(float(f"{value:.3g}"), words),  # an estimate to three digits
        "times": lambda value: words["missing"] if value is None else f"×{value:,.0f}",
        "share": lambda share: _share(share, words), "behind": lambda share: _behind(share, words),
        "price": lambda value: _price(value, words), "range": lambda row, name: _range(row[f"{name}_low"], row[f"{name}_high"]),
        "named": lambda code: codes.get(code, code),
        "branded": lambda brand: names.get(brand, brand),
        "account": lambda row: accounts.get((row["platform"], row["account_id"]), row["account_id"] or ""),
        "day": lambda value: value.strftime("%Y-%m-%d") if value else words["missing"],
        "short": _shortened,
        "visible": lambda text: "".join(c if c.isprintable() or c == "\n" else " " for c in text),
    }  # fmt: skip
    html = environment.get_template("report.html.j2").render(
        lang=lang, w=words, n=numbers, c=content, chart=charts, questions=QUESTIONS
    )
    path = out / "report.html"
    write_text(html, path)
    return path
