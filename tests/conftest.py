"""Builders that every test may use; the network is closed."""

import json
import shutil
import socket
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pinzhi import schemas
from pinzhi.brand import BrandProfile
from pinzhi.config import ScoreConfig

if TYPE_CHECKING:
    from transformers import BertModel

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only loopback may be reached; flows talk to their own temporary server there."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def config() -> ScoreConfig:
    return ScoreConfig.load(ROOT / "configs" / "score.toml")


@pytest.fixture(scope="session")
def brand() -> BrandProfile:
    return BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A copy of the shipped models, to train in."""
    shutil.copytree(ROOT / "models", tmp_path / "models")
    return tmp_path / "models"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The first posts of the bundled set, with their comments."""
    source, target = ROOT / "data" / "labels" / "comments" / "a", tmp_path / "base" / "comments" / "a"
    target.mkdir(parents=True)
    posts = [json.loads(line) for line in (source / "posts.jsonl").read_text("utf-8").splitlines()][:14]
    ids = {post["post_id"] for post in posts}
    lines = (source / "comments.jsonl").read_text("utf-8").splitlines()
    (target / "posts.jsonl").write_text("\n".join(map(json.dumps, posts)), "utf-8")
    (target / "comments.jsonl").write_text(
        "\n".join(one for one in lines if json.loads(one)["post_id"] in ids), "utf-8"
    )
    return tmp_path / "base"


def one_post_archive(folder: Path) -> Path:
    """A file of one canonical post."""
    row = {
        "platform": "weibo", "post_id": "1", "account_id": "a", "published_at": "2026-03-11T08:00:00+08:00", "text": "茶园开采了",
    }  # fmt: skip
    path = folder / "posts.jsonl"
    path.write_text(json.dumps(row, ensure_ascii=False), "utf-8")
    return path


def small_archive(folder: Path) -> Path:
    """A folder with one canonical post and five comments of every kind."""
    archive = folder / "archive"
    archive.mkdir()
    post = {"platform": "weibo", "post_id": "1", "account_id": "a", "published_at": "2026-03-11T08:00:00+08:00",
            "text": "三号地今年休耕种紫云英，少收四万斤谷，地的工钱单列一栏"}  # fmt: skip
    (archive / "posts.jsonl").write_text(json.dumps(post, ensure_ascii=False), "utf-8")
    texts = [
        "太好吃了，回购三次了",
        "等了半个月没发货，客服也不理人",
        "种子哪里买",
        "收到了，包装破了，很失望",
        "支持，一直喝你们家的 @朋友",
    ]
    rows = [
        {"platform": "weibo", "post_id": "1", "comment_id": str(i), "author_id": f"u{i}", "author_name": f"某某{i}",
         "text": text, "created_at": f"2026-03-11T09:0{i}:00+08:00"}
        for i, text in enumerate(texts)
    ]  # fmt: skip
    (archive / "comments.jsonl").write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return archive


def at(day: int, hour: int = 12, minute: int = 0, second: int = 0) -> datetime:
    return datetime(2026, 9, day, hour, minute, second, tzinfo=UTC)


def posts(*rows: dict[str, Any]) -> pa.Table:
    """Canonical posts from partial rows."""
    base = {"platform": "weibo", "account_id": "acc", "published_at": at(1), "text": "正文"}
    return pa.Table.from_pylist(
        [{**base, "post_id": f"p{i}", **row} for i, row in enumerate(rows)], schema=schemas.POSTS
    )


def comments(*rows: dict[str, Any]) -> pa.Table:
    """Canonical comments from partial rows."""
    base = {"platform": "weibo", "post_id": "p0", "created_at": at(1), "text": "说得好"}
    return pa.Table.from_pylist(
        [{**base, "comment_id": f"c{i}", **row} for i, row in enumerate(rows)], schema=schemas.COMMENTS
    )


def small_bert(n_tokens: int) -> "BertModel":
    """A small BERT that has learnt nothing."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    shape = BertConfig(
        vocab_size=n_tokens, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    return BertModel(shape)


def save_foreign_bert(folder: Path, characters: Iterable[str]) -> "BertModel":
    """A small BERT with a tokenizer of its own kind: word pieces, and none of our marks."""
    from transformers import BertTokenizer

    folder.mkdir(parents=True)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    (folder / "vocab.txt").write_text("\n".join(tokens) + "\n", "utf-8")
    BertTokenizer.from_pretrained(folder, local_files_only=True).save_pretrained(folder)
    bert = small_bert(len(tokens))
    bert.save_pretrained(folder)
    return bert
