"""Samples: repository, arrays, and merging of imported rows."""

from storage.samples.merge import MergedRows
from storage.samples.repository import SampleRepository

__all__ = ["MergedRows", "SampleRepository"]
