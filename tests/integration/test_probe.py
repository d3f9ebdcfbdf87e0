"""What an encoder knows: a set of pairs is learnt by a copy of it, the same each time."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch

from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import DeepClassifier
from pinzhi.paths import configs
from pinzhi.training.probe import probe
from pinzhi.training.settings import ProbeSettings
from pinzhi.training.tuning import tune
from tests.conftest import save_foreign_bert

THINGS = ["茶园", "咖啡", "山路", "露营", "客服", "发货"]


def encoder(folder: Path) -> Encoder:
    save_foreign_bert(folder, sorted({*"".join(THINGS), *"好差很"}))
    return Encoder.load(folder)


def test_a_copy_learns_what_the_order_of_words_says(tmp_path: Path) -> None:
    given = encoder(tmp_path / "bert")
    texts = [f"{a}好{b}差" if row % 2 else f"{b}差{a}好" for row in range(8) for a in THINGS for b in THINGS if a != b]
    labels = np.repeat(np.arange(8) % 2, len(texts) // 8)
    sequences = [given.single(ids, "post") for ids in given.token_ids(texts)]
    settings = ProbeSettings.load(configs() / "train" / "probe.toml").tuning
    assert settings is not None
    quick = settings.model_copy(update={"learning_rate": 3e-3, "epochs": 4})
    before = {name: weight.clone() for name, weight in given.model.state_dict().items()}

    def trained() -> tuple[Encoder, DeepClassifier]:
        torch.manual_seed(1)
        head = DeepClassifier(given.hidden_size, 2)
        return tune(given, head, sequences[::2], np.eye(2)[labels[::2]], quick, seed=1), head

    (one, head), (two, _) = trained(), trained()
    said = np.zeros(len(texts), int)
    with torch.no_grad():
        for batch in one.batches(sequences):
            said[batch.rows] = head(one.hidden(batch.ids, batch.mask), batch.mask).argmax(1).numpy()
    assert (said == labels)[1::2].mean() > 0.95
    assert all(torch.equal(weight, before[name]) for name, weight in given.model.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True))


def write_pairs(folder: Path, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    for part in ("train", "dev"):
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{part}.parquet")


def test_graded_and_plain_pairs_have_their_own_figure(tmp_path: Path) -> None:
    pairs = [(f"{a}很好", f"{b}很好", float(a == b)) for a in THINGS for b in THINGS] * 3
    rows = [{"text_a": a, "text_b": b, "label": label} for a, b, label in pairs]
    write_pairs(tmp_path / "data" / "paraphrase" / "lcqmc", rows)
    graded = [{**row, "label": 5 * row["label"] or 1.0 + i % 2} for i, row in enumerate(rows)]
    write_pairs(tmp_path / "data" / "similarity" / "stsb_zh", graded)
    tasks = ("paraphrase/lcqmc", "similarity/stsb_zh")
    settings = ProbeSettings.load(configs() / "train" / "probe.toml")
    report = dict(probe(encoder(tmp_path / "bert"), tmp_path / "data", settings, tasks))
    plain, likeness = (report[task] for task in tasks)
    assert (plain["metric"], likeness["metric"]) == ("accuracy", "spearman")
    assert plain["pinzhi"]["value"] > plain["majority"] and likeness["pinzhi"]["value"] > 0.4
    assert {"deep", "jaccard"} <= plain.keys() & likeness.keys()
