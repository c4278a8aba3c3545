"""Paths of the standard streams, which replace the file argument `-`."""

from __future__ import annotations

from pathlib import Path

STANDARD_INPUT = Path("/dev/stdin")
STANDARD_OUTPUT = Path("/dev/stdout")
