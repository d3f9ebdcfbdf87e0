"""How good the models are, beside the simplest thing that could be used instead."""

from pinzhi.evaluation.evaluate import evaluate_all

__all__ = ["evaluate_all"]
