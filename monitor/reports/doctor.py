"""Doctor report: one line per check result, and its fix."""

from __future__ import annotations

from collections.abc import Sequence

from monitor.documents.doctor import CheckResult, CheckStatus, DoctorDocument
from monitor.reports.blocks import Line, Report, Tone, Toned

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


def _label(result: CheckResult) -> str:
    label = result.check.value.replace("_", " ")
    return f"{label} {result.subject}" if result.subject else label


def _summary(results: Sequence[CheckResult]) -> str:
    statuses = [result.status for result in results]
    return ", ".join(f"{statuses.count(status)} {word}" for status, word in STATUS_WORDS.items())
