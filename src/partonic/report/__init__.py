"""The report: one self-contained HTML page, its figures as files, and all numbers as JSON."""

from partonic.report.build import build_report

__all__ = ["build_report"]
