"""Speed and peak memory of `pinzhi run` over archives of growing size: memory must not grow with them. Of each run the
peak is printed as it stood after the first comments, and at the end.

Run: python -m benchmarks.bench_archive [COMMENTS...]
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks import texts
from pinzhi import paths

COMMENTS_A_POST = 100
FIRST_SHARDS = 4  # of 4,096 comments


def write(folder: Path, n_comments: int) -> None:
    """An archive of canonical JSON lines."""
    folder.mkdir()
    with (folder / "posts.jsonl").open("w", encoding="utf-8") as file:
        for i in range(n_comments // COMMENTS_A_POST):
            row = {"platform": "weibo", "post_id": f"p{i}", "account_id": f"a{i % 12}", "text": texts.post(i),
                   "published_at": f"2026-{1 + i % 12:02d}-{1 + i % 28:02d}T09:00:00+08:00"}  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    with (folder / "comments.jsonl").open("w", encoding="utf-8") as file:
        for i in range(n_comments):
            row = {"platform": "weibo", "comment_id": f"c{i}", "post_id": f"p{i // COMMENTS_A_POST}",
                   "author_id": f"u{i % 9973}", "text": texts.comment(i), "likes": i % 17,
                   "created_at": f"2026-12-{1 + i % 28:02d}T{i % 24:02d}:00:00+08:00"}  # fmt: skip
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def peak_mib(pid: int) -> int:
    """Peak memory of a running process so far; Linux only, 0 elsewhere."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM")), 0)


def measure(n_comments: int) -> None:
    """Print one line: rows, seconds, rows a second, peak memory of the process."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = Path(scratch) / "archive"
        write(archive, n_comments)
        brand = paths.configs() / "brands" / "lvye.yaml"
        command = [
            sys.executable,
            "-c",
            "from pinzhi.cli import main; raise SystemExit(main())",
            "run",
            str(archive),
            "--brand",
            str(brand),
            "--out",
            scratch + "/out",
            "-q",
        ]
        key = {"PINZHI_KEY_FILE": str(Path(scratch) / "key")}
        start = time.perf_counter()
        process = subprocess.Popen(command, env=os.environ | key)
        early = 0
        while not (done := os.wait4(process.pid, os.WNOHANG))[0]:
            if len(list(Path(scratch).glob("out/measures/comments/*.parquet"))) <= FIRST_SHARDS:
                early = peak_mib(process.pid)
            time.sleep(0.5)
        _, status, usage = done
        took = time.perf_counter() - start
        if status:
            raise SystemExit(f"pinzhi run ended with status {status}")
        print(
            f"{n_comments:>9,} comments   {took:>7.0f} s   {n_comments / took:>6,.0f} /s   "
            f"peak memory {early:>6,} MiB after the first, {usage.ru_maxrss // 1024:>6,} MiB in all",
            flush=True,
        )


def main() -> None:
    """One line a size."""
    for size in map(int, sys.argv[1:] or ("20000",)):
        measure(size)


if __name__ == "__main__":
    main()
