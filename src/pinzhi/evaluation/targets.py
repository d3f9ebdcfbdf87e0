"""What the figures of an evaluation should reach, and whether they do."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pinzhi.evaluation.figures import shown
from pinzhi.labels import Authenticity

_WATER_ARMY = list(Authenticity).index(Authenticity.WATER_ARMY)


@dataclass(frozen=True)
class Target:
    """A figure of `evaluate_all`, by the keys that lead to it, the least that is asked of it (the most, where `is_most`), and the figure
    of what could be used instead."""

    name: str
    figure: str
    asked: float
    baseline: str = ""
    is_most: bool = False


TARGETS = (
    Target("authenticity of comments, macro-F1 真实性", "comments/authenticity/macro_f1", 0.72, "comments/authenticity/tfidf_macro_f1"),
    Target("water army, F1 without profiles 水军", f"comments/authenticity/per_class_f1/{_WATER_ARMY}", 0.62),
    Target("sentiment of brand comments, macro-F1 情感", "comments/sentiment/macro_f1", 0.78, "comments/sentiment/tfidf_macro_f1"),
    Target(
        "complaints of storms called water army 投诉潮误判",
        "comments/slices/complaints where most complain/genuine_called_water_army/pinzhi", 0.05,
        "comments/slices/complaints where most complain/genuine_called_water_army/tfidf", is_most=True,
    ),
    Target("grade 3 against the rest, AUROC 三级判定", "coherence/auroc_expresses", 0.88, "coherence/text_only_auroc"),
    Target("grades, quadratic weighted kappa 等级一致性", "coherence/qwk", 0.60),
    Target(
        "contradictions, average precision 违背", "coherence/contradiction_ap", 0.60, "coherence/slices/all/contradiction_ap/text_only"
    ),
    Target("minimal pairs ordered 最小对", "coherence/minimal_pairs_ordered", 0.75),
    Target("calibration of values, ECE 校准", "coherence/ece_value_expresses", 0.06, is_most=True),
    Target("derived against independent, AUROC 派生判定", "originality/derived_auroc", 0.92, "originality/tfidf_auroc"),
    Target("duplicates, F1 复制", "originality/duplicate_f1", 0.97),
    Target("rewrites of grade 3 found at 5% false ones 三级洗稿", "originality/recall_by_grade_at_5_percent_false/3", 0.85),
    Target("rewrites of grade 5 found at 5% false ones 五级洗稿", "originality/recall_by_grade_at_5_percent_false/5", 0.50),
    Target("independent pairs called derived 误报", "originality/called_derived/of_independent", 0.05, is_most=True),
    Target("templates, F1 模板", "originality/manner_f1/template", 0.90),
)  # fmt: skip


def _found(metrics: Any, path: str) -> Any:
    """What lies at `path`, None where nothing does."""
    for key in path.split("/"):
        if isinstance(metrics, Mapping) and key in metrics:
            metrics = metrics[key]
        elif isinstance(metrics, list) and key.isdigit() and int(key) < len(metrics):
            metrics = metrics[int(key)]
        else:
            return None
    return metrics


def target_table(metrics: Mapping[str, Any]) -> list[str]:
    """Lines of a Markdown table: each target that was measured, what was reached (95% interval), what was asked, the baseline."""
    return ["| figure | reached | asked | met | baseline |", "| --- | --- | --- | --- | --- |", *_rows(metrics)]


def _rows(metrics: Mapping[str, Any]) -> Iterator[str]:
    for target in TARGETS:
        reached, baseline = _found(metrics, target.figure), _found(metrics, target.baseline)
        if reached is None:
            continue
        value = float(reached["value"] if isinstance(reached, Mapping) else reached)
        is_met = value <= target.asked if target.is_most else value >= target.asked
        cells = (
            target.name, shown(reached), f"{'at most ' if target.is_most else ''}{target.asked}", "yes" if is_met else "no",
            "-" if baseline is None else shown(baseline),
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"
