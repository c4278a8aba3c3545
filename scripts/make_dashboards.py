#!/usr/bin/env python3
"""Dashboard generator: Grafana dashboards as JSON files.

    python scripts/make_dashboards.py [DIRECTORY]

The default directory is deploy/grafana/dashboards; scripts/dashboards has the content.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dashboards.daemon import daemon
from dashboards.host import host
from dashboards.quality import quality
from dashboards.training import training

DIRECTORY = Path(__file__).resolve().parents[1] / "deploy" / "grafana" / "dashboards"


def main() -> None:
    """Write one file per dashboard."""
    directory = Path(sys.argv[1]) if len(sys.argv) > 1 else DIRECTORY
    directory.mkdir(parents=True, exist_ok=True)
    for page in (host(), quality(), training(), daemon()):
        text = json.dumps(page.json(), indent=2, ensure_ascii=False) + "\n"
        (directory / f"{page.name}.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
