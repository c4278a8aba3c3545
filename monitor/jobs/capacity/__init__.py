"""Capacity jobs: recording, prediction and outcomes of the use of file systems and memory."""

from monitor.jobs.capacity.job import CapacityJob

__all__ = ["CapacityJob"]
