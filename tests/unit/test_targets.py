"""What was asked of figures and what they reach."""

import re

from pinzhi.evaluation.targets import TARGETS, target_table
from pinzhi.heads.store import active_versions
from pinzhi.paths import models
from tests.conftest import ROOT


def test_targets_are_met_or_missed_by_what_was_measured() -> None:
    measured = {
        "comments": {
            "authenticity": {"macro_f1": {"value": 0.9, "low": 0.8, "high": 0.95, "n": 9}, "per_class_f1": [0.1, 0.7, 0.2, 0.3, 0.4]},
            "sentiment": {"macro_f1": {"value": 0.779, "low": 0.7, "high": 0.8, "n": 9}, "tfidf_macro_f1": {"value": 0.7, "low": None}},
        },
        "originality": {"called_derived": {"of_independent": {"value": 0.05, "n": 20}}},
    }  # fmt: skip
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in target_table(measured)[2:]]
    found = {name.split(",")[0].split(" 误")[0]: cells for name, *cells in rows}
    assert found["authenticity of comments"] == ["0.900 (0.800-0.950)", "0.72", "yes", "-"]
    assert found["sentiment of brand comments"] == ["0.779 (0.700-0.800)", "0.78", "no", "0.700"]
    assert found["independent pairs called derived"] == ["0.050", "at most 0.05", "yes", "-"]
    assert found["water army"] == ["0.200", "0.62", "no", "-"]
    assert len(rows) == 4, "nothing is said of what was not measured"
    assert len({target.figure for target in TARGETS}) == len(TARGETS)


def test_the_page_of_figures_is_of_the_models_that_are_shipped() -> None:
    page = (ROOT / "docs" / "figures.md").read_text("utf-8")
    told = dict(re.findall(r"^- (\w+): (\S+)$", page, re.MULTILINE))
    assert told == active_versions(models()), "measure anew: `python -m pipelines.evaluate DATA`, then copy its page"
    assert all(f"| {target.name} |" in page for target in TARGETS)
