"""Similar anomaly events: comparison of the contributions of the metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storage import AnomalyRecord

MIN_SIMILARITY = 0.8
"""Smallest cosine similarity of the contributions of similar events."""

MAX_SIMILAR = 5
"""Largest number of similar events."""


@dataclass(frozen=True)
class SimilarEvent:
    """Earlier event, and the cosine similarity of its contributions to those of another event."""

    event: AnomalyRecord
    similarity: float


def similar_events(event: AnomalyRecord, events: Sequence[AnomalyRecord]) -> tuple[SimilarEvent, ...]:
    """Return at most MAX_SIMILAR earlier events with a similarity of at least MIN_SIMILARITY, most similar first.

    Args:
        event: the event to compare with.
        events: stored events, newest first; of equally similar events, the newest is first.
    """
    earlier = (other for other in events if other.started_at < event.started_at and other.id != event.id)
    compared = [SimilarEvent(other, cosine_similarity(event.contributions, other.contributions)) for other in earlier]
    similar = [entry for entry in compared if entry.similarity >= MIN_SIMILARITY]
    return tuple(sorted(similar, key=lambda entry: -entry.similarity)[:MAX_SIMILAR])


def cosine_similarity(a: Mapping[str, float], b: Mapping[str, float]) -> float:
    """Return the cosine of the angle between two vectors of contributions by metric; 0 if one is empty."""
    norms = math.hypot(*a.values()) * math.hypot(*b.values())
    return sum(value * b.get(metric, 0.0) for metric, value in a.items()) / norms if norms else 0.0
