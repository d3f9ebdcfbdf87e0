"""Rows per second of the readers from JSON lines, beside a loop that only parses them.

Run: python -m benchmarks.bench_readers [ROWS]
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pinzhi.readers import Pseudonymiser, discover, read_source

REPEATS = 3


def write(path: Path, rows: int) -> None:
    """Comments as MediaCrawler writes them."""
    with path.open("w", encoding="utf-8") as file:
        for number in range(rows):
            record = {
                "comment_id": str(7545020000000000000 + number), "create_time": 1788067360 + number,
                "aweme_id": str(7545012345678901234 + number % 1000), "content": f"用了半年，刀头底下真的会藏渣[泪奔]，第{number}次洗",
                "creator_hash": f"{number % 5000:016x}", "nickname": "豆***溢", "sub_comment_count": "1",
                "like_count": number % 300, "last_modify_ts": 1789995604658, "parent_comment_id": "0", "pictures": "",
            }  # fmt: skip
            file.write(json.dumps(record, ensure_ascii=False) + "\n")


def parse_only(path: Path) -> int:
    """The baseline: `json.loads` on every line."""
    with path.open(encoding="utf-8") as file:
        return sum(1 for line in file if json.loads(line))


def read(path: Path) -> int:
    """The readers, pseudonyms included."""
    pseudonymise = Pseudonymiser(b"k" * 32)
    sources, _ = discover([path])
    return sum(batch.num_rows for source in sources for _, batch in read_source(source, pseudonymise))


def best(run: Callable[[Path], int], path: Path, rows: int) -> float:
    """Rows per second, the best of several runs."""
    seconds = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        found = run(path)
        seconds.append(time.perf_counter() - start)
        if found != rows:
            raise SystemExit(f"expected {rows} rows, found {found}")
    return rows / min(seconds)


def main() -> None:
    """Print both speeds, their ratio and the peak memory."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "search_comments.jsonl"
        write(path, rows)
        baseline, readers = best(parse_only, path, rows), best(read, path, rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"json.loads loop   {baseline:>10,.0f} rows/s")
    print(f"readers           {readers:>10,.0f} rows/s   {readers / baseline:.2f} of the loop")
    print(f"peak memory       {peak:>10,} MiB at {rows:,} rows")


if __name__ == "__main__":
    main()
