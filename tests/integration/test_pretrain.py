"""Pre-training: any encoder from a local folder, resumed where it was stopped, and objectives that can be learnt."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import nn
from transformers import AutoModel, BertModel

from pinzhi.errors import ConfigError, ModelError
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.tokenizer import CODES, ROLES, build_tokenizer
from pinzhi.paths import configs
from pinzhi.training.comparison import compare_encoders
from pinzhi.training.encoders import encoder_folder
from pinzhi.training.objectives import IGNORED, MaskedWords, ReplacedWords, shrunk
from pinzhi.training.pretrain import pack_words, pretrain, whole_word_masks
from pinzhi.training.settings import ComparisonSettings, EncoderSettings
from tests.conftest import save_foreign_bert, small_bert

WORDS = ["茶园", "清明", "采摘", "咖啡", "豆子", "烘焙", "徒步", "山路", "露营", "客服", "退款", "发货"]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder like that of the public sets, with sentences in which a word tells its neighbours."""
    (tmp_path / "data" / "raw_text").mkdir(parents=True)
    (tmp_path / "data" / "threads" / "ced").mkdir(parents=True)
    texts = [f"{WORDS[i % 12]}{WORDS[(i + 1) % 12]}{WORDS[(i + 2) % 12]}第{i}次" for i in range(600)]
    pq.write_table(pa.table({"text": texts}), tmp_path / "data" / "raw_text" / "own.parquet")
    thread = {"text": ["今天的茶园很安静"], "items": [[{"text": "明天还来"}]]}
    pq.write_table(pa.table(thread), tmp_path / "data" / "threads" / "ced" / "train.parquet")
    return tmp_path / "data"


def settings(objective: str, steps: int) -> EncoderSettings:
    shipped = EncoderSettings.load(configs() / "train" / "encoder.toml")
    return shipped.model_copy(
        update={
            "corpus": shipped.corpus.model_copy(update={"raw_text": {"own": 1.0}, "labels": None}),
            "objective": shipped.objective.model_copy(update={"name": objective, "generator_size": 16}),
            "training": shipped.training.model_copy(
                update={"sequence_length": 16, "batch_size": 8, "max_steps": steps, "warmup_steps": 1, "decay_steps": 1,
                        "save_steps": 4}
            ),
        }
    )  # fmt: skip


@pytest.mark.parametrize("objective", ["masked", "replaced"])
def test_a_bert_of_another_size_goes_on_from_its_folder_and_resumes(data: Path, tmp_path: Path, objective: str) -> None:
    start = tmp_path / "start"
    bert = save_foreign_bert(start, sorted({*"".join(WORDS), *"0123456789第次"}))
    folder = pretrain(data, tmp_path / "out", settings(objective, 4), start)
    again = pretrain(data, tmp_path / "out", settings(objective, 8), start)
    assert again == folder
    state = json.loads((tmp_path / "out" / "checkpoints" / "checkpoint-8" / "trainer_state.json").read_text("utf-8"))
    assert state["global_step"] == 8
    trained = AutoModel.from_pretrained(folder, local_files_only=True)
    assert isinstance(trained, BertModel) and trained.config.hidden_size == 32
    words, known = trained.get_input_embeddings().weight, bert.get_input_embeddings().weight
    assert (words[: len(known)] - known).abs().max() > 1e-4
    reader = Encoder.load(folder)
    assert len(words) == len(known) + len(CODES) + len(ROLES), "the marks have vectors of their own"
    assert len({reader.role(name[1:-1]) for name in ROLES}) == len(ROLES)
    weights = reader.token_weights
    assert weights[reader.token_ids(["茶"])[0]] > 0 and weights[reader.tokenizer.sep_token_id] == 0


def test_words_are_masked_whole(tmp_path: Path) -> None:
    tokenizer = build_tokenizer({character: 9 for word in WORDS for character in word} | {WORDS[0]: 9})
    lines = [" ".join(WORDS[i % 12] for i in range(start, start + 20)) for start in range(60)]
    packed = pack_words(lines, tokenizer, 32)
    assert {len(row) for name in packed for row in packed[name]} == {32}
    torch.manual_seed(2)
    rows = [{name: packed[name][row] for name in packed} for row in range(len(packed["input_ids"]))]
    batch = whole_word_masks(tokenizer, 0.3)(rows)
    masked = batch["labels"] != IGNORED
    tokens = torch.tensor(packed["input_ids"])
    marks = torch.isin(tokens, torch.tensor([tokenizer.cls_token_id, tokenizer.sep_token_id]))
    assert not masked[marks].any() and 0.2 < masked[~marks].float().mean() < 0.4
    places = torch.tensor(packed["offset_mapping"])
    inside = (places[:, 1:, 0] == places[:, :-1, 1]) & ~marks[:, 1:] & ~marks[:, :-1]
    assert inside.sum() > 100 and torch.equal(masked[:, 1:][inside], masked[:, :-1][inside])


def tiny() -> EncoderSettings:
    """Settings of a training from the texts alone that is over at once."""
    base = settings("masked", 2)
    shape = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return base.model_copy(
        update={
            "model": base.model.model_copy(update=shape),
            "vocabulary": base.vocabulary.model_copy(update={"size": 60, "min_character_count": 1}),
            "skipgram": base.skipgram.model_copy(update={"epochs": 1}),
        }
    )


def test_variants_of_every_kind_are_trained_from_the_same_texts_and_probed(data: Path, tmp_path: Path) -> None:
    likeness = {"text_a": ["茶园采摘", "退款"] * 4, "text_b": ["采摘茶园", "咖啡"] * 4, "label": [1, 0] * 4}
    for part in ("train", "dev"):
        path = data / "paraphrase" / "lcqmc" / f"{part}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(likeness), path)
    shipped = ComparisonSettings.load(configs() / "train" / "comparison.toml")
    variants = {name: one.model_copy(update={"max_steps": 2}) for name, one in shipped.variants.items()}
    chosen = shipped.model_copy(update={"tasks": ("paraphrase/lcqmc",), "variants": variants})
    report = dict(compare_encoders(data, tmp_path / "out", tiny(), chosen))
    assert report.keys() == shipped.variants.keys()
    assert all(0 <= one["paraphrase/lcqmc"]["pinzhi"]["value"] <= 1 and one["steps"] == 2 for one in report.values())
    has_vectors = {name for name in variants if (tmp_path / "out" / name / "skipgram.npy").exists()}
    assert variants.keys() - has_vectors == {"no_vectors"}
    assert report["short_rows_quarter"]["tokens"] == 2 * 96 * 40
    folders = {name: tmp_path / "out" / name / "encoder" for name in variants}
    models = {name: AutoModel.from_pretrained(folder, local_files_only=True) for name, folder in folders.items()}
    assert {name: models[name].config.model_type for name in ("masked", "roformer", "bert")} == {
        "masked": "modernbert", "roformer": "roformer", "bert": "bert",
    }  # fmt: skip
    words = {
        name: [len(ids) for ids in Encoder.load(folders[name]).token_ids(["茶园采摘"])]
        for name in ("masked", "characters")
    }
    assert words["characters"] == [4] and words["masked"][0] < 4
    again = dict(compare_encoders(data, tmp_path / "out", tiny(), chosen, ["bert"]))
    assert again.keys() == {"bert"}
    with pytest.raises(ConfigError, match="found nonsense"):
        next(iter(compare_encoders(data, tmp_path / "out", tiny(), chosen, ["nonsense"])))


def chains(n: int, length: int, n_tokens: int) -> torch.Tensor:
    """Rows in which every token is followed by its successor: a wrong one can be told from its neighbours."""
    first = torch.randint(0, n_tokens, (n, 1), generator=torch.Generator().manual_seed(3))
    return (first + torch.arange(length)) % n_tokens


def learn(module: nn.Module, tokens: torch.Tensor, steps: int, mask_id: int) -> list[dict[str, Any]]:
    torch.manual_seed(5)
    optimizer = torch.optim.AdamW(module.parameters(), lr=5e-3)
    said = []
    for _ in range(steps):
        masked = torch.rand(tokens.shape) < 0.2
        out = module(torch.where(masked, mask_id, tokens), torch.where(masked, tokens, IGNORED))
        optimizer.zero_grad()
        out["loss"].backward()
        optimizer.step()
        said.append({"loss": float(out["loss"].detach()), **out})
    return said


def test_masked_words_are_learnt() -> None:
    said = learn(MaskedWords(small_bert(41)), chains(64, 12, 40), 300, mask_id=40)
    assert said[-1]["loss"] < 0.5 * said[0]["loss"]


def test_replaced_words_are_found_where_they_break_the_chain() -> None:
    trunk = small_bert(41)
    generator = MaskedWords(small_bert(41))
    module = ReplacedWords(trunk, 32, generator, weight=50.0)
    learn(module, chains(64, 12, 40), 400, mask_id=40)
    tokens = chains(64, 12, 40)
    tokens[:, 6] = (tokens[:, 6] + 7) % 40
    with torch.no_grad():
        logits = module.detect(trunk(input_ids=tokens).last_hidden_state).squeeze(-1)
    broken, whole = logits[:, 6], logits[:, [0, 1, 2, 3, 9, 10, 11]]
    assert (broken.unsqueeze(1) > whole).float().mean() > 0.9


def test_a_generator_starts_from_the_strongest_directions() -> None:
    torch.manual_seed(2)
    strong = torch.randn(50, 4) @ torch.randn(4, 32)
    small = shrunk(strong + 0.01 * torch.randn(50, 32), 4)
    distances, kept = torch.cdist(strong, strong), torch.cdist(small, small)
    assert torch.corrcoef(torch.stack([distances.flatten(), kept.flatten()]))[0, 1] > 0.99


def test_a_name_is_a_folder_or_is_looked_for_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_names(*_: Any, **__: Any) -> None:
        raise OSError("names are not looked up")

    monkeypatch.setattr("socket.getaddrinfo", no_names)
    assert encoder_folder(str(tmp_path)) == tmp_path
    with pytest.raises(ModelError, match="neither"):
        encoder_folder("nobody/no-such-encoder")
    with pytest.raises(ModelError, match="found none"):
        encoder_folder("data/no-such-encoder")  # a folder that is missing is not looked for elsewhere


@pytest.mark.parametrize(("environment", "says"), [({}, "fetched owner/name v2"), ({"HF_HUB_OFFLINE": "1"}, "neither")])
def test_the_hub_is_open_for_the_named_encoder_alone(environment: dict[str, str], says: str, tmp_path: Path) -> None:
    """What the heads forbid the whole process on import, and what the environment forbids: nothing of it is patched."""
    script = f"""
import pinzhi.heads.predict, huggingface_hub.errors
from pinzhi.training.encoders import encoder_folder
def download(repository, *, revision, allow_patterns):
    if huggingface_hub.is_offline_mode():
        raise huggingface_hub.errors.OfflineModeIsEnabled("offline mode is enabled")
    print("fetched", repository, revision)
    return {str(tmp_path)!r}
huggingface_hub.snapshot_download = download
assert huggingface_hub.is_offline_mode()
try:
    print(encoder_folder("owner/name@v2"))
finally:
    assert huggingface_hub.is_offline_mode()
"""
    kept = {name: value for name, value in os.environ.items() if name not in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")}
    done = subprocess.run(
        [sys.executable, "-c", script], env=kept | environment, capture_output=True, text=True, check=False
    )
    assert says in done.stdout + done.stderr and "AssertionError" not in done.stderr
