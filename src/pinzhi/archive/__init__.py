"""One run over a folder of results: incremental, resumable, and whole or not there."""

from pinzhi.archive.run import RunSummary, run

__all__ = ["RunSummary", "run"]
