"""`report.html` from the Parquet of a run alone: self-contained, every text escaped."""

from pinzhi.report.build import summary, summary_markdown, write_report

__all__ = ["summary", "summary_markdown", "write_report"]
