#!/usr/bin/env python3
"""Module map generator: list of all modules with their purpose, written to stdout.

python scripts/module_map.py > docs/reference/modules.md
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

HEAD = """\
# Modules

<!-- Made by `make modules` from the first sentence of each module: change it there. -->

All modules with their purpose. See [architecture](../explanation/architecture.md) for their relations.
"""


def module_map() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for package in ("model", "storage", "monitor"):
        rows = "\n".join(f"| [{path}](../../{path}) | {sentence} |" for path, sentence in _modules(ROOT / package))
        parts.append(f"## {package}\n\n| module | purpose |\n|---|---|\n{rows}\n")
    return "\n".join(parts)


def _modules(package: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(package.rglob("*.py"), key=lambda path: (path.parent, path.name)):
        # __init__ and __main__ only re-export or start
        if not path.name.startswith("__"):
            docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            first = " ".join(docstring.partition("\n\n")[0].split())
            yield path.relative_to(ROOT).as_posix(), first.replace("|", "\\|")


if __name__ == "__main__":
    print(module_map(), end="")
