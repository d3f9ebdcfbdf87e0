"""From a fine-tuned folder to versions in the store: the pair judge, temperatures, metrics, cards."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional

from pinzhi.evaluation.coherence import evaluate_coherence, said_of_values
from pinzhi.evaluation.evaluate import evaluate_comments, evaluate_originality, pair_evidence, word_reader
from pinzhi.evaluation.metrics import fit_scales, fit_temperature
from pinzhi.evaluation.sentence_pairs import evaluate_similarity
from pinzhi.heads import account
from pinzhi.heads.encoder import Encoder
from pinzhi.heads.modules import (
    EvidenceJudge,
    PairJudge,
    SentenceEmbedder,
    TextClassifier,
    ValueMatcher,
    scale_output,
)
from pinzhi.heads.predict import MANNERS, Heads, build_head, load_weights
from pinzhi.heads.store import promote_all, write_version
from pinzhi.originality.evidence import FEATURES
from pinzhi.segment import Segmenter
from pinzhi.training.accounts import ACCOUNTS, evaluate_accounts, fit_accounts, has_accounts
from pinzhi.training.cards import LABELS, READS, SOURCES, model_card
from pinzhi.training.classifier import COMMENT_HEADS, comment_logits
from pinzhi.training.data import (
    PairRow,
    read_coherence,
    read_comments,
    read_pairs,
    split,
    split_posts,
)
from pinzhi.training.embedding import fit_embedding
from pinzhi.training.finetune import half, kept_for_judge
from pinzhi.training.value_weights import fit_weights

# Share of the pairs of values that labelled brands declare side by side which are taken to say the same.
SAME_PAIRS = 0.02
MIDDLE = 4000  # posts, and as many comments, whose middle is the origin of the embedding


def judge_pairs(rows: Sequence[PairRow]) -> tuple[list[tuple[str, str]], list[int]]:
    """Labelled pairs, and later texts beside other posts of their topic, which they do not derive from."""
    pairs: list[tuple[str, str]] = []
    labels: list[int] = []
    for row in rows:
        pairs.append((row.earlier, row.later))
        labels.append(PairJudge.CLASSES.index(row.label))
        if not row.how.startswith("merge"):
            pairs.extend((other, row.later) for other in row.same_topic[:3])
            labels.extend([0] * len(row.same_topic[:3]))
    return pairs, labels


def train_judge(features: np.ndarray, labels: np.ndarray, seed: int, steps: int = 700) -> EvidenceJudge:
    """A judge of evidence [n, f]; classes weigh by the root of their rarity."""
    torch.manual_seed(seed)
    judge = EvidenceJudge(features.shape[1], len(PairJudge.CLASSES))
    x, y = torch.from_numpy(features), torch.from_numpy(labels)
    judge.mean.copy_(x.mean(0))
    judge.scale.copy_(x.std(0).clamp(min=1e-3))
    weight = torch.bincount(y, minlength=4).clamp(min=1).float().rsqrt()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=3e-3, weight_decay=0.05)
    judge.train()
    for _ in range(steps):
        loss = functional.cross_entropy(judge(x), y, weight=weight / weight.mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return judge.eval()


def temperatures(heads: Heads, labels: Path) -> dict[str, float]:
    """Temperatures of the heads whose parts are not weighed, fitted on dev rows."""
    _, manners = read_pairs(labels)
    _, dev = split(manners, [row.group for row in manners])
    _, p = heads.posts([row.text for row in dev])
    return {"manner": fit_temperature(p, np.array([MANNERS.index(row.label) for row in dev]))}


def weigh_comments(heads: Heads, modules: Mapping[str, nn.Module], labels: Path) -> None:
    """Weigh the deep and the wide part of the heads of comments against each other, on dev rows."""
    rows = read_comments(labels)
    _, dev = split(rows, [row.group for row in rows])
    parts = comment_logits(heads, COMMENT_HEADS, [row.text for row in dev], [row.post for row in dev])
    for name in COMMENT_HEADS:
        head = modules[name]
        assert isinstance(head, TextClassifier)
        head.scale(*fit_scales(parts[name], np.array([getattr(row, name).allowed[0] for row in dev])))


@torch.no_grad()
def temper_judge(judge: EvidenceJudge, features: np.ndarray, rows: Sequence[PairRow]) -> np.ndarray:
    """Make `judge` as sure as it is right on `rows`, of which `features` [n, f] are the evidence; returns its logits [n, 4]."""
    logits = judge(torch.from_numpy(features)).numpy()
    (factor,) = fit_scales([logits], pair_classes(rows))
    scale_output(judge.layers, factor)
    return factor * logits


def pair_classes(rows: Sequence[PairRow]) -> np.ndarray:
    """Classes [n] of `PairJudge`."""
    return np.array([PairJudge.CLASSES.index(row.label) for row in rows])


def weigh_pairs(heads: Heads, judge: PairJudge, features: np.ndarray, rows: Sequence[PairRow]) -> None:
    """Temper the evidence [n, f] of `rows`, and weigh it and the reading of them by `judge`, which is the one of `heads`,
    against each other."""
    parts = [
        temper_judge(judge.evidence, features, rows), heads.read_pairs([(row.earlier, row.later) for row in rows])
    ]  # fmt: skip
    judge.factors.copy_(torch.tensor(fit_scales(parts, pair_classes(rows))))


def weigh_values(heads: Heads, matcher: ValueMatcher, labels: Path) -> None:
    """Weigh the parts of `matcher`, which is the one of `heads`, against each other, on dev rows."""
    rows, values = read_coherence(labels)
    found = fit_weights(*said_of_values(heads, split_posts(rows)[1], values))
    matcher.weights.copy_(torch.from_numpy(found.weights))
    matcher.bias.copy_(torch.from_numpy(found.bias))


def fit_sameness(heads: Heads, matcher: ValueMatcher, labels: Path) -> None:
    """Have `matcher`, which is the one of `heads`, know from which likeness two values say the same: labelled brands declare few such
    pairs."""
    likeness = [np.zeros(0, np.float32)]
    for values in read_coherence(labels)[1].values():
        texts = [value.text for value in values if not value.is_english]
        if len(texts) > 1:
            likeness.append(heads.value_likeness(heads.encode_values(texts))[np.triu_indices(len(texts), 1)])
    matcher.same_from.fill_(float(np.quantile(np.concatenate(likeness), 1 - SAME_PAIRS)))


def fit_originality(heads: Heads, modules: Mapping[str, nn.Module], labels: Path, seed: int) -> None:
    """Fit the embedding of `modules`, which are those of `heads`, then the judge of the evidence that rests on it, and weigh the judge's
    parts; its reader stays as it is."""
    embedder, judge = modules["embedding"], modules["originality"]
    assert isinstance(embedder, SentenceEmbedder) and isinstance(judge, PairJudge)
    pairs, _ = read_pairs(labels)
    train, dev = split(pairs, [row.group for row in pairs])
    fit_embedding(heads.encoder, embedder, train, usual_texts(labels))
    read = word_reader(heads)
    evidence, classes = judge_pairs([row for row in train if kept_for_judge(row)])
    judge.evidence = train_judge(pair_evidence(heads, read, evidence), np.array(classes), seed)
    weigh_pairs(heads, judge, pair_evidence(heads, read, [(row.earlier, row.later) for row in dev]), dev)


def usual_texts(labels: Path) -> list[str]:
    """Posts and comments of the training rows of `labels`, MIDDLE of each at most, from all parts alike: what texts are usually like."""
    comments, posts = read_comments(labels), read_coherence(labels)[0]
    said = (
        [row.text for row in split(comments, [row.group for row in comments])[0]],
        [row.text for row in split_posts(posts)[0]],
    )
    return [text for texts in said for text in texts[:: max(1, -(-len(texts) // MIDDLE))]]


def publish(tuned: Path, labels: Path, data: Path, models: Path, *, date: str, seed: int) -> dict[str, str]:
    """Write and promote a version of the encoder and of every head; returns head -> version. `labels` are our own sets,
    `data` the public ones."""
    encoder = Encoder.load(tuned / "encoder", Segmenter())
    modules: dict[str, nn.Module] = {
        name: load_weights(build_head(name, encoder.hidden_size, len(FEATURES)), tuned / f"{name}.safetensors")
        for name in Heads.NAMES
    }
    heads = Heads(encoder, modules, {})
    weigh_comments(heads, modules, labels)
    matcher = modules["coherence"]
    assert isinstance(matcher, ValueMatcher)
    weigh_values(heads, matcher, labels)
    fit_sameness(heads, matcher, labels)
    fit_originality(heads, modules, labels, seed)
    heads = Heads(encoder, modules, temperatures(heads, labels))

    reports: dict[str, dict[str, Any]] = {"encoder": {"stsb_zh": evaluate_similarity(encoder, data)}}
    comments = evaluate_comments(heads, labels, data)
    reports["sentiment"] = {**comments["sentiment"], "public": comments["public_sentiment"]}
    reports["authenticity"] = comments["authenticity"]
    reports["coherence"] = evaluate_coherence(heads, labels)
    originality = evaluate_originality(heads, word_reader(heads), labels)
    reports["manner"] = {"f1": originality.pop("manner_f1")}
    reports["embedding"] = {"derived_auroc": originality["embedding_auroc"]}
    reports["originality"] = originality

    versions: dict[str, str] = {}
    for head in ("encoder", *Heads.NAMES):
        described = Described(
            versions.get("encoder"), encoder.segmenter.id, heads.temperature(head), SOURCES[head], seed
        )
        source = tuned / "encoder" if head == "encoder" else modules[head]
        versions[head] = save_version(models, head, source, described, reports[head], date)
    if has_accounts(data):
        versions[account.HEAD] = save_accounts(data, models, date=date, seed=seed)
    promote_all(models, versions)
    return versions


def save_accounts(data: Path, models: Path, *, date: str, seed: int) -> str:
    """Train the head of accounts on the labelled ones under `data` and write it as a new version; returns its name. Nothing
    becomes active. `seed` deals the folds of its figures."""
    described = Described(None, None, 1.0, SOURCES[account.HEAD], seed)
    report = evaluate_accounts(data / ACCOUNTS, seed)
    report = {"accuracy": report.pop("pinzhi"), **report}
    return save_version(models, account.HEAD, fit_accounts(data / ACCOUNTS), described, report, date)


def publish_accounts(data: Path, models: Path, *, date: str, seed: int) -> str:
    """`save_accounts`, and make it the active version."""
    version = save_accounts(data, models, date=date, seed=seed)
    promote_all(models, {account.HEAD: version})
    return version


@dataclass(frozen=True)
class Described:
    """What a manifest says of a version beside its weights: the encoder it belongs to (None for an encoder, and for a head that
    reads none) and what cuts its words (None where nothing does), what it was trained on."""

    encoder: str | None
    segmenter: str | None
    temperature: float
    data: str
    seed: int


def save_version(
    models: Path, head: str, source: nn.Module | Path, described: Described, report: Mapping[str, Any], date: str
) -> str:
    """Write the weights of a module (or the files of an encoder's folder) with metrics, card and digests as a new version
    of `head`; returns its name. Nothing becomes active."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / head
        if isinstance(source, Path):
            shutil.copytree(source, folder)
            _pack(folder / "tokenizer.json")
        else:
            folder.mkdir()
            save_file(half(source.state_dict()), folder / "model.safetensors")
        (folder / "metrics.json").write_text(json.dumps(report, ensure_ascii=False, indent=2) + "\n", "utf-8")
        (folder / "README.md").write_text(model_card(head, described.data, report), "utf-8")
        manifest = {
            "kind": type(source).__name__ if isinstance(source, nn.Module) else _architecture(source),
            "labels": list(LABELS.get(head, ())),
            "features": list(READS.get(head, ())),
            **vars(described),
        }
        return write_version(models, head, folder, manifest, date)


def _pack(path: Path) -> None:
    """JSON without the spaces that take as much room as what it says."""
    if path.exists():
        content = json.loads(path.read_text("utf-8"))
        path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), "utf-8")


def _architecture(encoder: Path) -> str:
    return str(json.loads((encoder / "config.json").read_text("utf-8"))["architectures"][0])
