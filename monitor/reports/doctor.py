"""Doctor reports: one line per check result, and its fix; the counts of a salvage."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.doctor import CheckResult, CheckStatus, DoctorDocument
from monitor.documents.salvage import SalvageDocument, SalvagedRows
from monitor.reports.blocks import Block, Cell, Line, Report, Table, Tone, Toned
from monitor.system.formatting import format_count

STATUS_WORDS = {
    CheckStatus.OK: "ok",
    CheckStatus.WARNING: "warn",
    CheckStatus.FAILED: "FAIL",
    CheckStatus.SKIPPED: "skip",
}
STATUS_WIDTH = 4

STATUS_TONES: dict[CheckStatus, Tone] = {
    CheckStatus.OK: "good",
    CheckStatus.WARNING: "caution",
    CheckStatus.FAILED: "bad",
    CheckStatus.SKIPPED: "faint",
}


def doctor_report(document: DoctorDocument) -> Report:
    """Return one line per result, its fix on the next line, and the number of results by status at the end."""
    width = max(len(_label(result)) for result in document.checks)
    lines: list[str | Line] = []
    for result in document.checks:
        status = Toned(STATUS_WORDS[result.status].ljust(STATUS_WIDTH), STATUS_TONES[result.status])
        lines.append(Line((status, f"  {_label(result).ljust(width)}  {result.message}")))
        if result.fix:
            indent = " " * (STATUS_WIDTH + 2 + width + 2)
            lines.append(f"{indent}fix: {result.fix}")
    return Report((*lines, "", _summary(document.checks)))


def salvage_report(document: SalvageDocument) -> Report:
    """Return a table of the rows by kind, then the damaged pages and the activated model, if any."""
    rows = [
        _salvaged("models", document.models),
        _salvaged("training runs", document.training_runs),
        _salvaged("activations", document.activations),
        _salvaged("quarantined models", document.quarantined_models),
        _salvaged("samples", document.samples),
    ]
    blocks: list[Block] = [document.file, "", Table(("", "recovered", "skipped", "damaged"), rows)]
    if document.unreadable_pages:
        lost = f"{format_count(document.unreadable_pages, 'unreadable page')}, whose rows are lost"
        blocks += ["", Line((Toned(lost, "caution"),))]
    if document.activated is not None:
        blocks += ["", f"model {document.activated} serves"]
    return Report(tuple(blocks))


def _salvaged(label: str, rows: SalvagedRows) -> list[Cell]:
    damaged = Toned(str(rows.damaged), "caution" if rows.damaged else None)
    return [label, str(rows.recovered), str(rows.skipped), damaged]


def _label(result: CheckResult) -> str:
    label = result.check.value.replace("_", " ")
    return f"{label} {result.subject}" if result.subject else label


def _summary(results: Sequence[CheckResult]) -> str:
    statuses = [result.status for result in results]
    return ", ".join(f"{statuses.count(status)} {word}" for status, word in STATUS_WORDS.items())
