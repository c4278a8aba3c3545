"""Status reports: daemon, model and maintenance."""

from monitor.reports.status.report import model_line, status_line, status_report

__all__ = ["model_line", "status_line", "status_report"]
