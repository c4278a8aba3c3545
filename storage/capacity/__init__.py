"""Capacity: use of file systems and memory, and the predictions for them."""

from storage.capacity.records import CapacityResource, CapacityRow
from storage.capacity.repository import OUTCOME_UNKNOWN, CapacityRepository

__all__ = ["OUTCOME_UNKNOWN", "CapacityRepository", "CapacityResource", "CapacityRow"]
