"""The report of a run: see it, hear it, read why."""

from pipeline.report.report import write_report

__all__ = ["write_report"]
