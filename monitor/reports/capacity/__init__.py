"""Capacity parts of the reports: resources with their predictions, and scores."""

from monitor.reports.capacity.resources import capacity_blocks, capacity_lines
from monitor.reports.capacity.scores import capacity_score_blocks

__all__ = ["capacity_blocks", "capacity_lines", "capacity_score_blocks"]
