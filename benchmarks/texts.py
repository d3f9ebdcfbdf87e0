"""Invented texts for benchmarks: clauses of the demo archive put together anew, so that lengths and words are real."""

import json
import random
import re
from functools import cache
from pathlib import Path

DEMO = Path(__file__).resolve().parents[1] / "data" / "demo"


@cache
def _clauses(table: str) -> list[str]:
    lines = (DEMO / f"{table}.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    return [clause for text in texts for clause in re.findall(r"[^。！？!?；;，,\n]{2,}[。！？!?；;，,\n]?", text)]


def clauses(seed: int) -> list[str]:
    """The clauses of `post`, of which there are a few thousand."""
    chance = random.Random(seed)
    return chance.choices(_clauses("posts"), k=chance.randint(3, 14))


def post(seed: int) -> str:
    """A post of some hundred characters; equal seeds give equal posts."""
    return "".join(clauses(seed))


def comment(seed: int) -> str:
    """A comment of one to four clauses; equal seeds give equal comments."""
    chance = random.Random(seed)
    return "".join(chance.choices(_clauses("comments"), k=chance.choice((1, 1, 1, 2, 2, 3, 4))))
