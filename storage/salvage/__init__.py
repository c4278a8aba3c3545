"""Salvage: rows of damaged databases, read page by page, without SQLite and without changes."""

from storage.salvage.history import HistoryCounts, merge_history
from storage.salvage.image import DatabaseImage
from storage.salvage.rescue import rescue_models
from storage.salvage.samples import sample_batches
from storage.salvage.tables import SalvageCounts, TableReader

__all__ = [
    "DatabaseImage",
    "HistoryCounts",
    "SalvageCounts",
    "TableReader",
    "merge_history",
    "rescue_models",
    "sample_batches",
]
