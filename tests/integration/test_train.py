"""`pinzhi train` on a small base: what is learnt, what is refused, and the gate."""

import json
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from scipy.special import softmax

from pinzhi.brand import BrandProfile
from pinzhi.cli import main
from pinzhi.cli.terminal import Lang
from pinzhi.cli.training import as_json, show
from pinzhi.evaluation.gate import Verdict, judge
from pinzhi.evaluation.metrics import macro_f1
from pinzhi.heads.predict import Heads
from pinzhi.heads.store import active_versions, open_active
from pinzhi.segment import Segmenter
from pinzhi.text import without_emoticons
from pinzhi.training import classifier, retrain_comments
from pinzhi.training.classifier import pool_comments
from pinzhi.training.data import is_dev, read_coherence, read_comments, read_pairs, split, split_posts
from pinzhi.training.label_export import account_digest
from pinzhi.training.label_files import LabelTask, Problem, read_labels
from pinzhi.training.multitask import marginal_loss
from pinzhi.training.retrain import Retrained
from pinzhi.training.retrain_comments import CommentTraining
from pinzhi.training.retrain_posts import CoherenceTraining, OriginalityTraining, _temperature
from pinzhi.training.settings import RetrainSettings
from tests.conftest import ROOT

BRANDS = ("dairy", "paint", "hotpot")  # the last one is frozen


@pytest.fixture
def posts_base(base: Path) -> Path:
    """`base` with a few graded posts of three brands, one of them frozen, and a few pairs of some topics."""
    for kind, part, file, key, wanted in (
        ("coherence", "a", "posts.jsonl", "brand", BRANDS), ("originality", "a", "pairs.jsonl", "a_id", None),
    ):  # fmt: skip
        source, target = ROOT / "data" / "labels" / kind / part, base / kind / part
        shutil.copytree(source, target)
        rows = [json.loads(line) for line in (source / file).read_text("utf-8").splitlines()]
        kept = [row for row in rows if wanted is None or row[key] in wanted]
        kept = [row for i, row in enumerate(kept) if sum(one[key] == row[key] for one in kept[:i]) < 12][:120]
        (target / file).write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in kept), "utf-8")
    return base


@pytest.fixture
def quick(tmp_path: Path) -> Path:
    """Settings of a training that is over soon and leaves a checkpoint after every step."""
    shipped = (ROOT / "configs" / "train" / "retrain.toml").read_text("utf-8")
    path = tmp_path / "retrain.toml"
    path.write_text(
        re.sub(r"epochs = [23]\b", "epochs = 1", shipped).replace("save_steps = 100", "save_steps = 1"), "utf-8"
    )
    return path


def write(path: Path, *rows: tuple[str, str]) -> Path:
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in rows), "utf-8")
    return path


def train(capsys: pytest.CaptureFixture[str], *arguments: Any) -> dict[str, Any]:
    assert main(["train", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_labels_are_learnt_reported_and_kept_or_promoted(
    store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "new.csv", ("茶汤清亮，回甘很久", "1"), ("客服三天不理人", "负面"), ("怎么卖", "赞"))
    before = active_versions(store)["sentiment"]
    first = train(capsys, "sentiment", labels, "--models", store, "--base", base)
    assert first["n_new"] == 2 and [problem["row"] for problem in first["problems"]] == [4]
    assert active_versions(store)["sentiment"] == (first["version"] if first["is_promoted"] else before)
    assert first["is_promoted"] == first["verdict"]["is_better"] and first["verdict"]["reason"]
    card = json.loads((store / "sentiment" / first["version"] / "metrics.json").read_text("utf-8"))
    assert np.array(card["confusion"]).sum() == first["verdict"]["n"]
    assert card["masked_macro_f1"]["n"] == first["verdict"]["n"]
    assert 0 <= card["ece"] <= 1
    if first["is_promoted"]:
        assert open_active(store, "sentiment").version == first["version"]
        assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 0
        capsys.readouterr()
    again = train(capsys, "sentiment", labels, "--models", store, "--base", base)
    assert again["version"] == first["version"], "equal data and seed, other weights"


def test_every_new_row_is_learnt_whatever_its_group_is_called(
    store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = []
    for group in (
        next(str(i) for i in range(99) if is_dev(f"temperature/fresh/{i}", 0.15) is held) for held in (True, False)
    ):
        labels = tmp_path / "grouped.csv"
        labels.write_text(f"text,label,group\n茶汤清亮，回甘很久,1,{group}\n客服三天不理人,-1,{group}\n", "utf-8")
        done = train(capsys, "sentiment", labels, "--models", store, "--base", base)
        weights.append((store / "sentiment" / done["version"] / "model.safetensors").read_bytes())
        if done["is_promoted"]:
            assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 0
            capsys.readouterr()
    assert weights[0] == weights[1]


def settings_with(path: Path, *changes: tuple[str, str]) -> RetrainSettings:
    """The shipped settings, in a file of their own, with some lines changed."""
    text = (ROOT / "configs" / "train" / "retrain.toml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, "utf-8")
    return RetrainSettings.load(path)


def test_frozen_rows_are_judged_by_platform_length_and_brand(tmp_path: Path) -> None:
    labels, settings = ROOT / "data" / "labels", settings_with(tmp_path / "retrain.toml")
    nothing, _ = read_labels([], LabelTask.SENTIMENT)
    comments = CommentTraining(LabelTask.SENTIMENT, nothing, labels, None, settings)
    pairs = OriginalityTraining(nothing, labels, settings)
    posts = CoherenceTraining(nothing, labels, [], settings)
    for training, names in (
        (comments, {"weibo", "douyin", "taobao", "comments/qa_wb_yueling"}),
        (pairs, {"weibo", "zhihu", "wechat"}),
        (posts, {"weibo", "wechat", "a/hotpot"}),
    ):
        slices, n = training.slices(), len(training.truth())
        assert names < slices.keys() and sum("characters" in name for name in slices) == 3 and "" not in slices
        assert all(mask.shape == (n,) and 0 < mask.sum() < n for mask in slices.values())
    weibo = comments.slices()["weibo"]
    assert weibo[comments.slices()["comments/qa_wb_yueling"]].all() and weibo.sum() > settings.gate.least_rows


def test_a_killed_training_of_comments_goes_on(
    store: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "new.csv", ("茶汤清亮，回甘很久", "1"), ("客服三天不理人", "负面"))
    settings_with(tmp_path / "retrain.toml", ("save_steps = 100", "save_steps = 5"))
    command = ("sentiment", labels, "--models", store, "--base", base, "--config", tmp_path / "retrain.toml")
    shown: list[int] = []

    def killed(after: int) -> Any:
        def loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
            shown.append(len(logits))
            if len(shown) > after:
                raise KeyboardInterrupt
            return marginal_loss(logits, target)

        return loss

    monkeypatch.setattr(classifier, "marginal_loss", killed(after=12))
    assert main(["train", *map(str, command)]) == 130
    capsys.readouterr()
    shown.clear()
    monkeypatch.setattr(classifier, "marginal_loss", killed(after=10**6))
    resumed = train(capsys, *command)
    n_resumed = len(shown)
    assert not list((store / ".training").iterdir())
    if resumed["is_promoted"]:
        assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 0
        capsys.readouterr()
    shown.clear()
    undisturbed = train(capsys, *command)
    assert n_resumed == len(shown) - 10, "it began anew"
    assert undisturbed["version"] == resumed["version"], "resumed and undisturbed training gave other weights"


def test_the_deep_part_of_comments_learns_without_emoticons_too(
    base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(
        tmp_path / "retrain.toml", ("epochs = 6", "epochs = 1"), ("[wide]", "[wide]\ncode_dropout = 1.0")
    )
    pooled: list[str] = []

    def pool(heads: Heads, chosen: Any, texts: list[str], posts: list[str]) -> Any:
        pooled.extend(texts)
        return pool_comments(heads, chosen, texts, posts)

    monkeypatch.setattr(retrain_comments, "pool_comments", pool)
    table, _ = read_labels([write(tmp_path / "new.csv", ("茶汤清亮[赞]😂", "1"))], LabelTask.SENTIMENT)
    training = CommentTraining(LabelTask.SENTIMENT, table, base, None, settings)
    training.fit(Heads.load(ROOT / "models", Segmenter()), tmp_path / "work")
    assert "茶汤清亮" in pooled and all(text == without_emoticons(text) for text in pooled)


def test_a_head_of_comments_is_no_surer_of_frozen_rows_than_the_active_one(base: Path, tmp_path: Path) -> None:
    nothing, _ = read_labels([], LabelTask.SENTIMENT)
    training = CommentTraining(LabelTask.SENTIMENT, nothing, base, None, settings_with(tmp_path / "retrain.toml"))
    active = Heads.load(ROOT / "models", Segmenter())
    fitted = training.fit(active, tmp_path / "work")
    new = active.replaced({k: v for k, (v, _) in fitted.items()}, {k: t for k, (_, t) in fitted.items()})
    before, after = (training.predict(heads).max(1).mean() for heads in (active, new))
    assert after < before + 0.05, "it takes what it knows by heart for what it can tell"


def test_a_head_that_has_learnt_more_is_as_sure_as_before() -> None:
    logits = np.random.default_rng(1).normal(0, 1.0, (50, 3))

    @dataclass
    class Loud:
        loudness: float
        degrees: float

        def temperature(self, name: str) -> float:
            return self.degrees

        def replaced(self, modules: dict[str, Any], temperature: dict[str, float]) -> "Loud":
            return Loud(modules["manner"], temperature["manner"])

    def say(heads: Any) -> np.ndarray:
        return softmax(heads.loudness * logits / heads.degrees, axis=1)

    active: Any = Loud(loudness=1.0, degrees=1.5)
    louder: Any = 2.0
    assert np.isclose(_temperature(active, "manner", louder, say), 2 * 1.5, atol=1e-3)


def test_a_label_against_the_labelled_sets_is_reported_and_not_learnt(
    store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_comments(base)
    train_rows, _ = split(rows, [row.group for row in rows])
    praise = next(
        row.text for row in train_rows if row.sentiment and row.sentiment.allowed == (2,) and "," not in row.text
    )
    labels = write(tmp_path / "new.csv", (praise, "-1"), ("客服三天不理人", "负面"))
    done = train(capsys, "sentiment", labels, "--models", store, "--base", base)
    assert done["n_new"] == 1 and [problem["row"] for problem in done["problems"]] == [2]
    assert "as the labelled sets call this comment" in done["problems"][0]["reason"]


def public_sets(folder: Path) -> Path:
    """A folder like that of the public sets, small and ours."""
    texts = {"train": ["发货快，很满意", "破了也不退，差评"] * 3, "dev": ["很满意的一次购物", "再也不来了，差评"] * 3}
    for name in ("online_shopping_10_cats", "chnsenticorp_htl", "waimai_10k", "weibo2018", "eprstmt", "osm2022"):
        kinds = ("positive", "anger") if name == "osm2022" else (1, 0)
        _write_sets(folder / "sentiment" / name, texts, kinds)
    for name, kinds in (("smp2020_ewect", ("happy", "angry")), ("weibo_moods8", ("like", "anger"))):
        _write_sets(folder / "emotion" / name, texts, kinds)
    for name in ("group_chat_ads", "game_chat_ads"):
        _write_sets(folder / "spam" / name, texts, (0, 1))
    return folder


def _write_sets(folder: Path, texts: dict[str, list[str]], kinds: tuple[Any, Any]) -> None:
    folder.mkdir(parents=True)
    for part, listed in texts.items():
        said = [f"{folder.name}：{text}" for text in listed]
        pq.write_table(pa.table({"text": said, "label": list(kinds) * 3}), folder / f"{part}.parquet")


def test_public_rows_are_replayed_and_watched(
    store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "new.csv", ("茶汤清亮，回甘很久", "1"), ("客服三天不理人", "负面"))
    settings_with(tmp_path / "retrain.toml", ("least_rows = 100", "least_rows = 6"))
    options = ("--models", store, "--base", base, "--config", tmp_path / "retrain.toml")
    alone = train(capsys, "sentiment", labels, *options)
    done = train(capsys, "sentiment", labels, *options, "--public", public_sets(tmp_path / "public"))
    watched = {part["name"] for part in done["verdict"]["slices"]} - {
        part["name"] for part in alone["verdict"]["slices"]
    }
    assert watched == {"online_shopping_10_cats", "chnsenticorp_htl", "waimai_10k", "weibo2018", "eprstmt", "osm2022"}
    assert done["verdict"]["n"] == alone["verdict"]["n"] and done["version"] != alone["version"]
    if done["is_promoted"]:
        assert main(["models", "rollback", "sentiment", "--models", str(store)]) == 0
        capsys.readouterr()
    path = tmp_path / "public" / "sentiment" / "waimai_10k" / "train.parquet"
    asked = pa.table({"text": ["weibo2018：很满意的一次购物"], "label": [1]})
    pq.write_table(pa.concat_tables([pq.read_table(path), asked]), path)
    again = train(capsys, "sentiment", labels, *options, "--public", tmp_path / "public")
    assert again["version"] == done["version"], "a dev text of another set was replayed"
    assert main(["train", "sentiment", str(labels), *map(str, options), "--public", str(tmp_path)]) == 2
    assert "expected a file of the public sets" in capsys.readouterr().err


def test_rows_of_the_frozen_set_are_not_trained_on(store: Path, base: Path, tmp_path: Path) -> None:
    rows = read_comments(base)
    _, frozen = split(rows, [row.group for row in rows])
    assert frozen, "the small base has no frozen rows"
    labels = write(tmp_path / "a.csv", *((row.text.replace(",", "，"), "1") for row in frozen[:3]))
    assert main(["train", "sentiment", str(labels), "--models", str(store), "--base", str(base)]) == 2


def test_what_comes_back_of_the_frozen_rows_is_reported_with_file_and_row(posts_base: Path, tmp_path: Path) -> None:
    settings, path = settings_with(tmp_path / "retrain.toml"), tmp_path / "labels.jsonl"
    brand = BrandProfile.load(ROOT / "configs" / "brands" / "lvye.yaml")
    comments, posts, pairs = read_comments(posts_base), read_coherence(posts_base)[0], read_pairs(posts_base)[0]
    comment = max(split(comments, [row.group for row in comments])[1], key=lambda row: len(row.text))
    post = max(split_posts(posts)[1], key=lambda row: len(row.text))
    pair = max(split(pairs, [row.group for row in pairs])[1], key=lambda row: len(row.later))
    account = account_digest("weibo", comment.group.removeprefix("comments/"))

    def labelled(task: LabelTask, *rows: dict[str, Any]) -> pa.Table:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
        table, problems = read_labels([path], task)
        assert table.num_rows == len(rows) and not problems
        return table

    of_comments = labelled(
        LabelTask.SENTIMENT, {"text": f"#日常# {comment.text}", "label": "正面"},
        {"text": "刚到家，还没喝", "label": "中性", "group": account}, {"text": "客服三天不理人", "label": "负面"},
    )  # fmt: skip
    of_posts = labelled(
        LabelTask.COHERENCE, {"text": f"#日常# {post.text}", "brand": "lvye", "grade": 1},
        {"text": "纸箱用了三回", "brand": post.brand.split("/")[1], "grade": 1}, {"text": "早安", "brand": "lvye", "grade": 1},
    )  # fmt: skip
    of_pairs = labelled(
        LabelTask.ORIGINALITY, {"text": f"#日常# {pair.later}", "label": "原创"},
        {"text": "江边跑步遇到卖花大爷", "earlier": f"转发：{pair.earlier}", "label": "洗稿"}, {"text": "早安", "label": "模板"},
    )  # fmt: skip
    for training in (
        CommentTraining(LabelTask.SENTIMENT, of_comments, posts_base, None, settings),
        CoherenceTraining(of_posts, posts_base, [brand], settings),
        OriginalityTraining(of_pairs, posts_base, settings),
    ):
        assert (training.n_new, training.n_repeats) == (1, 2)
        assert [(one.source, one.row, one.is_repeat) for one in training.problems] == [
            (str(path), 1, True), (str(path), 2, True),
        ]  # fmt: skip


def test_the_screen_shows_faults_before_repeats_and_counts_both(capsys: pytest.CaptureFixture[str]) -> None:
    repeats = [Problem("a.csv", row, "again", is_repeat=True) for row in range(2, 20)]
    verdict = Verdict(9, 0.5, 0.5, -0.1, 0.1, (), False, "not sure")
    fault = Problem("a.csv", 30, "no label")
    done = Retrained(LabelTask.SENTIMENT, {"sentiment": "v"}, False, "macro_f1", verdict, 7, 3, (*repeats, fault))
    show(done, Lang.EN)
    said = " ".join(capsys.readouterr().out.split())
    assert said.startswith("· a.csv, row 30: no label") and "1 labels could not be used" in said
    assert "7 new rows trained on; left out: 3 that repeat frozen ones, 15 that repeat each other" in said
    assert as_json(done)["n_repeats"] == 15


def test_the_flow_learns_from_the_labelled_sets_alone_as_the_command_does() -> None:
    shown = subprocess.run(
        [sys.executable, "-m", "pipelines.train_head", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "} [labels ...]" in " ".join(shown.stdout.split())


GRADED = [
    {"text": "纸箱第三次回收再用了，胶带印叠了三层，客人说像勋章", "brand": "lvye", "grade": 3, "expresses": ["environment"]},
    {"text": "赶双十一，这一批全部加了塑料内衬，好看就行", "brand": "lvye", "grade": 0, "contradicts": ["environment"]},
    {"text": "没有这个牌子", "brand": "nobody", "grade": 1},
    {"text": "没有这个价值", "brand": "lvye", "grade": 3, "expresses": ["nothing"]},
]  # fmt: skip


def coherence_command(store: Path, base: Path, quick: Path, tmp_path: Path) -> list[str]:
    labels = tmp_path / "graded.jsonl"
    labels.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in GRADED), "utf-8")
    profile = ROOT / "configs" / "brands" / "lvye.yaml"
    return [str(one) for one in ("train", "coherence", labels, "--brand", profile, "--models", store, "--base", base,
                                 "--config", quick, "--json")]  # fmt: skip


def test_values_are_learnt_and_a_killed_training_goes_on(
    store: Path, posts_base: Path, quick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = coherence_command(store, posts_base, quick, tmp_path)
    script = f"from pinzhi.cli import main; raise SystemExit(main({command!r}))"
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL)
    end = time.monotonic() + 120
    while not list((store / ".training").glob("*/checkpoints/checkpoint-[12]")) and time.monotonic() < end:
        time.sleep(0.05)
    process.kill()
    process.wait()
    left = list((store / ".training").glob("*/checkpoints/checkpoint-*"))
    assert left, "killed before the first checkpoint"
    assert main(command) == 0
    resumed = json.loads(capsys.readouterr().out)
    assert resumed["n_new"] == 2 and [one["row"] for one in resumed["problems"]] == [3, 4]
    assert resumed["metric"] == "concordance" and set(resumed["versions"]) == {"coherence"}
    assert not (store / ".training").exists() or not list((store / ".training").iterdir())
    if resumed["is_promoted"]:
        assert main(["models", "rollback", "coherence", "--models", str(store)]) == 0
        capsys.readouterr()
    assert main(command) == 0
    undisturbed = json.loads(capsys.readouterr().out)
    assert undisturbed["version"] == resumed["version"], "resumed and undisturbed training gave other weights"


def test_originality_trains_manner_and_judge(
    store: Path, posts_base: Path, quick: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text(
        "text,context,label\n祝大家节日快乐，平安喜乐，一起向未来！,,模板\n江边跑了五公里，遇到卖花大爷送我一枝,早晨在江边跑五公里，碰见卖花大爷，他送了我一枝花,洗稿\n"
        "转自老王：今天的河水特别清,,转引\n没有来源的改写,,洗稿\n", "utf-8",
    )  # fmt: skip
    done = train(capsys, "originality", labels, "--models", store, "--base", posts_base, "--config", quick)
    assert set(done["versions"]) == {"manner", "originality"} and done["n_new"] == 3
    assert [problem["row"] for problem in done["problems"]] == [5]
    for head, version in done["versions"].items():
        card = json.loads((store / head / version / "metrics.json").read_text("utf-8"))
        assert np.array(card["confusion"]).sum() == done["verdict"]["n"]
        assert (active_versions(store)[head] == version) == done["is_promoted"]


@pytest.mark.parametrize(
    ("task", "says"), [("mood", "expected a task of"), ("coherence", "expected"), ("sentiment", "found none")]
)
def test_what_cannot_be_trained_is_said(
    task: str, says: str, store: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    labels = write(tmp_path / "a.csv", ("怎么卖", "赞"))
    assert main(["train", task, str(labels), "--models", str(store), "--base", str(base)]) == 2
    assert says in capsys.readouterr().err


def guesses(truth: np.ndarray, n_wrong: int, among: np.ndarray) -> np.ndarray:
    wrong = truth.copy()
    at = np.flatnonzero(among)[:n_wrong]
    wrong[at] = 1 - wrong[at]
    return wrong


def test_the_gate_wants_a_sure_gain_and_no_slice_that_falls() -> None:
    truth = np.tile([0, 1], 200)
    everywhere, half = np.ones(400, dtype=bool), np.arange(400) < 60

    def gate(before: np.ndarray, after: np.ndarray) -> tuple[bool, str]:
        found = judge(
            macro_f1,
            truth,
            before,
            after,
            {"wide": everywhere, "small": half},
            margin=0.03,
            least_rows=25,
            n_samples=200,
        )
        return found.is_better, found.reason

    poor, good = guesses(truth, 80, ~half), guesses(truth, 20, ~half)
    assert gate(poor, good)[0]
    assert not gate(good, poor)[0] and "not sure" in gate(good, poor)[1]
    assert not gate(good, good)[0]
    there = np.arange(400) >= 60
    found = judge(macro_f1, truth, poor, good, {}, margin=0.03, least_rows=25, n_samples=200, main=there)
    assert found.n == 340 and found.before == round(macro_f1(truth[there], poor[there]), 4)
    few = np.arange(400) < 30
    fallen = judge(
        macro_f1, truth, poor, guesses(truth, 25, few), {"few": few}, margin=0.03, least_rows=100, n_samples=200
    )
    assert not fallen.is_better and "few" in fallen.reason, "nearly all of a small slice is lost"
    wavering = judge(
        macro_f1, truth, poor, guesses(truth, 2, few), {"few": few}, margin=0.03, least_rows=100, n_samples=200
    )
    assert wavering.is_better, "two rows of a small slice prove nothing"
    uneven = guesses(truth, 10, half)
    better_but = gate(poor, uneven)
    assert not better_but[0] and "small" in better_but[1]
