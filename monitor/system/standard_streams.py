"""Paths of the standard streams: values of file arguments given as `-`."""

from __future__ import annotations

from pathlib import Path

STANDARD_INPUT = Path("/dev/stdin")
STANDARD_OUTPUT = Path("/dev/stdout")
