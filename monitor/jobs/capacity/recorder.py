"""Capacity recorder: present use of file systems and memory as rows of the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from model.capacity.tasks import FILESYSTEM, MEMORY, STEP
from monitor.config.capacity.section import CapacitySection
from monitor.sampling.sources.mounts import FilesystemUsage, read_mounts, read_usage
from monitor.stores import Stores
from storage import SAMPLE_FIELDS, CapacityResource, CapacityRow

OVERLAP = 30.0
"""Seconds of samples that two rows share: the newest sample may not be stored yet."""

MEMORY_NAME = "memory"
MEMORY_COLUMN = "memory_usage"

Reading = tuple[CapacityResource, CapacityRow]
"""A resource and its newest row, which is not stored yet."""

Filesystems = Callable[[Sequence[str], Sequence[str]], Sequence[FilesystemUsage]]


def mounted_filesystems(exclude: Sequence[str], types: Sequence[str]) -> Sequence[FilesystemUsage]:
    """Return the use of the mounted file systems; see `read_mounts`."""
    return read_usage(read_mounts(exclude, types))


class CapacityRecorder:
    """Reader of the use of file systems and memory; for use by one thread."""

    def __init__(
        self, stores: Stores, section: CapacitySection, filesystems: Filesystems = mounted_filesystems
    ) -> None:
        """Initialize the recorder.

        Args:
            stores: repositories.
            section: section [capacity] of the configuration.
            filesystems: returns the use of the file systems, given excluded mount points and further types.
        """
        self._stores = stores
        self._section = section
        self._filesystems = filesystems

    def read(self, now: float) -> Iterator[Reading]:
        """Yield each resource with its use at `now`, in seconds since the epoch.

        Raises:
            OSError: the table of mounts cannot be read.
            StorageError: the database cannot be read or written.
        """
        memory = self._memory(now)
        if memory is not None:
            yield memory
        for usage in self._filesystems(self._section.exclude, self._section.types):
            resource = self._resource(FILESYSTEM.kind, usage.name, usage.identity, now)
            yield resource, CapacityRow(resource.id, now, usage.used, usage.used, usage.size, usage.inode_usage)

    def _memory(self, now: float) -> Reading | None:
        """Return the newest memory use, and the largest one since the row before; None without samples."""
        samples = self._stores.samples.between(now - STEP - OVERLAP, now, (MEMORY_COLUMN,))
        known = samples[~np.isnan(samples[:, 1]), 1]
        if not len(known):
            return None
        resource = self._resource(MEMORY.kind, MEMORY_NAME, "", now)
        if self._stores.capacity.last(resource.id, now) is None:
            self._backfill(resource.id, now)
        return resource, CapacityRow(resource.id, now, float(known[-1]), float(known.max()), 1.0)

    def _backfill(self, resource_id: int, now: float) -> None:
        """Store rows for the samples before the first row: memory has a history when the predictions begin."""
        end = now // STEP * STEP
        count = round(MEMORY.history / STEP)
        start = end - count * STEP
        index = SAMPLE_FIELDS.index(MEMORY_COLUMN)
        means = self._stores.samples.bucket_means(start, STEP, count)[:, index]
        maxima = self._stores.samples.bucket_maxima(start, STEP, count)[:, index]
        self._stores.capacity.add(
            [
                CapacityRow(resource_id, start + (i + 1) * STEP, float(means[i]), float(maxima[i]), 1.0)
                for i in np.flatnonzero(~np.isnan(means)).tolist()
                if start + (i + 1) * STEP < now
            ]
        )

    def _resource(self, kind: str, name: str, identity: str, now: float) -> CapacityResource:
        resource_id = self._stores.capacity.resource_id(kind, name, identity, now)
        return CapacityResource(kind, name, identity, now, resource_id)
