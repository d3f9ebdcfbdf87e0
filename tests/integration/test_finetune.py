"""Multi-task fine-tuning on small sets: every task takes part, dev texts do not, and what is written can be loaded."""

import random
import shutil
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.predict import Heads, build_head, load_weights
from pinzhi.originality.evidence import FEATURES
from pinzhi.paths import configs
from pinzhi.training.data import PUBLIC_SETS, CoherenceRow, MannerRow, PairRow, Value, read_coherence
from pinzhi.training.finetune import Batches, finetune
from pinzhi.training.multitask import BatchMaker
from pinzhi.training.settings import FinetuneSettings
from tests.conftest import ROOT, save_foreign_bert

TASKS = ("comments", "public", "likeness", "relation")
SEEN_ELSEWHERE = "这家店的面汤很好喝，下次还来"  # a train text of one set, a dev text of another


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """One part of our own comments."""
    shutil.copytree(ROOT / "data" / "labels" / "comments" / "g", tmp_path / "labels" / "comments" / "g")
    return tmp_path / "labels"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder like that of the public sets, with our own sentences."""
    for number, one in enumerate(PUBLIC_SETS):
        texts = [f"第{number}组第{i}条：面汤味道{word}" for i, word in enumerate(one.labels)]
        columns: dict[str, list[Any]] = {"label": list(one.labels), **{name: texts for name in one.columns}}
        if one.without:
            columns["source"] = ["CED"] * len(texts)
        _write(tmp_path / "data" / one.path / "train.parquet", columns)
        _write(tmp_path / "data" / one.path / "dev.parquet", {"text": [SEEN_ELSEWHERE], "label": [one.labels[0]]})
    _write(
        tmp_path / "data" / "sentiment" / "eprstmt" / "train.parquet",
        {"text": [SEEN_ELSEWHERE, "再也不来这家店了"], "label": ["1", "0"]},
    )
    for name in ("lcqmc", "bq_corpus", "afqmc", "atec", "oppo_xiaobu", "pawsx_zh"):
        pairs = {"text_a": ["怎么退货", "几点开门"], "text_b": ["如何退货", "在哪里"], "label": [1, 0]}
        _write(tmp_path / "data" / "paraphrase" / name / "train.parquet", pairs)
    graded = {"text_a": [SEEN_ELSEWHERE, "一只猫"], "text_b": ["面汤好喝", "一条狗"], "label": [5.0, 0.0]}
    _write(tmp_path / "data" / "similarity" / "stsb_zh" / "train.parquet", graded)
    for name in ("cmnli_zh", "csnli_zh"):
        logical = {
            "text_a": ["店里坐满了人", SEEN_ELSEWHERE],
            "text_b": ["生意不错", "面汤难喝"],
            "label": ["entailment", "contradiction"],
        }
        _write(tmp_path / "data" / "nli" / name / "train.parquet", logical)
    topical = {"text": ["查公交几点到站", "一键下单送到家"], "label": ["公共交通", "外卖"]}
    _write(tmp_path / "data" / "topic" / "iflytek_few" / "train.parquet", topical)
    return tmp_path / "data"


def _write(path: Path, columns: dict[str, list[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A small BERT that has learnt nothing."""
    save_foreign_bert(tmp_path / "encoder", "面汤味道好喝下次还来这家店的第组条怎么退货几点开门")
    return tmp_path / "encoder"


def settings() -> FinetuneSettings:
    shipped = FinetuneSettings.load(configs() / "train" / "heads.toml")
    tasks = {name: shipped.tasks[name].model_copy(update={"epochs": 1}) for name in TASKS}
    return shipped.model_copy(update={"tasks": tasks, "save_steps": 2})


def test_every_task_teaches_and_what_is_written_can_be_loaded(
    labels: Path, data: Path, encoder: Path, tmp_path: Path
) -> None:
    out = finetune(labels, data, encoder, tmp_path / "out", settings(), is_quiet=True)
    tuned = Encoder.load(out / "encoder")
    modules = {
        name: load_weights(build_head(name, tuned.hidden_size, len(FEATURES)), out / f"{name}.safetensors")
        for name in Heads.NAMES
    }
    heads = Heads(tuned, modules, {})
    sentiment, authenticity = heads.comments(["很好喝，还会再来", "加微信领券"], ["面馆开业了", "面馆开业了"])
    assert sentiment.shape == (2, 3) and authenticity.shape == (2, 5)
    before = Encoder.load(encoder).word_vectors
    assert (tuned.word_vectors - before).abs().max() > 1e-4, "the encoder has learnt nothing"
    again = finetune(labels, data, encoder, tmp_path / "again", settings(), is_quiet=True)
    for name in Heads.NAMES:
        written = [(folder / f"{name}.safetensors").read_bytes() for folder in (out, again)]
        assert written[0] == written[1], f"{name}: equal data and seed, other weights"


def test_a_dev_text_of_one_set_is_not_learnt_from_another(labels: Path, data: Path, encoder: Path) -> None:
    reader = Encoder.load(encoder)
    wanted = set(
        map(
            tuple, (reader.single(reader.token_ids([SEEN_ELSEWHERE])[0], role) for role in ("comment", "post", "value"))
        )
    )
    batches = Batches(labels, data, reader, settings())
    shown: set[tuple[int, ...]] = set()
    for batch in (batches[number] for number in range(len(batches))):
        texts = [batch[name] for name in ("left", "right", "posts", "values") if name in batch]
        if "ids" in batch:
            texts.append((batch["ids"], batch["mask"]))
        for ids, mask in texts:
            shown.update(tuple(row[kept > 0].tolist()) for row, kept in zip(ids, mask, strict=True))
    assert len(shown) > 50 and not wanted & shown
    assert {batch["task"] for batch in (batches[number] for number in range(len(batches)))} == set(TASKS)


def test_manner_and_pairs_are_told_without_emoticons_too(encoder: Path) -> None:
    told, hidden = "面汤味道好喝😂[笑cry]//@店:下次还来", "面汤味道好喝//@店:下次还来"

    def batches(text: str, code_dropout: float) -> list[Any]:
        make = BatchMaker(Encoder.load(encoder), settings().model_copy(update={"code_dropout": code_dropout}))
        make.prepare([text])
        manner = make.manner([MannerRow(text, "quote", "a")], random.Random(1))
        pairs = make.pairs([PairRow(text, text, "duplicate", None, "suffixed", "a")], random.Random(1))
        return [manner["ids"], manner["extra"], *(pairs[side][0] for side in ("earlier", "later"))]

    for kept, dropped, without in zip(batches(told, 0.0), batches(told, 1.0), batches(hidden, 0.0), strict=True):
        assert torch.equal(dropped, without) and not torch.equal(kept, without)


def test_no_value_of_a_twin_brand_is_shown_as_foreign(tmp_path: Path) -> None:
    """Twins are shown the same text with other labels: what one contradicts must not be taught as unrelated."""
    shutil.copytree(ROOT / "data" / "labels" / "coherence" / "i", tmp_path / "twins" / "coherence" / "i")
    rows, values = read_coherence(tmp_path / "twins")
    save_foreign_bert(tmp_path / "encoder", "".join(value.text for listed in values.values() for value in listed))
    reader = Encoder.load(tmp_path / "encoder")

    def ids_of(text: str, role: str) -> tuple[int, ...]:
        return tuple(reader.single(reader.token_ids([text])[0], role))

    group_of = {row.brand: row.group for row in rows}
    groups: dict[tuple[int, ...], set[str]] = {}
    for brand, group in group_of.items():
        for value in values[brand]:
            groups.setdefault(ids_of(value.text, "value"), set()).add(group)
    shipped = FinetuneSettings.load(configs() / "train" / "heads.toml")
    tasks = {"coherence": shipped.tasks["coherence"].model_copy(update={"epochs": 1})}
    batches = Batches(
        tmp_path / "twins", None, reader, shipped.model_copy(update={"tasks": tasks, "foreign_values": 4})
    )
    n_foreign = 0
    for batch in (batches[number] for number in range(len(batches))):
        ids, mask = batch["values"]
        shown = [tuple(row[kept > 0].tolist()) for row, kept in zip(ids, mask, strict=True)]
        pairs = list(zip(*(batch[name].tolist() for name in ("post_of", "value_of", "declared")), strict=True))
        own = {post: groups[shown[value]] for post, value, declared in pairs if declared}
        foreign = [(post, value) for post, value, declared in pairs if not declared]
        assert not any(groups[shown[value]] & own[post] for post, value in foreign)
        n_foreign += len(foreign)
    assert n_foreign > 500


def test_some_posts_are_shown_as_one_with_another_of_their_brand(encoder: Path) -> None:
    told = [
        ("一" * 10, "a", 3, ("care",), ()),
        ("二" * 12, "a", 0, (), ("thrift",)),
        ("三" * 14, "b", 3, ("care",), ()),
    ]
    rows = [CoherenceRow(text, brand, grade, on, off, ()) for text, brand, grade, on, off in told]
    values = {brand: [Value(key, f"{brand}{key}", True) for key in ("care", "thrift")] for brand in "ab"}

    def made(share: float) -> dict[str, Any]:
        make = BatchMaker(Encoder.load(encoder), settings().model_copy(update={"joined": share, "foreign_values": 0}))
        make.prepare([*(row.text for row in rows), *(value.text for listed in values.values() for value in listed)])
        return make.coherence(rows, random.Random(1), values=values, group_of={"a": "a", "b": "b"})

    plain, both = made(0.0), made(1.0)
    lengths = [batch["posts"][1].sum(1).tolist() for batch in (plain, both)]
    assert lengths[1][0] == lengths[1][1] > max(lengths[0][:2]) and lengths[1][2] == lengths[0][2], "b has one post"
    allowed = both["target"][0].nonzero().tolist()
    assert allowed[:4] == [[0, 2], [1, 3], [2, 2], [3, 3]], "the first two both care and waste"
