"""The report of a run: its figures, sounds and verdicts in one HTML file."""

from pipeline.report.gather import write_report

__all__ = ["write_report"]
