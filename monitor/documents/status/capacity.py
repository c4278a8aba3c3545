"""Capacity documents: predictions of full file systems and exhausted memory, and their scores."""

from __future__ import annotations

from dataclasses import dataclass

from monitor.queries.capacity import CapacityScore, CapacityState, ResourceState


@dataclass(frozen=True)
class ResourceDocument:
    """Use of one file system or of the memory, and its newest prediction.

    Attributes:
        kind: "filesystem" or "memory".
        name: mount point; "memory".
        at: time of the figures in seconds since the epoch.
        usage: use as a ratio.
        size: bytes that users can use; 1 for the memory.
        inode_usage: used inodes as a ratio; None if their number is not fixed.
        limit: use as a ratio whose passing is predicted.
        horizon: horizon of the prediction in seconds.
        probability: probability that the limit is passed within the horizon, 1 above it; None without enough history.
        base_rate: rate of passing in the outcomes known so far; None as `probability`.
        full_seconds: expected seconds until the limit is passed; None if that is not expected within 90 days.
        warning: True while a warning is active.
        history: seconds of history.
        needed: seconds of history that a prediction needs.
    """

    kind: str
    name: str
    at: float
    usage: float
    size: float
    inode_usage: float | None
    limit: float
    horizon: float
    probability: float | None
    base_rate: float | None
    full_seconds: float | None
    warning: bool
    history: float
    needed: float


@dataclass(frozen=True)
class CapacityDocument:
    """Predictions of exhausted capacity; /api/v1/capacity, and part of the status.

    Attributes:
        at: time of the predictions in seconds since the epoch.
        resources: present file systems and the memory.
        scores: scores of the model and of the baselines in the last 28 days; empty before the first outcome.
    """

    at: float
    resources: tuple[ResourceDocument, ...]
    scores: tuple[CapacityScore, ...]


def capacity_document(state: CapacityState) -> CapacityDocument:
    """Convert a capacity state to its JSON document."""
    return CapacityDocument(state.at, tuple(map(_resource_document, state.resources)), state.scores)


def _resource_document(resource: ResourceState) -> ResourceDocument:
    row = resource.row
    return ResourceDocument(
        kind=resource.kind,
        name=resource.name,
        at=row.at,
        usage=resource.usage,
        size=row.size,
        inode_usage=row.inode_usage,
        limit=resource.limit,
        horizon=resource.horizon,
        probability=row.probability,
        base_rate=row.base_rate,
        full_seconds=row.full_seconds,
        warning=row.warning,
        history=resource.history,
        needed=resource.needed,
    )
