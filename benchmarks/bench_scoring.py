"""Comments, fingerprints and one draft, each beside what a user would otherwise pick, measured in the same run.

Run: python -m benchmarks.bench_scoring
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa

from benchmarks import texts
from pinzhi import BrandProfile, Scorer, paths, schemas
from pinzhi.config import ModelsConfig, ScoreConfig
from pinzhi.heads.precision import has_short_floats

EARLIER = 10_000
DRAFTS = 60


def seconds(work: Callable[[], object]) -> float:
    """Wall time of `work`."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def posts(n: int, first: int = 0) -> pa.Table:
    """`n` canonical posts, a minute apart."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    rows = [
        {"platform": "weibo", "post_id": f"p{i}", "account_id": f"a{i % 40}", "text": texts.post(i),
         "published_at": start + timedelta(minutes=i)}
        for i in range(first, first + n)
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=schemas.POSTS)


def bench_comments(scorer: Scorer) -> None:
    """Sentiment and authenticity of comments, beside SnowNLP, which has sentiment alone."""
    from snownlp import SnowNLP

    under = posts(20)
    rows = [
        {"platform": "weibo", "comment_id": f"c{i}", "post_id": f"p{i % 20}", "text": texts.comment(i)}
        for i in range(3000)
    ]
    table = pa.Table.from_pylist(rows, schema=schemas.COMMENTS)
    scorer.measure_comments(table.slice(0, 100), under)
    ours = table.num_rows / seconds(lambda: scorer.measure_comments(table, under))
    said = [row["text"] for row in rows[:600]]
    theirs = len(said) / seconds(lambda: [SnowNLP(text).sentiments for text in said])
    print(f"comments          {ours:>10,.0f} /s   SnowNLP {theirs:,.0f} /s   ratio {ours / theirs:.2f}")


def bench_draft(scorer: Scorer) -> None:
    """One draft against 10,000 earlier posts, beside word TF-IDF and the nearest cosine over the same posts."""
    import rjieba
    from sklearn.feature_extraction.text import TfidfVectorizer

    brand = BrandProfile.load(paths.configs() / "brands" / "lvye.yaml")
    earlier = posts(EARLIER)
    parts: list[pa.Table] = []
    took = seconds(lambda: parts.extend(scorer.fingerprint(earlier.slice(at, 500)) for at in range(0, EARLIER, 500)))
    print(f"fingerprints      {EARLIER / took:>10,.0f} posts/s")
    drafts = [texts.post(1_000_000 + i) for i in range(DRAFTS)]
    with tempfile.TemporaryDirectory() as folder:
        index = scorer.open_index(Path(folder) / "index")
        for number, part in enumerate(parts):
            index.append(part, str(number))
        scorer.score(drafts[0], brand=brand, history=folder)
        times = [seconds(lambda d=draft: scorer.score(d, brand=brand, history=folder)) for draft in drafts[5:]]
    cutter = rjieba.Jieba()
    vectors = TfidfVectorizer(tokenizer=lambda text: cutter.cut(text, hmm=False), token_pattern=None, lowercase=False)
    known = vectors.fit_transform(earlier["text"].to_pylist())
    simple = [seconds(lambda d=draft: (known @ vectors.transform([d]).T).toarray().argmax()) for draft in drafts[5:]]
    ours, theirs = (1000 * statistics.median(of) for of in (times, simple))
    print(f"Scorer.score      {ours:>10.1f} ms median, {1000 * max(times):.1f} ms at most, against {EARLIER:,} posts")
    print(f"  word TF-IDF     {theirs:>10.1f} ms median (originality by cosine alone); ratio {ours / theirs:.1f}")


def main() -> None:
    """Print every figure."""
    config = ScoreConfig.load()
    for is_short in (False, True):
        if is_short and not has_short_floats():
            print("short floats: this processor has none in hardware")
            break
        print("short floats" if is_short else "single precision")
        scorer = Scorer.load(config.model_copy(update={"models": ModelsConfig(short_floats=is_short)}))
        bench_comments(scorer)
        bench_draft(scorer)


if __name__ == "__main__":
    main()
