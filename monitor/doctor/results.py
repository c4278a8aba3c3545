"""What a check finds, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from monitor.errors import EXIT_DONE, EXIT_FAILED
from monitor.reports.blocks import Line, Report, Tone, Toned

State = Literal["ok", "warning", "failed", "skipped"]

WORDS: dict[State, str] = {"ok": "ok", "warning": "warn", "failed": "FAIL", "skipped": "skip"}
TONES: dict[State, Tone] = {"ok": "good", "warning": "caution", "failed": "bad", "skipped": "faint"}


@dataclass(frozen=True)
class Result:
    """What one check found, with its figures, and how to mend it; `mend` is empty where there is nothing to mend."""

    name: str
    state: State
    found: str
    mend: str = ""


def ok(name: str, found: str) -> Result:
    """As it should be."""
    return Result(name, "ok", found)


def warning(name: str, found: str, mend: str) -> Result:
    """It works, and is not as it should be, or will not be."""
    return Result(name, "warning", found, mend)


def failed(name: str, found: str, mend: str) -> Result:
    """Something does not work."""
    return Result(name, "failed", found, mend)


def skipped(name: str, found: str) -> Result:
    """It could not be looked at, and why."""
    return Result(name, "skipped", found)


def exit_code(results: Sequence[Result]) -> int:
    """1 where something failed; warnings are allowed."""
    return EXIT_FAILED if any(result.state == "failed" for result in results) else EXIT_DONE


def report(results: Sequence[Result]) -> Report:
    """A line a result, how to mend it on the next, and their number at the end."""
    width = max(len(result.name) for result in results)
    lines: list[str | Line] = []
    for result in results:
        state = Toned(f"{WORDS[result.state]:4}", TONES[result.state])
        lines.append(Line((state, f"  {result.name:{width}}  {result.found}")))
        if result.mend:
            lines.append(f"{'':{width + 8}}mend: {result.mend}")
    counts = ((sum(result.state == state for result in results), word) for state, word in WORDS.items())
    return Report((*lines, "", ", ".join(f"{count} {word}" for count, word in counts)))
