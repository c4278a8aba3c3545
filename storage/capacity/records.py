"""Records of the use of file systems and memory; units as in `storage.records`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CapacityResource:
    """Resource whose use is recorded.

    Attributes:
        kind: "filesystem" or "memory".
        name: mount point of a file system; "memory".
        identity: identity of the file system itself: another one at the same mount point is another resource.
        seen_at: time of the newest row.
        id: 0 until the resource is stored.
    """

    kind: str
    name: str
    identity: str
    seen_at: float
    id: int = 0


@dataclass(frozen=True, slots=True)
class CapacityRow:
    """Use of one resource at one time, and the prediction made then.

    Attributes:
        resource_id: ID of the resource.
        at: time of the row.
        used: use, in bytes for a file system, as a ratio for memory.
        peak: largest use since the row before.
        size: use at which nothing is left, in the unit of `used`.
        inode_usage: used inodes as a ratio; None if the file system has no fixed number of inodes.
        limit_ratio: ratio of `size` whose passing is predicted; None without a prediction, as the following fields.
        probability: recalibrated probability that the limit is passed within the horizon.
        model_probability: probability of the model before recalibration.
        full_seconds: expected seconds until the limit is passed; None also if that is not expected.
        predict_linear: prediction of the least-squares line, 0 or 1.
        persistence: prediction that the last growth repeats itself, 0 or 1.
        base_rate: rate of passing in the outcomes known then.
        warning: True while a warning is active.
    """

    resource_id: int
    at: float
    used: float
    peak: float
    size: float
    inode_usage: float | None = None
    limit_ratio: float | None = None
    probability: float | None = None
    model_probability: float | None = None
    full_seconds: float | None = None
    predict_linear: float | None = None
    persistence: float | None = None
    base_rate: float | None = None
    warning: bool = False
