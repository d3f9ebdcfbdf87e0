"""Recall of sources among candidates: a copy is found by every net, a far rewrite by none but the nearest, a stranger by none."""

from pathlib import Path

from pinzhi.evaluation.candidates import evaluate_candidates
from pinzhi.scoring import Scorer
from pinzhi.training.data import PairRow

SOURCE = "凌晨四点去码头等船，带鱼二十八一斤，挑了三条，船老大多送了一把小黄鱼，回家清蒸，孩子吃了两碗饭。"


def test_each_net_reports_what_it_finds(tmp_path: Path) -> None:
    others = [f"第{number}天，山里下雨，茶园的路不好走，等太阳出来再采。" for number in range(30)]
    rows = [
        PairRow(SOURCE, SOURCE + "[鱼]", "duplicate", None, "suffixed", "a"),
        PairRow(
            SOURCE, "天没亮就到海边买鱼，便宜，店家还送了几尾小的，一家人晚饭很香。", "rewrite", 5, "other_words", "a"
        ),
        PairRow(SOURCE, "带鱼涨价了，谁知道哪里便宜", "original", None, "question", "a"),
    ]
    report = evaluate_candidates(Scorer.load(), rows, others, tmp_path)
    assert report["n_archive"] == 31 and report["n_derived"] == 2
    assert report["near_duplicates"]["at_1"] == report["partial_copies"]["at_1"] == 0.5
    assert report["near_duplicates"]["by_grade"] == {5: 0.0} and report["together"]["at_20"] == 1.0
