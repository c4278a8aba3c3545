"""Standard streams: paths that the file argument `-` stands for."""

from __future__ import annotations

from pathlib import Path

STANDARD_INPUT = Path("/dev/stdin")
STANDARD_OUTPUT = Path("/dev/stdout")
