#!/usr/bin/env python3
"""Configuration file generator: config.toml, its reference page, and the shipped units.

python scripts/make_config.py
"""

from __future__ import annotations

from pathlib import Path

from monitor.config.reference import default_file, reference_page
from monitor.system.service.unit import COMPANIONS, NAME, TEMPLATES

ROOT = Path(__file__).resolve().parents[1]


def generated_files() -> dict[Path, str]:
    """Return the content of each generated file."""
    units = {ROOT / "deploy" / name: (TEMPLATES / name).read_text(encoding="utf-8") for name in (NAME, *COMPANIONS)}
    return {
        ROOT / "config.toml": default_file(),
        ROOT / "docs" / "reference" / "configuration.md": reference_page(),
        **units,
    }


def main() -> None:
    """Write the files."""
    for path, content in generated_files().items():
        path.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
