"""Model reports: the list of models, and one model with its training report."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.models import ActivationDocument, ModelDocument, ModelListEntry
from monitor.reports.blocks import Block, Line, Report, Table, Toned
from monitor.reports.training import detector_text, training_blocks
from monitor.system.formatting import format_time

HEADER = ("model", "trained", "promoted", "bytes", "sha256")


def models_report(models: Sequence[ModelListEntry]) -> Report:
    """Return a table of models with times, size and checksum; the serving model is highlighted."""
    if not models:
        return Report(("no models yet",))
    rows = [
        (
            Toned(" ".join([str(model.id), *_marks(model)]), "good" if model.serving else None),
            format_time(model.created_at),
            format_time(model.promoted_at),
            str(model.size),
            model.sha256[:12],
        )
        for model in models
    ]
    return Report((Table(HEADER, rows, words={"trained", "promoted"}),))


def model_report(model: ModelDocument) -> Report:
    """Return the report of one model: state, size, checksum, origin, and training report."""
    return Report((*_head(model), *_training(model)))


def activation_report(document: ActivationDocument) -> Report:
    """Return one line that names the activated model."""
    return Report((f"model {document.serving} serves",))


def _head(model: ModelDocument) -> tuple[Block, ...]:
    state = Toned("serves now", "good") if model.serving else f"promoted {format_time(model.promoted_at)}"
    head = Line((f"model {model.id}, ", state, f", {model.size} bytes, sha256 {model.sha256}"))
    blocks: list[Block] = [head]
    if model.imported_from is not None:
        imported_at = None if model.report is None else model.report.imported_at
        blocks.append(f"imported at {format_time(imported_at)}, trained on {model.imported_from}")
    blocks += [Line((Toned(f"its {part} is quarantined", "bad"),)) for part in model.quarantined]
    return tuple(blocks)


def _training(model: ModelDocument) -> tuple[Block, ...]:
    if model.report is None:
        problem = "there is none" if model.report_problem is None else model.report_problem.message
        return (f"its training report cannot be used: {problem}",)
    if not model.pretrained:
        return training_blocks(model.report)
    detector = detector_text(model.report.detector)
    pretrained = "pretrained on other hosts; serves until a model fitted on this host is promoted"
    return (pretrained, detector) if detector else (pretrained,)


def _marks(model: ModelListEntry) -> list[str]:
    marks = {"pretrained": model.pretrained, "imported": model.imported_from is not None, "serves": model.serving}
    return [*(mark for mark, holds in marks.items() if holds), *(f"{part} quarantined" for part in model.quarantined)]
