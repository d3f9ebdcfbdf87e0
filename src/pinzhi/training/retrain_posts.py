"""Coherence and originality: the heads that read whole posts, on an encoder that stays as it is."""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.stats import somersd
from sklearn.metrics import confusion_matrix, roc_auc_score
from torch import nn

from pinzhi.brand import BrandProfile
from pinzhi.decide import AnyValue
from pinzhi.evaluation.coherence import likely_any, score_coherence
from pinzhi.evaluation.evaluate import pair_evidence, word_reader
from pinzhi.evaluation.gate import by_name, length_bands, rewrites_found
from pinzhi.evaluation.metrics import Metric, expected_calibration_error, fit_loudness, macro_f1
from pinzhi.heads.modules import PairJudge, ValueMatcher
from pinzhi.heads.predict import MANNERS, Heads, build_head, load_weights
from pinzhi.labels import ORIGINALITY_CLASSES, Grade, Originality
from pinzhi.originality.evidence import FEATURES
from pinzhi.originality.search import combine
from pinzhi.quotation import is_attributed
from pinzhi.training.data import FRESH, is_dev, read_coherence, read_pairs, split, split_posts
from pinzhi.training.finetune import finetune, kept_for_judge, save
from pinzhi.training.fresh import graded_posts, link_parts, without_frozen, write_coherence, write_originality
from pinzhi.training.publish import judge_pairs, pair_classes, temper_judge, train_judge
from pinzhi.training.settings import RetrainSettings

_SHOWN = 200  # learnt rows by which it is told how sure a head has become


def concordance(grade: np.ndarray, score: np.ndarray) -> float:
    """How well `score` orders posts of different grades, -1 to 1: Somers' D, of which 0 is chance."""
    return float(somersd(grade, score).statistic)


def _refit(active: Heads, labels: Path, tasks: Sequence[str], settings: RetrainSettings, work: Path) -> Path:
    """The folder of all heads after more training in `tasks` on the sets under `labels`, the encoder as it is; resumes what a
    killed training left in `work`."""
    start = work / "start"
    save(active.encoder, {name: active.copy(name) for name in Heads.NAMES}, start)
    return finetune(labels, None, start / "encoder", work, settings.refit(tasks), start, is_quiet=True)


def _trained(tuned: Path, head: str, like: Heads) -> nn.Module:
    """`head` as it is in the folder `tuned`."""
    module = build_head(head, like.encoder.hidden_size, len(FEATURES))
    return load_weights(module, tuned / f"{head}.safetensors").eval()


def _temperature(active: Heads, name: str, head: nn.Module, say: Callable[[Heads], np.ndarray]) -> float:
    """Under which `head` is as sure as the active one from which it went on, of the learnt rows that `say` asks: probabilities
    [n, c]. How often it is right there tells nothing, for both know them by heart, and the frozen rows judge."""
    before = active.temperature(name)
    new = active.replaced({name: head}, {name: before})
    ours, theirs = (np.log(np.clip(say(heads), 1e-9, 1)) for heads in (new, active))
    return round(before / fit_loudness(ours, theirs), 4)


class CoherenceTraining:
    """Posts of `base` without its dev brands, and label rows of the brands given."""

    metric: Metric = staticmethod(concordance)
    data = "labels/coherence (train brands)"
    seen: Sequence[str] = ()

    def __init__(self, table: pa.Table, base: Path, brands: Sequence[BrandProfile], settings: RetrainSettings) -> None:
        self._base, self._brands, self._settings = base, brands, settings
        posts, self._values = read_coherence(base)
        learnt, self._frozen = split_posts(posts)
        self._shown = random.Random(settings.seed).sample(learnt, min(len(learnt), _SHOWN))
        frozen_brands = {row.brand.split("/")[1] for row in self._frozen}
        table, repeats = without_frozen(table, [row.text for row in self._frozen], of="brand", groups=frozen_brands)
        self._posts, problems = graded_posts(table, brands)
        self.n_new, self.n_repeats, self.problems = len(self._posts), len(repeats), [*repeats, *problems]

    def fit(self, active: Heads, work: Path) -> Mapping[str, tuple[nn.Module, float]]:
        """The matcher, as sure as the active one; how its parts are weighed stays."""
        with tempfile.TemporaryDirectory() as scratch:
            room = link_parts(self._base, "coherence", Path(scratch))
            write_coherence(self._posts, self._brands, room)
            tuned = _refit(active, room.parents[1], ["coherence"], self._settings, work)
            head = _trained(tuned, "coherence", active)

        def say(heads: Heads) -> np.ndarray:
            said = score_coherence(heads, self._shown, self._values)
            return np.array([p for values in said for p in values.values()]).reshape(-1, len(ValueMatcher.CLASSES))

        return {"coherence": (head, _temperature(active, "coherence", head, say))}

    def truth(self) -> np.ndarray:
        """Grades."""
        return np.array([row.grade for row in self._frozen])

    def predict(self, heads: Heads) -> np.ndarray:
        """What the values of each post make of it, as the fields of `AnyValue` [n, 3]."""
        return np.array([astuple(likely_any(p)) for p in score_coherence(heads, self._frozen, self._values)])

    def guess(self, said: np.ndarray) -> np.ndarray:
        """How likely any value is expressed, less how likely any is contradicted."""
        contradicts, expresses, _ = said.T
        return expresses - contradicts

    def main(self) -> np.ndarray:
        """All of them."""
        return np.ones(len(self.truth()), dtype=bool)

    def slices(self) -> dict[str, np.ndarray]:
        """Platforms, length bands and brands."""
        return (
            length_bands([row.text for row in self._frozen])
            | by_name([row.platform for row in self._frozen])
            | by_name([row.brand for row in self._frozen])
        )

    def found(self, said: np.ndarray) -> dict[str, np.ndarray]:
        """Nothing: the metric and its slices tell all."""
        return {}

    def report(self, said: np.ndarray) -> dict[str, Any]:
        """Calibration of both sides, and grades."""
        truth = self.truth()
        contradicts, expresses, _ = said.T
        grades = [int(AnyValue(*map(float, row)).grade) for row in said]
        return {
            "auroc_expresses": round(float(roc_auc_score(truth == Grade.EXPRESSES, expresses)), 4),
            "ece_expresses": round(expected_calibration_error(truth == Grade.EXPRESSES, expresses), 4),
            "ece_contradicts": round(expected_calibration_error(truth == Grade.CONTRADICTS, contradicts), 4),
            "labels": [int(grade) for grade in Grade],
            "confusion": confusion_matrix(truth, grades, labels=[int(grade) for grade in Grade]).tolist(),
        }


class OriginalityTraining:
    """Two heads at once: the manner of a text on its own, and the judge of a pair."""

    metric: Metric = staticmethod(macro_f1)
    data = "labels/originality (train topics)"
    seen: Sequence[str] = ()

    def __init__(self, table: pa.Table, base: Path, settings: RetrainSettings) -> None:
        self._base, self._settings = base, settings
        pairs, manners = read_pairs(base)
        _, self._pairs = split(pairs, [row.group for row in pairs])
        learnt, alone = split(manners, [row.group for row in manners])
        self._shown = [row.text for row in random.Random(settings.seed).sample(learnt, min(len(learnt), _SHOWN))]
        self._templates = [row for row in alone if not row.group.startswith("topic/")]
        frozen = [text for row in self._pairs for text in (row.earlier, row.later)]
        frozen += [row.text for row in self._templates]
        self._table, self.problems = without_frozen(table, frozen, columns=("text", "context"))
        self.n_new, self.n_repeats = self._table.num_rows, len(self.problems)

    def fit(self, active: Heads, work: Path) -> Mapping[str, tuple[nn.Module, float]]:
        """Manner, as sure as the active one, and judge. The judge's reader goes on from the active one; its evidence is learnt
        anew from pairs on which the encoder did not practise: label rows, and those of `base` that were kept from it. A share
        of the latter says how sure it may be. How evidence and reading are weighed stays, for the frozen rows alone could
        tell."""
        with tempfile.TemporaryDirectory() as scratch:
            room = link_parts(self._base, "originality", Path(scratch))
            write_originality(self._table, room)
            labels = room.parents[1]
            tuned = _refit(active, labels, ["manner", "pairs"], self._settings, work)
            manner, judge = _trained(tuned, "manner", active), _trained(tuned, "originality", active)
            pairs, _ = read_pairs(labels)
        assert isinstance(judge, PairJudge)
        train, _ = split(pairs, [row.group for row in pairs])
        train = [row for row in train if FRESH in row.group or kept_for_judge(row)]
        is_held_back = [
            FRESH not in row.group and is_dev("sureness/" + row.group, self._settings.held_back) for row in train
        ]
        held_back = [row for row, held in zip(train, is_held_back, strict=True) if held]
        read = word_reader(active)
        evidence, classes = judge_pairs([row for row, held in zip(train, is_held_back, strict=True) if not held])
        judge.evidence = train_judge(pair_evidence(active, read, evidence), np.array(classes), self._settings.seed)
        if len(set(pair_classes(held_back))) > 1:
            shown = [(row.earlier, row.later) for row in held_back]
            temper_judge(judge.evidence, pair_evidence(active, read, shown), held_back)
        sureness = _temperature(active, "manner", manner, lambda heads: heads.posts(self._shown)[1])
        return {"manner": (manner, sureness), "originality": (judge, 1.0)}

    def truth(self) -> np.ndarray:
        """Classes: of pairs, then of texts on their own."""
        labels = [label.value for label in ORIGINALITY_CLASSES]
        named = [row.label for row in self._pairs]
        named += ["template" if row.label == "template" else "original" for row in self._templates]
        return np.array([labels.index(name) for name in named])

    def predict(self, heads: Heads) -> np.ndarray:
        """Probabilities."""
        pairs = [(row.earlier, row.later) for row in self._pairs]
        judged = heads.judge(pair_evidence(heads, word_reader(heads), pairs), pairs)
        nothing = np.tile([1.0, 0.0, 0.0, 0.0], (len(self._templates), 1))
        _, manner = heads.posts([row.later for row in self._pairs] + [row.text for row in self._templates])
        template, quote = manner[:, MANNERS.index("template")], manner[:, MANNERS.index("quote")]
        names_source = [is_attributed(row.later) for row in self._pairs] + [False] * len(self._templates)
        said = zip(template, quote, np.concatenate([judged, nothing]), names_source, strict=True)
        return np.array([combine(*one) for one in said])

    def guess(self, said: np.ndarray) -> np.ndarray:
        """Classes."""
        return said.argmax(1)

    def main(self) -> np.ndarray:
        """All of them."""
        return np.ones(len(self.truth()), dtype=bool)

    def slices(self) -> dict[str, np.ndarray]:
        """Length bands, platforms of the earlier text, and the rewrites of each grade beside the originals."""
        grades = np.array([row.grade or 0 for row in self._pairs] + [0] * len(self._templates))
        original = self.truth() == 0
        return (
            length_bands([row.later for row in self._pairs] + [row.text for row in self._templates])
            | by_name([row.platform for row in self._pairs] + [""] * len(self._templates))
            | {
                f"originals and rewrites of grade {grade}": original | (grades == grade)
                for grade in sorted({*grades} - {0})
            }
        )

    def found(self, said: np.ndarray) -> dict[str, np.ndarray]:
        """Rewrites by grade: those that stand out among the independent pairs, as `python -m pinzhi.evaluation.grades` has it."""
        n = len(self._pairs)
        derived = said[:n, ORIGINALITY_CLASSES.index(Originality.DUPLICATE)]
        derived = derived + said[:n, ORIGINALITY_CLASSES.index(Originality.REWRITE)]
        found = rewrites_found(self.truth()[:n] == 0, derived)
        grades = np.array([row.grade or 0 if row.label == "rewrite" else 0 for row in self._pairs])
        return {f"rewrites of grade {grade}": found[grades == grade] for grade in sorted({*grades.tolist()} - {0})}

    def report(self, said: np.ndarray) -> dict[str, Any]:
        """Calibration and confusion."""
        return {
            "ece": round(expected_calibration_error(said.argmax(1) == self.truth(), said.max(1)), 4),
            "labels": [label.value for label in ORIGINALITY_CLASSES],
            "confusion": confusion_matrix(
                self.truth(), self.guess(said), labels=range(len(ORIGINALITY_CLASSES))
            ).tolist(),
        }
