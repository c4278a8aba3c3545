#!/usr/bin/env python3
"""Configuration file generator: config.toml, its reference page, and the shipped unit.

python scripts/make_config.py
"""

from __future__ import annotations

from pathlib import Path

from monitor.config.reference import default_file, reference_page
from monitor.system.service.unit import TEMPLATE

ROOT = Path(__file__).resolve().parents[1]


def generated_files() -> dict[Path, str]:
    """Return the content of each generated file."""
    return {
        ROOT / "config.toml": default_file(),
        ROOT / "docs" / "reference" / "configuration.md": reference_page(),
        ROOT / "deploy" / "monitor.service": TEMPLATE.read_text(encoding="utf-8"),
    }


def main() -> None:
    """Write the files."""
    for path, content in generated_files().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
