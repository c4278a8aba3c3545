"""Fleet training document: result of the retraining of a fleet."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PoolComparisonDocument:
    """Scores of a pooled model next to the shipped one, on the newest part of each host; null if not computed.

    Attributes:
        hosts: number of hosts with both outcomes.
        brier: Brier score of the pooled model, mean over the hosts.
        shipped_brier: the same for the shipped model.
        precision: average precision at onset of the pooled model, mean over the hosts.
        shipped_precision: the same for the shipped model.
    """

    hosts: int
    brier: float | None
    shipped_brier: float | None
    precision: float | None
    shipped_precision: float | None


@dataclass(frozen=True)
class FleetRetrainingDocument:
    """Result of `monitor retrain --all` or `--host`.

    Attributes:
        pooled: scores of the new pooled model; null if none was trained.
        pooled_promoted: True if the pooled model serves from the next step on.
        pooled_hosts: number of hosts that the pooled model was trained on.
        trained: number of hosts with a new own model.
        refused: number of hosts without a new own model, by the code of the reason.
    """

    pooled: PoolComparisonDocument | None
    pooled_promoted: bool
    pooled_hosts: int
    trained: int
    refused: dict[str, int]
