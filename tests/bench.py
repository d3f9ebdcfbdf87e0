"""`make bench`: hot paths on this machine, each beside what a user would otherwise pick, in the same run."""

import resource
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from pinzhi.brand import BrandProfile
from pinzhi.originality.index import PostIndex
from pinzhi.scoring import Scorer
from tests.conftest import ROOT, comments, posts

WORDS = [
    "茶",
    "园",
    "今天",
    "阳光",
    "很好",
    "老板",
    "饭盒",
    "路上",
    "同事",
    "周末",
    "面包",
    "味道",
    "有点",
    "贵",
    "下次",
    "还来",
    "孩子",
    "喜欢",
    "雨",
    "停了",
    "包装",
    "能不能",
    "少",
    "一层",
]


def sentence(seed: int, n: int) -> str:
    return "".join(WORDS[(seed * 7 + i * i * 3 + seed // 5 * i) % len(WORDS)] for i in range(n)) + str(seed)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def bench_draft(scorer: Scorer) -> None:
    """One draft against 10,000 earlier posts."""
    brand = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    start = datetime(2026, 1, 1, tzinfo=UTC)
    earlier = posts(*({"text": sentence(i, 30), "published_at": start + timedelta(minutes=i)} for i in range(10_000)))
    took = seconds(
        lambda: pa.concat_tables([scorer.fingerprint(earlier.slice(at, 2000)) for at in range(0, 10_000, 2000)])
    )
    print(f"fingerprints: {10_000 / took:,.0f} posts/s")
    index = PostIndex.of(scorer.fingerprint(earlier))
    scorer.history = lambda out: index  # type: ignore[method-assign]
    times = [seconds(lambda i=i: scorer.score(sentence(i + 50_000, 30), brand=brand, history="x")) for i in range(40)]
    print(
        f"Scorer.score against 10,000 posts: median {1000 * statistics.median(times[5:]):.1f} ms, max {1000 * max(times[5:]):.1f} ms"
    )


def bench_comments(scorer: Scorer) -> None:
    """Sentiment and authenticity of comments, beside SnowNLP's sentiment alone."""
    from snownlp import SnowNLP

    texts = [sentence(i, 8) for i in range(2000)]
    table, under = comments(*({"text": text} for text in texts)), posts({"text": sentence(1, 40)})
    ours = 2000 / seconds(lambda: scorer.measure_comments(table, under))
    theirs = 300 / seconds(lambda: [SnowNLP(text).sentiments for text in texts[:300]])
    print(f"comments: {ours:,.0f}/s; SnowNLP {theirs:,.0f}/s; ratio {ours / theirs:.1f}")


if __name__ == "__main__":
    shipped = Scorer.load()
    bench_comments(shipped)
    bench_draft(shipped)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")
