"""Salvage document: rows recovered by `monitor doctor --salvage FILE`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Imports the forecasting model, which the checks of `monitor doctor` may do without.
    from monitor.training.salvage import SalvageResult


@dataclass(frozen=True)
class SalvagedRows:
    """Number of rows of one kind.

    Attributes:
        recovered: rows that were copied to the current database.
        skipped: rows that the current database has already, or that are about a model that was not recovered.
        damaged: rows that are damaged or fail the validation; rows on unreadable pages are not counted.
    """

    recovered: int
    skipped: int
    damaged: int


@dataclass(frozen=True)
class SalvageDocument:
    """Result of `monitor doctor --salvage FILE`.

    Attributes:
        file: path of the damaged database.
        models: registered models.
        training_runs: training runs.
        activations: activations of models.
        quarantined_models: failures of models.
        samples: samples.
        unreadable_pages: number of damaged pages in the file.
        activated: ID of the recovered model that serves now; None if the serving model was not changed.
    """

    file: str
    models: SalvagedRows
    training_runs: SalvagedRows
    activations: SalvagedRows
    quarantined_models: SalvagedRows
    samples: SalvagedRows
    unreadable_pages: int
    activated: int | None


def salvage_document(file: Path, result: SalvageResult) -> SalvageDocument:
    """Convert the result of a salvage to its JSON document."""

    def rows(table: str) -> SalvagedRows:
        return SalvagedRows(
            recovered=result.recovered[table], skipped=result.skipped[table], damaged=result.damaged[table]
        )

    return SalvageDocument(
        file=str(file),
        models=rows("models"),
        training_runs=rows("training_runs"),
        activations=rows("activations"),
        quarantined_models=rows("quarantined_models"),
        samples=rows("samples"),
        unreadable_pages=result.unreadable_pages,
        activated=result.activated,
    )
